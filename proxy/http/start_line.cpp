#include "proxy/http/start_line.h"

#include <arpa/inet.h>

#include <cstring>

#include "proxy/http/bytes.h"

namespace http {
namespace {

using enum base::ErrorCode;

constexpr size_t kHostBytesMax = 255;

Fault bad(const char* what) { return {bad_message, what}; }

// "HTTP/" DIGIT "." DIGIT, exactly (RFC 9112 2.3).
bool is_version(std::string_view text) {
  return text.size() == kVersionBytes && text.substr(0, 5) == "HTTP/" && is_digit(text[5]) &&
         text[6] == '.' && is_digit(text[7]);
}

bool is_spoken(std::string_view version) {
  return version[5] == '1' && (version[7] == '0' || version[7] == '1');
}

std::optional<Method> method_of(std::string_view text) {
  switch (text.size()) {
    case 3:
      if (text == "GET") return Method::get;
      if (text == "PUT") return Method::put;
      break;
    case 4:
      if (text == "POST") return Method::post;
      if (text == "HEAD") return Method::head;
      break;
    case 5:
      if (text == "PATCH") return Method::patch;
      break;
    case 6:
      if (text == "DELETE") return Method::delete_;
      break;
    case 7:
      if (text == "OPTIONS") return Method::options;
      break;
    default:
      break;
  }
  return std::nullopt;
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  unsigned value = 0;
  for (const char byte : text) {
    if (!is_digit(byte)) return false;
    value = value * 10 + static_cast<unsigned>(byte - '0');
  }
  return value <= 65535;
}

bool is_ipv6(std::string_view text) {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy) return false;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  in6_addr address;
  return inet_pton(AF_INET6, copy, &address) == 1;
}

// Path and query, from the first "/" on.
bool is_origin_form(std::string_view target) {
  return !target.empty() && target.front() == '/' && all_are(kTargetByte, target);
}

// Cuts an absolute-form target into authority and origin-form (RFC 9112 3.2.2).
Judgement read_absolute_form(std::string_view target, StartLine& result) {
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return bad("target in no known form");
  const std::string_view name = target.substr(0, scheme);
  if (!equal_ignoring_case(name, "http") && !equal_ignoring_case(name, "https")) {
    return bad("target with a scheme other than http and https");
  }
  const std::string_view rest = target.substr(scheme + 3);
  const size_t path = std::min(rest.find_first_of("/?"), rest.size());
  result.authority = rest.substr(0, path);
  if (!is_authority(result.authority)) return bad("target with a bad authority");
  if (path == rest.size()) {
    result.target = result.method == Method::options ? "*" : "/";
    return {};
  }
  // "http://host?query" would have to be written with a "/" in between; nobody sends it.
  if (!is_origin_form(rest.substr(path))) return bad("target with a bad path");
  result.target = rest.substr(path);
  return {};
}

Judgement read_target(std::string_view target, StartLine& result) {
  result.received_target = target;
  if (is_origin_form(target)) {
    result.target = target;
    return {};
  }
  if (target.empty()) return bad("two spaces in the request line");
  if (target.front() == '/') return bad("byte in the target that a URI cannot have");
  if (target == "*") {
    if (result.method != Method::options) return bad("target * without OPTIONS");
    result.target = target;
    return {};
  }
  return read_absolute_form(target, result);
}

}  // namespace

Judgement read_request_line(std::string_view line, StartLine& result) {
  result.authority = {};
  const size_t space = line.find(' ');
  const std::string_view method = line.substr(0, space);
  if (method.empty() || !all_are(kTokenByte, method)) return bad("method that is no token");
  if (space == std::string_view::npos) return bad("request line without a target");
  if (line.size() < space + 2 + kVersionBytes) return bad("request line without a version");
  const size_t version_at = line.size() - kVersionBytes;
  const std::string_view version = line.substr(version_at);
  if (!is_version(version) || line[version_at - 1] != ' ') return bad("malformed version");
  const std::string_view target = line.substr(space + 1, version_at - space - 2);
  if (target.find(' ') != std::string_view::npos) return bad("space in the target");
  if (method == "PRI") return bad("preface of HTTP/2");
  if (!is_spoken(version)) return Fault{bad_version, "neither HTTP/1.0 nor HTTP/1.1"};
  result.minor = version[7] - '0';
  const std::optional<Method> known = method_of(method);
  if (!known) {
    const bool served_nowhere = method == "CONNECT" || method == "TRACE";
    return Fault{served_nowhere ? method_refused : bad_method, "method outside the list"};
  }
  result.method = *known;
  return read_target(target, result);
}

Judgement judge_request_line_length(std::string_view begun, size_t target_bytes_max) {
  const size_t space = begun.substr(0, kMethodBytesMax + 1).find(' ');
  if (space == std::string_view::npos) {
    if (begun.size() <= kMethodBytesMax) return {};
    if (!all_are(kTokenByte, begun.substr(0, kMethodBytesMax + 1))) {
      return bad("method that is no token");
    }
    return Fault{bad_method, "method too long"};
  }
  const std::string_view behind = begun.substr(space + 1);
  if (behind.size() <= std::min(target_bytes_max, kVersionBytes)) return {};
  const size_t end = behind.substr(0, target_bytes_max + 1).find(' ');
  if (end == std::string_view::npos) {
    if (behind.size() <= target_bytes_max) return {};
    return Fault{target_too_long, "target too long"};
  }
  if (behind.size() - end - 1 > kVersionBytes) return bad("malformed version");
  return {};
}

Judgement read_status_line(std::string_view line, StartLine& result) {
  const std::string_view version = line.substr(0, kVersionBytes);
  if (!is_version(version)) return bad("no HTTP version in the status line");
  if (!is_spoken(version)) return bad("neither HTTP/1.0 nor HTTP/1.1");
  result.minor = version[7] - '0';
  const std::string_view rest = line.substr(kVersionBytes);
  // " " 3DIGIT [ " " reason ]; many leave out the second space (RFC 9112 4).
  if (rest.size() < 4 || rest[0] != ' ' || !is_digit(rest[1]) || !is_digit(rest[2]) ||
      !is_digit(rest[3]) || (rest.size() > 4 && rest[4] != ' ')) {
    return bad("malformed status");
  }
  result.status = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
  if (result.status < 100 || result.status > 599) return bad("status outside 100 to 599");
  return {};
}

bool is_authority(std::string_view text) {
  if (text.empty()) return false;
  size_t host = 0;  // its length
  if (text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6(text.substr(1, close - 1))) return false;
    host = close + 1;
  } else {
    while (host < text.size() && is(kHostByte, text[host])) ++host;
    if (host == 0 || host > kHostBytesMax) return false;
  }
  const std::string_view port = text.substr(host);
  return port.empty() || (port.front() == ':' && is_port(port.substr(1)));
}

}  // namespace http
