#include "proxy/http/head_check.h"

#include "proxy/http/bytes.h"
#include "proxy/http/connection_options.h"

namespace http {
namespace {

using enum base::ErrorCode;

// 2^64 - 1 has 20 digits; some zeros may stand before them.
constexpr size_t kLengthDigitsMax = 32;

Fault bad(const char* what) { return {bad_message, what}; }

// Is there a TAB in the white space behind a value? Valid, but the second parser takes it for
// part of a length or a coding.
bool has_tab_behind(std::string_view value) {
  for (const char* at = value.data() + value.size(); *at != '\r'; ++at) {
    if (*at == '\t') return true;
  }
  return false;
}

// 1*DIGIT that fits 64 bits (RFC 9110 8.6).
bool read_length(std::string_view text, uint64_t& length) {
  if (text.empty() || text.size() > kLengthDigitsMax) return false;
  uint64_t value = 0;
  for (const char byte : text) {
    if (!is_digit(byte)) return false;
    const auto digit = static_cast<uint64_t>(byte - '0');
    if (value > (UINT64_MAX - digit) / 10) return false;
    value = value * 10 + digit;
  }
  length = value;
  return true;
}

// Only a single "chunked" is taken (RFC 9112 6.1, 6.3, 7). A list that rightly ends in chunked
// but has other codings before it is merely unknown to us.
Judgement check_codings(const std::vector<Field>& fields) {
  int chunked = 0;
  int others = 0;
  bool ends_in_chunked = false;
  for (const Field& field : fields) {
    if (field.id != FieldId::transfer_encoding) continue;
    if (has_tab_behind(field.value)) return bad("TAB behind Transfer-Encoding");
    std::string_view rest = field.value;
    for (;;) {
      const size_t comma = rest.find(',');
      const std::string_view coding = trim(rest.substr(0, comma));
      if (coding.empty() || !all_are(kTokenByte, coding)) return bad("malformed Transfer-Encoding");
      ends_in_chunked = equal_ignoring_case(coding, "chunked");
      ++(ends_in_chunked ? chunked : others);
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  if (!ends_in_chunked) return bad("Transfer-Encoding that does not end in chunked");
  if (chunked != 1) return bad("chunked twice");
  if (others != 0) return Fault{unknown_coding, "transfer coding other than chunked"};
  return {};
}

// What the fields claim about the body, whoever sent them.
Judgement read_framing(const Scan& scan, const std::vector<Field>& fields, Framing& framing) {
  const bool has_length = scan.index.has(FieldId::content_length);
  if (scan.index.has(FieldId::transfer_encoding)) {
    if (has_length) return bad("both Content-Length and Transfer-Encoding");
    if (scan.start_line.minor == 0) return bad("Transfer-Encoding in HTTP/1.0");
    framing.body = BodyKind::chunked;
    return check_codings(fields);
  }
  if (!has_length) return {};
  if (scan.index.has_several(FieldId::content_length)) return bad("several Content-Length");
  const Field& field = fields[scan.index.last(FieldId::content_length)];
  if (!read_length(field.value, framing.length)) return bad("malformed Content-Length");
  if (has_tab_behind(field.value)) return bad("TAB behind Content-Length");
  framing.body = BodyKind::length;
  return {};
}

// Reads all Connection fields and marks what they name.
Judgement read_connections(const Scan& scan, std::vector<Field>& fields,
                           ConnectionOptions& options) {
  if (!scan.index.has(FieldId::connection)) return {};
  const auto name_field = [&](std::string_view name) {
    for (Field& field : fields) {
      if (equal_ignoring_case(field.name, name) && !is_kept_when_named(field.id)) {
        field.hop_by_hop = true;
      }
    }
  };
  for (const Field& field : fields) {
    if (field.id != FieldId::connection) continue;
    if (!read_connection(field.value, options, name_field)) return bad("malformed Connection");
  }
  return {};
}

// Is there exactly one Upgrade field, and does it ask for websocket and nothing else?
bool names_websocket_only(const Scan& scan, const std::vector<Field>& fields) {
  return scan.index.has(FieldId::upgrade) && !scan.index.has_several(FieldId::upgrade) &&
         equal_ignoring_case(fields[scan.index.last(FieldId::upgrade)].value, "websocket");
}

// To a CGI-like origin Content_Length is Content-Length.
Judgement check_underscored(const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    if (!field.underscored || field.name.size() > 32) continue;
    char dashed[32];
    for (size_t i = 0; i < field.name.size(); ++i) {
      dashed[i] = field.name[i] == '_' ? '-' : field.name[i];
    }
    const FieldId twin = field_id({dashed, field.name.size()});
    if (twin == FieldId::content_length || twin == FieldId::transfer_encoding) {
      return bad("framing field spelled with an underscore");
    }
  }
  return {};
}

Judgement check_host(const Scan& scan, RequestHead& head) {
  if (scan.index.has_several(FieldId::host)) return bad("several Host");
  head.host = {};
  if (scan.index.has(FieldId::host)) {
    head.host = head.fields[scan.index.last(FieldId::host)].value;
    if (!is_authority(head.host)) return bad("malformed Host");
  } else if (head.minor == 1) {
    return bad("no Host");
  }
  // The target's authority replaces Host (RFC 9112 3.2.2).
  if (!scan.start_line.authority.empty()) head.host = scan.start_line.authority;
  return {};
}

// An upgrade passes only as a lone websocket (GET, 1.1, no body); any other is an ordinary request.
// A websocket with a body could be read as two requests.
Judgement check_upgrade(const Scan& scan, const ConnectionOptions& options, RequestHead& head) {
  head.websocket = false;
  if (!options.upgrade || head.minor == 0 || !names_websocket_only(scan, head.fields)) return {};
  const bool has_body = head.framing.body == BodyKind::chunked || head.framing.length > 0;
  if (has_body) return bad("websocket upgrade with a body");
  head.websocket = head.method == Method::get;
  return {};
}

Judgement check_expect(const Scan& scan, RequestHead& head) {
  head.expects_continue = false;
  if (!scan.index.has(FieldId::expect)) return {};
  for (const Field& field : head.fields) {
    if (field.id == FieldId::expect && !equal_ignoring_case(field.value, "100-continue")) {
      return Fault{expectation_failed, "expectation other than 100-continue"};
    }
  }
  // Not from HTTP/1.0 (RFC 9110 10.1.1), and pointless without a body.
  head.expects_continue =
      head.minor == 1 && (head.framing.body == BodyKind::chunked || head.framing.length > 0);
  return {};
}

void mark_hop_by_hop(FieldId id, std::vector<Field>& fields) {
  for (Field& field : fields) {
    if (field.id == id) field.hop_by_hop = true;
  }
}

// 1xx, 204 and 304 end at the empty line whatever they claim, and so does an answer to HEAD
// (RFC 9112 6.3); 205 has no content either (RFC 9110 15.3.6).
bool is_bodiless(int status, Method to) {
  return to == Method::head || status < 200 || status == 204 || status == 205 || status == 304;
}

}  // namespace

Judgement check_request(const Scan& scan, size_t fields_max, uint64_t body_bytes_max,
                        RequestHead& head) {
  if (scan.fields > fields_max) return Fault{head_too_large, "too many fields"};
  head.method = scan.start_line.method;
  head.minor = scan.start_line.minor;
  head.target = scan.start_line.target;
  const size_t question = head.target.find('?');
  head.path = head.target.substr(0, question);
  head.query =
      question == std::string_view::npos ? std::string_view{} : head.target.substr(question + 1);
  if (scan.underscored) {
    if (const Judgement found = check_underscored(head.fields)) return found;
  }
  if (const Judgement found = check_host(scan, head)) return found;
  ConnectionOptions options;
  if (const Judgement found = read_connections(scan, head.fields, options)) return found;
  // No persistence with HTTP/1.0 clients (RFC 9112 9.3).
  head.keep_alive = head.minor == 1 && !options.close;
  head.framing = {};
  if (const Judgement found = read_framing(scan, head.fields, head.framing)) return found;
  if (head.framing.length > body_bytes_max)
    return Fault{body_too_large, "Content-Length too large"};
  if (const Judgement found = check_upgrade(scan, options, head)) return found;
  return check_expect(scan, head);
}

Judgement check_response(const Scan& scan, size_t fields_max, Method to, bool upgrade_asked,
                         ResponseHead& head) {
  if (scan.fields > fields_max) return bad("too many fields");
  head.status = scan.start_line.status;
  head.minor = scan.start_line.minor;
  ConnectionOptions options;
  if (const Judgement found = read_connections(scan, head.fields, options)) return found;
  Framing claimed;
  if (const Judgement found = read_framing(scan, head.fields, claimed)) return found;
  if (scan.underscored) {
    // Only a CGI-like origin confuses "_" and "-"; clients do not.
    for (Field& field : head.fields) field.underscored = false;
  }
  head.framing = {};
  head.keep_alive = head.minor == 1 && !options.close;
  if (head.status == 101) {
    if (!upgrade_asked) return bad("101 that nobody asked for");
    if (!options.upgrade || !names_websocket_only(scan, head.fields)) {
      return bad("101 without its Upgrade");
    }
    head.keep_alive = false;
  }
  if (!is_bodiless(head.status, to)) {
    head.framing = claimed;
    if (claimed.body == BodyKind::none) {
      head.framing.body = BodyKind::until_close;
      head.keep_alive = false;
    }
    return {};
  }
  if (head.status < 200 || head.status == 204 || head.status == 205) {
    // A length would be a lie here, and after it the connection cannot be trusted.
    mark_hop_by_hop(FieldId::content_length, head.fields);
    const bool claims_body = claimed.body == BodyKind::chunked || claimed.length > 0;
    const bool may_have_body = head.status == 205 && claimed.body == BodyKind::none;
    if (claims_body || may_have_body) head.keep_alive = false;
  }
  return {};
}

}  // namespace http
