#include "proxy/relay/proxy_protocol.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace relay {
namespace {

using State = ProxyHeader::State;
using namespace std::string_view_literals;

constexpr std::string_view kV1Start = "PROXY "sv;
constexpr std::string_view kV2Start = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr size_t kV2Fixed = 16;
constexpr size_t kV4Addresses = 12;  // two addresses, two ports
constexpr size_t kV6Addresses = 36;

ProxyHeader fault() { return {State::faulty, 0, std::nullopt}; }
ProxyHeader complete(size_t bytes, std::optional<base::Address> client) {
  return {State::complete, bytes, client};
}

// What is here so far agrees with `start`.
bool may_become(std::string_view bytes, std::string_view start) {
  const size_t count = std::min(bytes.size(), start.size());
  return bytes.substr(0, count) == start.substr(0, count);
}

// The next word; `rest` then begins behind the one space that ends it.
std::string_view take_word(std::string_view& rest) {
  const size_t space = rest.find(' ');
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
  return word;
}

std::optional<uint16_t> read_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > 65'535) return std::nullopt;
  return static_cast<uint16_t>(value);
}

std::optional<base::Address> read_address(std::string_view ip, std::string_view port, bool is_v6) {
  const std::optional<uint16_t> number = read_port(port);
  if (!number || (ip.find(':') != std::string_view::npos) != is_v6) return std::nullopt;
  const std::string text = is_v6 ? "[" + std::string(ip) + "]:1" : std::string(ip) + ":1";
  base::Result<base::Address> address = base::parse_address(text);
  if (!address) return std::nullopt;
  address->port = *number;
  return *address;
}

// PROXY TCP4 source destination port port
ProxyHeader read_v1(std::string_view bytes) {
  const size_t end = bytes.substr(0, kProxyV1BytesMax).find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() < kProxyV1BytesMax ? ProxyHeader{} : fault();
  }
  if (end <= kV1Start.size() || bytes[end - 1] != '\r') return fault();
  std::string_view rest = bytes.substr(kV1Start.size(), end - 1 - kV1Start.size());
  const std::string_view family = take_word(rest);
  if (family == "UNKNOWN") return complete(end + 1, std::nullopt);  // what follows does not matter
  const bool is_v6 = family == "TCP6";
  if (!is_v6 && family != "TCP4") return fault();
  const std::string_view source = take_word(rest);
  const std::string_view destination = take_word(rest);
  const std::string_view source_port = take_word(rest);
  const auto client = read_address(source, source_port, is_v6);
  if (!client || !read_address(destination, rest, is_v6)) return fault();
  return complete(end + 1, client);
}

uint16_t number_at(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

base::Address v2_client(std::string_view addresses, bool is_v6) {
  base::Address client;
  const size_t size = is_v6 ? 16 : 4;
  if (!is_v6) client.ip[10] = client.ip[11] = 0xff;
  for (size_t i = 0; i < size; ++i) {
    client.ip[client.ip.size() - size + i] = static_cast<uint8_t>(addresses[i]);
  }
  client.port = number_at(addresses, 2 * size);
  return client;
}

ProxyHeader read_v2(std::string_view bytes) {
  // The fixed bytes are judged as they come: who sends something else is told so at once.
  const size_t fixed = kV2Start.size();
  if (bytes.size() <= fixed) return {};
  const auto command = static_cast<uint8_t>(bytes[fixed]);
  constexpr uint8_t kLocal = 0x20;
  constexpr uint8_t kProxy = 0x21;
  if (command != kLocal && command != kProxy) return fault();
  if (bytes.size() <= fixed + 1) return {};
  const auto family = static_cast<uint8_t>(bytes[fixed + 1]);
  constexpr uint8_t kUnspecified = 0x00;
  constexpr uint8_t kTcp4 = 0x11;
  constexpr uint8_t kTcp6 = 0x21;
  const bool is_tcp = family == kTcp4 || family == kTcp6;
  if (command == kProxy && !is_tcp && family != kUnspecified) return fault();
  if (bytes.size() < kV2Fixed) return {};
  const size_t length = number_at(bytes, fixed + 2);
  if (kV2Fixed + length > kProxyV2BytesMax) return fault();
  const bool names_client = command == kProxy && is_tcp;
  if (names_client && length < (family == kTcp6 ? kV6Addresses : kV4Addresses)) return fault();
  if (bytes.size() < kV2Fixed + length) return {};
  if (!names_client) return complete(kV2Fixed + length, std::nullopt);
  return complete(kV2Fixed + length, v2_client(bytes.substr(kV2Fixed, length), family == kTcp6));
}

}  // namespace

ProxyHeader read_proxy_header(std::string_view bytes) {
  if (may_become(bytes, kV2Start)) return read_v2(bytes);
  if (may_become(bytes, kV1Start)) return read_v1(bytes);
  return fault();
}

}  // namespace relay
