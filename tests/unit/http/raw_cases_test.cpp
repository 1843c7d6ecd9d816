// Every case of corpus/http_raw.jsonl, whole and cut in every place. A line: `raw` (or `parts`,
// each repeated, "{}" standing for its number), and what must come of it.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/unit/http/reading.h"

namespace http_test {
namespace {

using nlohmann::json;

constexpr const char* kCorpus = "tests/unit/http/corpus/http_raw.jsonl";

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

struct Case {
  std::string id;
  std::string bytes;
  json line;
  Options options;
  Read read = read_requests;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  std::ifstream file(kCorpus);
  for (std::string text; std::getline(file, text);) {
    Case one;
    one.line = json::parse(text);
    one.id = one.line["id"];
    one.bytes = bytes_of(one.line);
    if (one.line["side"] == "backend") one.read = read_response;
    if (one.line.value("to", "GET") == "HEAD") one.options.to = http::Method::head;
    one.options.upgrade_asked = one.line["outcome"] == "switch";
    cases.push_back(std::move(one));
  }
  return cases;
}

std::vector<std::string> strings(const json& list) {
  std::vector<std::string> result;
  for (const json& text : list) result.push_back(to_bytes(text));
  return result;
}

// What is wrong with a reading of a request, or "".
std::string fault_in_messages(const json& wanted, const Reading& reading) {
  if (wanted.size() != reading.messages.size()) return "number of messages";
  for (size_t i = 0; i < wanted.size(); ++i) {
    const json& want = wanted[i];
    const ReadMessage& message = reading.messages[i];
    if (message.start != want["start"]) return "start line";
    if (message.host != want["host"]) return "host";
    if (message.body != to_bytes(want["body"])) return "body";
    if (message.fields != strings(want["fields"])) return "fields";
    if (message.keep_alive != want.value("keep_alive", true)) return "keep-alive";
    if (message.websocket != want.value("websocket", false)) return "websocket";
  }
  return "";
}

std::string fault_in_answer(const json& want, const Reading& reading) {
  if (reading.messages.size() != 1) return "number of messages";
  const ReadMessage& message = reading.messages[0];
  if (message.start != std::to_string(want["status"].get<int>())) return "status";
  if (message.body != to_bytes(want["body"])) return "body";
  if (message.fields != strings(want["fields"])) return "fields";
  if (message.keep_alive != want["keep_alive"]) return "keep-alive";
  if (reading.rest.size() != want["surplus"]) return "surplus";
  if (json(reading.interim) != want["interim"]) return "interim answers";
  return "";
}

std::string fault_in(const json& line, const Reading& reading) {
  const std::string outcome = line["outcome"];
  const Reading::End end = reading.end;
  if (outcome == "forward") {
    const bool upgrade = line["messages"].back().value("websocket", false);
    if (end != (upgrade ? Reading::End::switched : Reading::End::clean)) return "end";
    return fault_in_messages(line["messages"], reading);
  }
  if (outcome == "refuse") {
    if (end != Reading::End::refused) return "end";
    if (base::facts_of(reading.error.code).status != line["status"]) return "status";
    const bool backend = reading.error.side == base::Side::backend;
    if (backend != (line["side"] == "backend")) return "side";
    if (reading.error.code == base::ErrorCode::parser_disagreement) return "second parser";
    if (line.value("interim", size_t{0}) != reading.interim.size()) return "interim answers";
    return fault_in_messages(line.value("messages", json::array()), reading);
  }
  if (outcome == "answer") {
    return end == Reading::End::clean ? fault_in_answer(line["answer"], reading) : "end";
  }
  if (outcome == "switch") {
    if (end != Reading::End::switched) return "end";
    return reading.rest == to_bytes(line["tunnel"]) ? "" : "tunnel bytes";
  }
  if (outcome == "broken") return end == Reading::End::broken ? "" : "end";
  if (outcome != "incomplete") return "unknown outcome";
  if (end != Reading::End::incomplete && end != Reading::End::broken) return "end";
  return fault_in_messages(line.value("messages", json::array()), reading);
}

TEST(RawCases, HaveTheirOutcome) {
  size_t passed = 0;
  const std::vector<Case> cases = all_cases();
  for (const Case& one : cases) {
    const Reading reading = one.read({one.bytes}, one.options);
    const std::string fault = fault_in(one.line, reading);
    passed += fault.empty();
    EXPECT_EQ(fault, "") << one.id << " became " << reading.text();
  }
  std::printf("raw cases: %zu/%zu\n", passed, cases.size());
  EXPECT_EQ(cases.size(), 255u);
}

TEST(RawCases, DoNotDependOnWhereTheyAreCut) {
  size_t readings = 0;
  const std::vector<size_t> marks = {256, 8 << 10, 16 << 10, 64 << 10};
  for (const Case& one : all_cases()) {
    const Reading whole = one.read({one.bytes}, one.options);
    const auto check = [&](const Pieces& pieces, const std::string& how) {
      const Reading reading = one.read(pieces, one.options);
      ++readings;
      ASSERT_EQ(reading, whole) << one.id << " " << how << " became " << reading.text()
                                << "\nand whole " << whole.text();
    };
    const std::string_view bytes = one.bytes;
    for (const size_t size : {1, 2, 3, 7}) {
      if (bytes.size() > 4096 && size < 7) continue;
      check(cut_evenly(bytes, size), "in pieces of " + std::to_string(size));
    }
    for (const size_t cut : cuts_of(bytes, marks)) {
      check({bytes.substr(0, cut), bytes.substr(cut)}, "cut at " + std::to_string(cut));
    }
  }
  std::printf("readings in pieces: %zu\n", readings);
}

TEST(RawCases, SwitchOnlyWhenAskedTo) {
  size_t switches = 0;
  for (const Case& one : all_cases()) {
    if (one.line["outcome"] != "switch") continue;
    ++switches;
    const Reading reading = one.read({one.bytes}, Options{});
    EXPECT_EQ(reading.end, Reading::End::refused) << one.id;
    EXPECT_EQ(reading.error.code, base::ErrorCode::bad_backend_message) << one.id;
  }
  EXPECT_EQ(switches, 4u);
}

}  // namespace
}  // namespace http_test
