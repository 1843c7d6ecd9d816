// Request lines and status lines, targets and authorities (RFC 9112 3 and 4). Inside proxy/http
// only.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/base/error.h"
#include "proxy/http/message.h"

namespace http {

// Why a message is refused. `what` is a literal.
struct Fault {
  base::ErrorCode code = base::ErrorCode::bad_message;
  const char* what = "";
};
using Judgement = std::optional<Fault>;  // empty: nothing to find fault with

struct StartLine {
  int minor = 1;
  // Requests.
  Method method = Method::get;
  std::string_view received_target;  // as it came
  std::string_view target;           // as it is forwarded
  std::string_view authority;        // of an absolute-form target, else empty
  // Responses.
  int status = 0;
};

// A method longer than this, or a version longer than "HTTP/1.1", ends the reading at once.
inline constexpr size_t kMethodBytesMax = 32;
inline constexpr size_t kVersionBytes = 8;

// `line`: without its CRLF, free of controls.
Judgement read_request_line(std::string_view line, StartLine& result);
Judgement read_status_line(std::string_view line, StartLine& result);

// The beginning of a request line whose end is not here yet, or that a control byte follows: is
// it too long already?
Judgement judge_request_line_length(std::string_view begun, size_t target_bytes_max);

// uri-host [ ":" port ], the host not empty, the port at most 65535 (RFC 9110 4.2.3, 7.2).
bool is_authority(std::string_view text);

}  // namespace http
