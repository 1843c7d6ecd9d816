#include "tests/wire/trial.h"

#include <algorithm>
#include <random>
#include <set>

#include "tests/wire/read_watch.h"

namespace wire {
namespace {

using harness::Millis;
using harness::Socket;
using Outcome = RawCase::Outcome;

constexpr size_t kByByteMax = 2048;

std::vector<std::string> cut(const std::string& bytes, const std::set<size_t>& cuts) {
  std::vector<std::string> pieces;
  size_t from = 0;
  for (const size_t at : cuts) {
    pieces.push_back(bytes.substr(from, at - from));
    from = at;
  }
  pieces.push_back(bytes.substr(from));
  return pieces;
}

// What one client sent and received.
struct Talk {
  std::string received;
  bool reset = false;

  Answers answers(const std::vector<bool>& heads = {}) const {
    return read_answers(received, heads, true);
  }
};

// Reads until `enough` says so, or until the end. False: at the end.
template <class Enough>
bool receive(Socket& socket, Talk& talk, Enough enough) {
  while (!enough()) {
    const int got = socket.receive(talk.received, 65536, Millis{10'000} * harness::kSlowness);
    if (got == -2) throw harness::Failure("no byte came; so far: " + visible(talk.received));
    talk.reset = got == -1;
    if (got <= 0) return false;
  }
  return true;
}

std::string list(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "[" + visible(line, 100) + "]";
  return text;
}

// --- what a client sends ---------------------------------------------------------------------

// The fields that the sidecar writes itself, or that frame the message.
bool is_sidecars(const std::string& name) {
  for (const char* ours :
       {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Via",
        "X-Request-Id", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}) {
    if (same_name(name, ours)) return true;
  }
  return false;
}

std::string fault_in_record(const std::string& raw, const WantedRequest& wanted,
                            const std::string& address, bool streaming) {
  Message got;
  if (std::string fault = read_forwarded(raw, got, streaming); !fault.empty()) return fault;
  if (got.start != wanted.start + " HTTP/1.1") return "start line " + got.start;
  if (got.value("Host") != wanted.host) return "Host " + got.value("Host");
  if (got.body != wanted.body) return "body " + visible(got.body);
  if (got.has("Upgrade") != wanted.websocket) return "upgrade";
  if (got.all("X-Forwarded-For") != std::vector{address}) return "X-Forwarded-For";
  for (const char* once :
       {"X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Request-Id", "Via"}) {
    if (got.all(once).size() != 1) return std::string("not one ") + once;
  }
  std::vector<std::string> fields;
  for (const auto& [name, value] : got.fields) {
    if (!is_sidecars(name)) fields.push_back(name + ": " + value);
  }
  return fields == wanted.fields ? "" : "fields " + list(fields);
}

std::string fault_in_answers(const Trial& trial, const Talk& talk) {
  const RawCase& one = *trial.one;
  const Answers answers = talk.answers();
  if (!answers.fault.empty()) return "an answer: " + answers.fault;
  if (!answers.rest.empty()) return "behind the answers: " + visible(answers.rest);
  const bool refused = one.outcome == Outcome::refuse;
  if (answers.whole.size() != one.messages.size() + (refused ? 1 : 0)) return "number of answers";
  for (size_t i = 0; i < one.messages.size(); ++i) {
    if (answers.whole[i].status() != 200) return "answer " + answers.whole[i].start;
    if (answers.whole[i].body != answer_text(trial.address, i)) return "another's answer";
  }
  if (!refused) return "";
  const Message& last = answers.whole.back();
  if (last.status() != one.status) return "answer " + last.start;
  return last.value("Connection") == "close" ? "" : "refused without Connection: close";
}

std::string play_client(const Trial& trial, uint16_t port) {
  const RawCase& one = *trial.one;
  Socket socket = connect_from(trial.address, port);
  send_one_by_one(socket, trial.pieces);  // refused and closed meanwhile: the answer says why
  Talk talk;
  const bool refused = one.outcome == Outcome::refuse;
  if (trial.other_end) {
    socket.finish();
  } else if (receive(socket, talk, [&] {
               return !refused && talk.answers().whole.size() >= one.messages.size();
             })) {
    socket.finish();
  }
  receive(socket, talk, [] { return false; });
  socket.close();
  const std::string fault = fault_in_answers(trial, talk);
  if (fault.empty()) return "";
  return fault + "\n  the client got: " + visible(talk.received) + (talk.reset ? " RST" : "");
}

// --- what a backend answers ------------------------------------------------------------------

std::string fields_fault(const RawCase& one, const Message& answer) {
  std::vector<std::string> fields;
  const bool length_is_theirs = one.to_head || one.status == 304;
  for (const auto& [name, value] : answer.fields) {
    const bool ours = same_name(name, "Date") || same_name(name, "X-Request-Id") ||
                      same_name(name, "Set-Cookie") || same_name(name, "Cache-Control") ||
                      same_name(name, "Connection") || same_name(name, "Transfer-Encoding") ||
                      (same_name(name, "Content-Length") && !length_is_theirs);
    if (!ours) fields.push_back(name + ": " + value);
  }
  return fields == one.fields ? "" : "fields " + list(fields);
}

// The first answer of a connection against its case.
std::string fault_in_first(const RawCase& one, const Talk& talk, const Answers& answers) {
  const bool none = answers.whole.empty();
  if (one.outcome == Outcome::broken || one.outcome == Outcome::refuse) {
    // Visibly broken; or 502, where nothing had been sent.
    if (none) return talk.received.empty() ? "an empty reply" : "";
    return answers.whole[0].status() == 502 ? "" : "broken, but answered " + answers.whole[0].start;
  }
  if (none) return "no answer";
  const Message& first = answers.whole[0];
  if (one.outcome == Outcome::incomplete) return first.status() == 502 ? "" : first.start;
  if (one.outcome == Outcome::switches) {
    if (!answers.switched) return first.start;
    return answers.rest == one.body ? "" : "through the tunnel: " + visible(answers.rest);
  }
  if (first.status() != one.status) return first.start;
  if (first.body != one.body) return "body " + visible(first.body);
  std::vector<int> interim;  // 100 is ours to say
  for (const int status : one.interim) {
    if (status != 100) interim.push_back(status);
  }
  if (interim.size() != answers.interim.size()) return "interim answers";
  return fields_fault(one, first);
}

std::string request_for(const RawCase& one) {
  std::string request = one.to_head ? "HEAD" : "GET";
  request += " /r HTTP/1.1\r\nHost: a\r\n";
  if (one.outcome == Outcome::switches) {
    request +=
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  }
  return request + "\r\n";
}

std::string play_backend(const Trial& trial, Recorder& recorder, uint16_t port) {
  const RawCase& one = *trial.one;
  Script script;
  script.pieces = trial.pieces;
  script.ends = !(trial.other_end && one.keeps_connection);
  recorder.set_script(trial.address, script);
  const std::vector<bool> heads = {one.to_head, false};
  Socket socket = connect_from(trial.address, port);
  socket.send(request_for(one));
  Talk talk;
  const auto first_is_here = [&] {
    const Answers answers = talk.answers(heads);
    return !answers.whole.empty() && !answers.switched;
  };
  // The same connection, once more: surplus bytes of the first answer must reach nobody.
  size_t wanted = 1;
  if (receive(socket, talk, first_is_here)) {
    const Message first = talk.answers(heads).whole.front();
    if (first.value("Connection") != "close" && socket.send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")) {
      wanted = 2;
    }
    socket.finish();
    receive(socket, talk, [] { return false; });
  }
  socket.close();
  const Answers answers = talk.answers(heads);
  const std::vector<std::string> records = recorder.records_of(trial.address, wanted);
  std::string fault = fault_in_first(one, talk, answers);
  const bool broken = answers.whole.empty();
  if (!answers.fault.empty()) fault = "an answer: " + answers.fault;
  if (!broken && !answers.switched && !answers.rest.empty()) fault = "behind the answers";
  if (records.size() != wanted) fault = "number of requests at the backend";
  if (fault.empty() && wanted == 2 &&
      (answers.whole.size() != 2 || answers.whole[1].body != answer_text(trial.address, 1))) {
    fault = "the second answer";
  }
  if (fault.empty()) return "";
  return fault + "\n  the client got: " + visible(talk.received) + (talk.reset ? " RST" : "");
}

}  // namespace

std::vector<Trial> trials_of(const RawCase& one, int splits, uint32_t seed) {
  std::vector<Trial> trials;
  const auto add = [&](std::vector<std::string> pieces, std::string how) {
    Trial trial;
    trial.one = &one;
    trial.pieces = std::move(pieces);
    trial.other_end = trials.size() % 2 == 1;
    trial.how = std::move(how) + (trial.other_end ? ", the other end first" : "");
    trials.push_back(std::move(trial));
  };
  add({one.bytes}, "whole");
  add({one.bytes}, "whole");
  const size_t size = one.bytes.size();
  if (size < 2) return trials;
  if (size <= kByByteMax) {
    std::set<size_t> everywhere;
    for (size_t at = 1; at < size; ++at) everywhere.insert(at);
    add(cut(one.bytes, everywhere), "byte by byte");
  }
  std::seed_seq mixed{seed, static_cast<uint32_t>(std::hash<std::string>{}(one.id))};
  std::mt19937 draw(mixed);
  for (int i = 0; i < splits; ++i) {
    std::set<size_t> cuts;
    std::string how = "cut at";
    for (size_t n = 1 + draw() % 4; n > 0; --n) cuts.insert(1 + draw() % (size - 1));
    for (const size_t at : cuts) how += " " + std::to_string(at);
    add(cut(one.bytes, cuts), how);
  }
  return trials;
}

std::string play(const Trial& trial, Recorder& recorder, uint16_t port) {
  try {
    return trial.one->from_backend ? play_backend(trial, recorder, port) : play_client(trial, port);
  } catch (const harness::Failure& failure) {
    return failure.what();
  }
}

std::string fault_at_backend(const Trial& trial, Recorder& recorder) {
  const RawCase& one = *trial.one;
  if (one.from_backend) return "";
  std::vector<std::string> records = recorder.records_of(trial.address, 0);
  std::string fault;
  if (trial.streaming && records.size() == one.messages.size() + 1) {
    // Begun, because its head was good; the fault came later. It must not look whole.
    Message begun;
    const std::string last = read_forwarded(records.back(), begun, true);
    if (one.outcome == Outcome::forward || last != "incomplete") fault = "a request too many";
    records.pop_back();
  }
  if (records.size() != one.messages.size()) fault = "number of requests at the backend";
  for (size_t i = 0; i < records.size() && fault.empty(); ++i) {
    fault = fault_in_record(records[i], one.messages[i], trial.address, trial.streaming);
  }
  return fault.empty() ? "" : fault + "\n  the backend got: " + list(records);
}

}  // namespace wire
