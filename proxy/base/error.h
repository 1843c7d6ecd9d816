// Errors are values: what went wrong, who caused it, and a detail for the log. The one table from
// code to status, retry and label is here and nowhere else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

enum class ErrorCode : uint8_t {
  // Said by or about a peer's bytes.
  bad_message,     // not the protocol, or a reading of it that we refuse
  bad_version,     // a protocol version we do not speak
  bad_method,      // a method outside our list
  method_refused,  // CONNECT and TRACE: known, and never served
  unknown_coding,  // a transfer coding other than chunked
  target_too_long,
  head_too_large,
  body_too_large,
  expectation_failed,
  parser_disagreement,  // our scanner and the second parser read one head differently
  denied,               // a rule of a route
  loop_detected,
  // Time.
  head_timeout,  // the head did not arrive in time
  body_timeout,  // the body stalled or came below the minimum rate
  connect_timeout,
  backend_timeout,  // no answer head, or the answer stalled
  queue_timeout,    // no slot became free in time
  hold_timeout,
  // Connections.
  connect_refused,
  connect_failed,       // unreachable, no port, no descriptor
  certificate_refused,  // the backend is not, or cannot be shown to be, who it should be
  backend_reset,        // closed or reset before the answer was whole
  bad_backend_message,  // the backend's bytes are not an answer we accept
  client_gone,          // the client reset or left
  // Limits of ours.
  queue_full,
  hold_full,
  no_backend,  // no color serves this request now
  spool_full,  // memory and disk for waiting bytes are used up
  shutting_down,
  // Outside the relay.
  io_failed,  // a file or socket call; the detail has errno's text
  bad_config,
  bad_input,
  conflict,
  refused,
  not_found,
  internal,
};

enum class Side : uint8_t { client, backend, proxy };

struct Error {
  ErrorCode code = ErrorCode::internal;
  Side side = Side::proxy;
  std::string detail;  // for the log, never for the client
};

struct ErrorFacts {
  ErrorCode code;
  int status;              // what a client is answered, 0: nothing can be said, close
  bool retry;              // may another backend be tried, provided that no byte was written
  std::string_view label;  // in logs and metrics
};

// The row of a code. Every code has one.
const ErrorFacts& facts_of(ErrorCode code);

// io_failed with errno's text: "open /x: No such file or directory".
Error io_error(std::string_view what, int errno_value);

}  // namespace base
