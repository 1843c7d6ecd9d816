#include "proxy/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace base {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kV4PrefixBits = 96;

bool has_v4_prefix(const std::array<uint8_t, 16>& ip) {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), ip.begin());
}

// A decimal number without sign, blank or leading text, at most `most`.
bool parse_number(std::string_view text, int most, int& number) {
  if (text.empty() || text.size() > 5) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && text[0] != '-' &&
         number <= most;
}

bool parse_ip(std::string_view text, std::array<uint8_t, 16>& ip) {
  char name[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof name) return false;
  if (text.find('\0') != std::string_view::npos) return false;
  std::memcpy(name, text.data(), text.size());
  name[text.size()] = 0;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), ip.begin());
  if (inet_pton(AF_INET, name, ip.data() + kV4Prefix.size()) == 1) return true;
  return inet_pton(AF_INET6, name, ip.data()) == 1;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

tl::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(ErrorCode::bad_input, Side::proxy,
              "\"" + std::string(text.substr(0, 100)) + "\": " + std::string(why));
}

}  // namespace

bool Address::is_v4() const { return has_v4_prefix(ip); }

// Every request asks for it: IPv4 without the C library's printf.
std::string Address::host() const {
  char name[INET6_ADDRSTRLEN];
  if (!is_v4()) return inet_ntop(AF_INET6, ip.data(), name, sizeof name);
  char* end = name;
  for (size_t i = kV4Prefix.size(); i < ip.size(); ++i) {
    if (end != name) *end++ = '.';
    end = std::to_chars(end, name + sizeof name, ip[i]).ptr;
  }
  return {name, end};
}

std::string Address::text() const {
  return (is_v4() ? host() : "[" + host() + "]") + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "no port; expected HOST:PORT");
  std::string_view host = text.substr(0, colon);
  int port = 0;
  if (!parse_number(text.substr(colon + 1), 65535, port)) {
    return bad(text, "the port is not a number from 0 to 65535");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    std::array<uint8_t, 16> ip;
    if (host.find(':') == std::string_view::npos || !parse_ip(host, ip)) {
      return bad(text, "not an IPv6 address in the brackets");
    }
  } else if (host.empty() || host.size() > 253 ||
             !std::all_of(host.begin(), host.end(), is_host_character)) {
    return bad(text, "not a host name or address; IPv6 addresses stand in brackets");
  }
  return HostPort{std::string(host), static_cast<uint16_t>(port)};
}

Result<Address> parse_address(std::string_view text) {
  const Result<HostPort> parts = parse_host_port(text);
  if (!parts) return fail(parts.error());
  Address address;
  address.port = parts->port;
  if (!parse_ip(parts->host, address.ip)) return bad(text, "not an IP address");
  return address;
}

bool Cidr::contains(const Address& address) const {
  // ::/0 is about IPv6: the families are told apart even though they are stored alike.
  const bool block_is_v4 = bits >= kV4PrefixBits && has_v4_prefix(ip);
  if (block_is_v4 != address.is_v4()) return false;
  const size_t whole = static_cast<size_t>(bits) / 8;
  if (!std::equal(ip.begin(), ip.begin() + whole, address.ip.begin())) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const int mask = (0xff << (8 - rest)) & 0xff;
  return ((ip[whole] ^ address.ip[whole]) & mask) == 0;
}

Result<Cidr> parse_cidr(std::string_view text) {
  Cidr cidr;
  const size_t slash = text.find('/');
  if (!parse_ip(text.substr(0, slash), cidr.ip)) return bad(text, "not an IP address");
  if (slash == std::string_view::npos) return cidr;
  const bool v4 = text.find(':') == std::string_view::npos;
  if (!parse_number(text.substr(slash + 1), v4 ? 32 : 128, cidr.bits)) {
    return bad(text, v4 ? "the prefix is not a number from 0 to 32"
                        : "the prefix is not a number from 0 to 128");
  }
  if (v4) cidr.bits += kV4PrefixBits;
  return cidr;
}

}  // namespace base
