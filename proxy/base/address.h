// A resolved network address: IPv4 or IPv6 and a port. A value; compares and prints.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace base {

struct Address {
  std::array<uint8_t, 16> ip{};  // IPv4 as ::ffff:a.b.c.d
  uint16_t port = 0;

  auto operator<=>(const Address&) const = default;
  bool is_v4() const;
  std::string host() const;  // "127.0.0.1", "::1"
  std::string text() const;  // "127.0.0.1:8069", "[::1]:8069"
};

// A literal address with port, "127.0.0.1:80" or "[::1]:80". Names are refused: see resolver.h.
Result<Address> parse_address(std::string_view text);

// Splits "name:port", "1.2.3.4:port" or "[v6]:port" without resolving.
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);

// A block of addresses, "10.0.0.0/8" or "::1/128"; a bare address is a block of one.
struct Cidr {
  std::array<uint8_t, 16> ip{};
  int bits = 128;
  bool contains(const Address& address) const;
};
Result<Cidr> parse_cidr(std::string_view text);

}  // namespace base
