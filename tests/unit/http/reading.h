// Reads the bytes of one connection the way a proxy would: head, body, next head, until the
// connection has to end. What was read is told as plain values, so that two ways of delivering the
// same bytes can be compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/framing.h"
#include "proxy/http/parser.h"

namespace http_test {

using Pieces = std::vector<std::string_view>;

struct ReadMessage {
  std::string start;                // "GET /x", or "200"
  std::string host;                 // requests
  std::vector<std::string> fields;  // "Name: value" of those that are forwarded as they are
  std::string body;
  bool keep_alive = false;
  bool websocket = false;

  bool operator==(const ReadMessage&) const = default;
};

struct Reading {
  enum class End {
    clean,       // all bytes belong to whole messages, or what follows is nobody's
    incomplete,  // inside a head, or nothing came at all
    broken,      // inside a body
    refused,
    switched,  // to the protocol of an upgrade
  } end = End::clean;
  base::Error error;  // refused, broken
  std::vector<ReadMessage> messages;
  std::vector<int> interim;
  std::string rest;  // what was not read, or is the new protocol's

  bool operator==(const Reading& other) const;
  std::string text() const;  // for messages of failing tests
};

struct Options {
  http::HeadLimits limits;
  http::Method to = http::Method::get;  // responses: what was asked
  bool upgrade_asked = false;
};

// Requests until one that ends the connection; then the client sends no more.
Reading read_requests(const Pieces& pieces, const Options& options);
// Interim answers, then one final answer; then the backend closes.
Reading read_response(const Pieces& pieces, const Options& options);

using Read = Reading (*)(const Pieces&, const Options&);

// Pieces of `size` bytes.
Pieces cut_evenly(std::string_view bytes, size_t size);

// Where to cut an input in two: everywhere up to 2 kB, else near both ends and near `marks`.
std::vector<size_t> cuts_of(std::string_view bytes, const std::vector<size_t>& marks);

}  // namespace http_test
