// The heads of HTTP/1.1 messages as we read them: field order, spelling and repetition kept.
// Everything here is a view into the bytes that were parsed; whoever keeps a head keeps its bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace http {

// The methods that pass (RFC 9110 9, RFC 5789); all others are answered 501.
enum class Method : uint8_t { get, head, post, put, patch, delete_, options };
std::string_view text_of(Method method);

// Fields that somebody here looks at. All others are `other`.
enum class FieldId : uint8_t {
  other,
  host,
  connection,
  keep_alive,
  proxy_connection,
  te,
  trailer,
  transfer_encoding,
  content_length,
  upgrade,
  expect,
  via,
  date,
  server,
  max_forwards,
  cookie,
  set_cookie,
  cache_control,
  content_type,
  location,
  user_agent,
  origin,
  forwarded,
  x_forwarded_for,
  x_forwarded_host,
  x_forwarded_proto,
  x_forwarded_port,
  x_forwarded_server,
  x_real_ip,
  x_request_id,
  x_openerp_session_id,
  x_sidecar_color,
  sec_fetch_mode,
  sec_websocket_key,
  sec_websocket_accept,
  proxy_authenticate,
  proxy_authorization,
};
FieldId field_id(std::string_view name);  // case-insensitive

struct Field {
  std::string_view name;
  std::string_view value;  // without white space at both ends
  FieldId id = FieldId::other;
  // Speaks about this connection only (RFC 9110 7.6.1): one of the known hop-by-hop fields, or
  // named by Connection. Host, Content-Length, Transfer-Encoding and the fields that we set are
  // not made hop-by-hop by being named. Never forwarded.
  bool hop_by_hop = false;
  // A name with "_" that a CGI-like origin reads as "-". Never forwarded.
  bool underscored = false;
};

enum class BodyKind : uint8_t {
  none,
  length,       // Content-Length
  chunked,      // Transfer-Encoding: chunked
  until_close,  // responses only
};

struct Framing {
  BodyKind body = BodyKind::none;
  uint64_t length = 0;  // with BodyKind::length
};

struct RequestHead {
  Method method = Method::get;
  int minor = 1;            // HTTP/1.minor
  std::string_view target;  // origin-form as it is forwarded, or "*"
  std::string_view path;    // target up to "?"
  std::string_view query;   // after "?", empty without one
  std::string_view host;    // the target's authority if it had one, else Host; may be empty (1.0)
  std::vector<Field> fields;
  Framing framing;
  bool keep_alive = true;  // what the client wants and the version allows
  bool websocket = false;  // a lone, well-formed websocket upgrade (GET, 1.1, no body)
  bool expects_continue = false;

  const Field* find(FieldId id) const;  // the first of that name, or nullptr
};

struct ResponseHead {
  int status = 0;
  int minor = 1;
  std::vector<Field> fields;
  Framing framing;          // of the answer to the request it was parsed for
  bool keep_alive = false;  // may the backend connection serve another request

  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
  const Field* find(FieldId id) const;
};

// A backend that sends more interim answers than this before the final one is refused.
inline constexpr int kInterimAnswersMax = 8;

// Case-insensitive equality of ASCII.
bool equal_ignoring_case(std::string_view a, std::string_view b);
// Does a comma-separated field value hold this token (RFC 9110 5.6.1)?
bool has_token(std::string_view list, std::string_view token);
std::string_view reason_of(int status);  // our own reason phrases

}  // namespace http
