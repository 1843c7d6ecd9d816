// A reader of HTTP/1.1 for tests that forgives nothing, written apart from the sidecar's own. It
// judges what the sidecar wrote: to a backend, and to a client.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wire {

struct Message {
  std::string start;  // "GET /x HTTP/1.1", or "HTTP/1.1 200 OK"
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;

  int status() const;                                         // of an answer
  std::vector<std::string> all(std::string_view name) const;  // values, in order
  std::string value(std::string_view name) const;             // of the first, or ""
  bool has(std::string_view name) const { return !all(name).empty(); }
};

bool same_name(std::string_view a, std::string_view b);

// `raw`: all that ever came over one connection to a backend. It must be exactly one request as the
// sidecar frames it: one Host, a length or nothing, Connection: close or a websocket upgrade, no
// field that speaks about another connection, the body exactly, and nothing behind. Behind an
// upgrade anything may follow; it is in `body`. Returns what is wrong, or "".
// On a streaming route a body may be chunked, and it may break off: then "incomplete".
std::string read_forwarded(std::string_view raw, Message& message, bool streaming = false);

struct Answers {
  std::vector<Message> whole;    // final ones
  std::vector<Message> interim;  // 1xx, all together
  std::string fault;             // what no client could make sense of
  std::string rest;              // begun and not whole, or behind a 101
  bool switched = false;         // the last one is a 101
};
// `raw`: what a client received so far. `heads`: which answers (counted from 0) belong to HEAD.
// A close-delimited body counts as whole only when `ended`, and only if `http10` allows it.
Answers read_answers(std::string_view raw, const std::vector<bool>& heads = {}, bool ended = false,
                     bool http10 = false);

// For messages of failing tests: line ends and other control bytes visible.
std::string visible(std::string_view bytes, size_t most = 600);

}  // namespace wire
