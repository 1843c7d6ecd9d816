#include "proxy/relay/forward_headers.h"

#include <algorithm>
#include <charconv>

#include "proxy/routing/affinity.h"

namespace relay {
namespace {

using http::Field;
using http::FieldId;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The last element of a comma-separated list.
std::string_view last_element(std::string_view list) {
  const size_t comma = list.rfind(',');
  return trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
}

std::string_view last_value(const http::RequestHead& head, FieldId id) {
  std::string_view value;
  for (const Field& field : head.fields) {
    if (field.id == id && !field.underscored) value = field.value;
  }
  return last_element(value);
}

// Fields that we write ourselves or that are for us alone.
bool is_ours(FieldId id) {
  switch (id) {
    case FieldId::host:
    case FieldId::content_length:
    case FieldId::transfer_encoding:
    case FieldId::expect:
    case FieldId::via:
    case FieldId::forwarded:
    case FieldId::x_forwarded_for:
    case FieldId::x_forwarded_host:
    case FieldId::x_forwarded_proto:
    case FieldId::x_forwarded_port:
    case FieldId::x_forwarded_server:
    case FieldId::x_real_ip:
    case FieldId::x_request_id:
    case FieldId::x_sidecar_color:
      return true;
    default:
      return false;
  }
}

// X-Forwarded-* of any name: nobody but a trusted front may say such things.
bool speaks_for_a_front(std::string_view name) {
  constexpr std::string_view kPrefix = "x-forwarded-";
  return name.size() > kPrefix.size() &&
         http::equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

// Does a Via value name this intermediary: 1*( protocol SP received-by [ SP comment ] )?
bool names(std::string_view via, std::string_view instance) {
  for (;;) {
    const size_t comma = via.find(',');
    std::string_view one = trim(via.substr(0, comma));
    one = trim(one.substr(std::min(one.find_first_of(" \t"), one.size())));
    if (one.substr(0, one.find_first_of(" \t")) == instance) return true;
    if (comma == std::string_view::npos) return false;
    via.remove_prefix(comma + 1);
  }
}

// All values of a list field, joined by ", " (RFC 9110 5.3). Writes nothing without one.
bool write_joined(const http::RequestHead& head, FieldId id, std::string_view name,
                  std::string& out) {
  bool begun = false;
  for (const Field& field : head.fields) {
    if (field.id != id || field.underscored || field.value.empty()) continue;
    if (begun) {
      out += ", ";
    } else {
      out += name;
      out += ": ";
      begun = true;
    }
    out += field.value;
  }
  if (begun) out += "\r\n";
  return begun;
}

void write_forwarded(const http::RequestHead& head, const ClientFacts& client, std::string& out) {
  // Odoo believes exactly one hop: with a trusted front the sidecar adds none of its own.
  const bool kept =
      client.trusted && write_joined(head, FieldId::x_forwarded_for, "X-Forwarded-For", out);
  if (!kept) http::write_field("X-Forwarded-For", client.peer.host(), out);
  const std::string_view host =
      client.trusted ? last_value(head, FieldId::x_forwarded_host) : std::string_view();
  http::write_field("X-Forwarded-Host", host.empty() ? head.host : host, out);
  http::write_field("X-Forwarded-Proto", is_https(head, client) ? "https" : "http", out);
  const std::string_view real =
      client.trusted ? last_value(head, FieldId::x_real_ip) : std::string_view();
  if (real.empty()) {
    http::write_field("X-Real-IP", client_address(head, client).host(), out);
  } else {
    http::write_field("X-Real-IP", real, out);
  }
  if (!client.trusted) return;
  write_joined(head, FieldId::x_forwarded_port, "X-Forwarded-Port", out);
  write_joined(head, FieldId::x_forwarded_server, "X-Forwarded-Server", out);
}

void write_via(const http::RequestHead& head, std::string_view instance, std::string& out) {
  out += "Via: ";
  for (const Field& field : head.fields) {
    if (field.id != FieldId::via || field.value.empty()) continue;
    out += field.value;
    out += ", ";
  }
  out += head.minor == 0 ? "1.0 " : "1.1 ";
  out += instance;
  out += "\r\n";
}

// The field without any cookie of that name; nothing if no other is left.
void write_other_cookies(const Field& field, std::string_view without, std::string& out) {
  const size_t before = out.size();
  out.append(field.name).append(": ");
  const size_t start = out.size();
  std::string_view rest = field.value;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (routing::find_cookie(pair, without)) continue;
    if (out.size() > start) out += ';';
    out +=
        out.size() > start ? pair : pair.substr(std::min(pair.find_first_not_of(' '), pair.size()));
  }
  out += "\r\n";
  if (out.size() == start + 2) out.resize(before);
}

}  // namespace

base::Address client_address(const http::RequestHead& head, const ClientFacts& client) {
  if (!client.trusted) return client.peer;
  const std::string_view last = last_value(head, FieldId::x_forwarded_for);
  if (last.empty()) return client.peer;
  // A bare address is a block of one.
  auto address = base::parse_cidr(last);
  if (!address || address->bits != 128) return client.peer;
  return base::Address{address->ip, 0};
}

bool is_https(const http::RequestHead& head, const ClientFacts& client) {
  if (!client.trusted) return client.tls;
  const std::string_view proto = last_value(head, FieldId::x_forwarded_proto);
  if (proto.empty()) return client.tls;
  return http::equal_ignoring_case(proto, "https") || http::equal_ignoring_case(proto, "wss");
}

bool has_looped(const http::RequestHead& head, std::string_view instance) {
  for (const Field& field : head.fields) {
    if (field.id == FieldId::via && names(field.value, instance)) return true;
  }
  return false;
}

int max_forwards(const http::RequestHead& head) {
  if (head.method != http::Method::options) return -1;
  const Field* field = head.find(FieldId::max_forwards);
  if (field == nullptr) return -1;
  int hops = -1;
  const char* const end = field->value.data() + field->value.size();
  const auto [at, error] = std::from_chars(field->value.data(), end, hops);
  return error == std::errc() && at == end && hops >= 0 ? hops : -1;
}

int write_request_head(const http::RequestHead& head, const ClientFacts& client,
                       std::string_view request_id, const routing::Force& force, std::string& out) {
  http::write_request_line(head.method, head.target, out);
  http::write_field("Host", head.host, out);
  int underscored = 0;
  for (const Field& field : head.fields) {
    if (field.underscored) {
      ++underscored;
      continue;
    }
    if (field.hop_by_hop || is_ours(field.id)) continue;
    if (field.name.size() == force.name.size() &&
        http::equal_ignoring_case(field.name, force.name)) {
      continue;
    }
    if (field.id == FieldId::cookie && !force.tokens.empty() &&
        routing::find_cookie(field.value, force.name)) {
      write_other_cookies(field, force.name, out);
      continue;
    }
    if (!client.trusted && speaks_for_a_front(field.name)) continue;
    if (field.id == FieldId::max_forwards && head.method == http::Method::options) continue;
    http::write_field(field.name, field.value, out);
  }
  if (const int hops = max_forwards(head); hops > 0) {
    http::write_field("Max-Forwards", static_cast<uint64_t>(hops) - 1, out);
  }
  write_forwarded(head, client, out);
  http::write_field("X-Request-Id", request_id, out);
  write_via(head, client.instance, out);
  return underscored;
}

void write_request_end(const RequestEnd& end, std::string& out) {
  if (end.body == http::BodyKind::length) http::write_field("Content-Length", end.length, out);
  if (end.body == http::BodyKind::chunked) out += "Transfer-Encoding: chunked\r\n";
  if (end.websocket) {
    out += "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  } else if (end.keep_alive) {
    out += "\r\n";
  } else {
    out += "Connection: close\r\n\r\n";
  }
}

void write_answer_fields(const http::ResponseHead& head, const AnswerFacts& facts,
                         std::string& out) {
  http::write_status_line(head.status, 1, out);
  bool date = false;
  bool cache_control = false;
  for (const Field& field : head.fields) {
    if (field.hop_by_hop) continue;
    switch (field.id) {
      case FieldId::transfer_encoding:
      case FieldId::x_request_id:
        continue;
      case FieldId::content_length:
        if (!facts.keep_length_field) continue;
        break;
      case FieldId::date:
        if (date) continue;  // Odoo sends two on static files; the field is single (9110 6.6.1)
        date = true;
        break;
      case FieldId::cache_control:
        cache_control = true;
        break;
      default:
        break;
    }
    http::write_field(field.name, field.value, out);
  }
  if (facts.websocket) out += "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  if (!date) http::write_field("Date", facts.date, out);
  if (!facts.set_cookie.empty()) {
    http::write_field("Set-Cookie", facts.set_cookie, out);
    if (!cache_control) out += "Cache-Control: private\r\n";
  }
  http::write_field("X-Request-Id", facts.request_id, out);
}

void write_answer_end(http::BodyKind body, uint64_t length, bool close, std::string& out) {
  if (body == http::BodyKind::length) http::write_field("Content-Length", length, out);
  if (body == http::BodyKind::chunked) out += "Transfer-Encoding: chunked\r\n";
  if (close) out += "Connection: close\r\n";
  out += "\r\n";
}

void write_interim_head(const http::ResponseHead& head, std::string& out) {
  http::write_status_line(head.status, 1, out);
  for (const Field& field : head.fields) {
    if (field.hop_by_hop || field.id == FieldId::content_length ||
        field.id == FieldId::transfer_encoding) {
      continue;
    }
    http::write_field(field.name, field.value, out);
  }
  out += "\r\n";
}

bool may_carry_cookie(const http::ResponseHead& head) {
  if (head.status < 200 || head.status == 304) return false;
  for (const Field& field : head.fields) {
    if (field.id != FieldId::cache_control) continue;
    if (http::has_token(field.value, "public") || http::has_token(field.value, "immutable")) {
      return false;
    }
    // s-maxage has a value, so it is no bare token.
    for (size_t at = 0; at + 8 <= field.value.size(); ++at) {
      if (http::equal_ignoring_case(field.value.substr(at, 8), "s-maxage")) return false;
    }
  }
  return true;
}

}  // namespace relay
