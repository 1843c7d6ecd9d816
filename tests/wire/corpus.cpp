#include "tests/wire/corpus.h"

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/integration/harness/deadline.h"

namespace wire {
namespace {

using nlohmann::json;

// Bytes were written as Latin-1.
std::string to_bytes(const std::string& utf8) {
  std::string bytes;
  for (size_t i = 0; i < utf8.size(); ++i) {
    const auto first = static_cast<unsigned char>(utf8[i]);
    if (first < 0x80) {
      bytes += utf8[i];
    } else {
      bytes += static_cast<char>((first & 0x03) << 6 | (utf8[++i] & 0x3f));
    }
  }
  return bytes;
}

std::string bytes_of(const json& line) {
  if (line.contains("raw")) return to_bytes(line["raw"]);
  std::string bytes;
  for (const json& part : line["parts"]) {
    const std::string text = to_bytes(part[0]);
    const size_t hole = text.find("{}");
    for (int i = 0; i < part[1].get<int>(); ++i) {
      bytes += text;
      if (hole == std::string::npos) continue;
      bytes.replace(bytes.size() - text.size() + hole, 2, std::to_string(i));
    }
  }
  return bytes;
}

std::vector<std::string> strings(const json& list) {
  std::vector<std::string> result;
  for (const json& text : list) result.push_back(to_bytes(text));
  return result;
}

RawCase::Outcome outcome_of(const std::string& word) {
  const std::map<std::string, RawCase::Outcome> words = {
      {"forward", RawCase::Outcome::forward}, {"refuse", RawCase::Outcome::refuse},
      {"answer", RawCase::Outcome::answer},   {"switch", RawCase::Outcome::switches},
      {"broken", RawCase::Outcome::broken},   {"incomplete", RawCase::Outcome::incomplete},
  };
  return words.at(word);
}

void read_answer(const json& answer, RawCase& one) {
  one.status = answer["status"];
  one.body = to_bytes(answer["body"]);
  one.fields = strings(answer["fields"]);
  one.interim = answer["interim"].get<std::vector<int>>();
  one.keeps_connection = answer["keep_alive"];
}

RawCase read_case(const json& line) {
  RawCase one;
  one.id = line["id"];
  one.from_backend = line["side"] == "backend";
  one.bytes = bytes_of(line);
  one.outcome = outcome_of(line["outcome"]);
  one.status = line.value("status", 0);
  one.to_head = line.value("to", "GET") == "HEAD";
  for (const json& message : line.value("messages", json::array())) {
    WantedRequest wanted;
    wanted.start = message["start"];
    wanted.host = message["host"];
    wanted.body = to_bytes(message["body"]);
    wanted.fields = strings(message["fields"]);
    wanted.websocket = message.value("websocket", false);
    one.messages.push_back(std::move(wanted));
  }
  if (line.contains("answer")) read_answer(line["answer"], one);
  if (line.contains("tunnel")) one.body = to_bytes(line["tunnel"]);
  return one;
}

}  // namespace

std::vector<RawCase> read_corpus() {
  std::vector<RawCase> cases;
  std::ifstream file("tests/unit/http/corpus/http_raw.jsonl");
  for (std::string text; std::getline(file, text);) cases.push_back(read_case(json::parse(text)));
  if (cases.empty()) throw harness::Failure("no corpus: run in the project's root");
  return cases;
}

}  // namespace wire
