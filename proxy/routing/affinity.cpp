#include "proxy/routing/affinity.h"

#include <array>
#include <span>

#include "proxy/base/check.h"

namespace routing {
namespace {

constexpr size_t kTextMax = 200;  // colors are at most 32 characters; all others have fixed room
constexpr size_t kMacCharacters = 22;
constexpr uint64_t kClockSkewMax_s = 86'400;
constexpr std::string_view kNoHome = "-";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<int8_t, 256> values_of(std::string_view alphabet) {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<uint8_t>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return values;
}
constexpr std::array<int8_t, 256> kHexValues = values_of(kHex);
constexpr std::array<int8_t, 256> kBase64UrlValues = values_of(kBase64Url);

void append_hex(uint64_t value, int digits_least, std::string& out) {
  std::array<char, 16> digits{};
  int count = 0;
  while (value != 0 || count < digits_least) {
    digits[static_cast<size_t>(count++)] = kHex[value & 15];
    value >>= 4;
  }
  while (count > 0) out.push_back(digits[static_cast<size_t>(--count)]);
}

// Only what append_hex writes: lower case, no zeros in front.
std::optional<uint64_t> parse_hex(std::string_view text, size_t digits_least) {
  if (text.size() < digits_least || text.empty() || text.size() > 16) return std::nullopt;
  if (text.size() > digits_least && text[0] == '0') return std::nullopt;
  uint64_t value = 0;
  for (char c : text) {
    const int digit = kHexValues[static_cast<uint8_t>(c)];
    if (digit < 0) return std::nullopt;
    value = value << 4 | static_cast<uint64_t>(digit);
  }
  return value;
}

void append_base64url(std::span<const uint8_t, 16> bytes, std::string& out) {
  uint32_t bits = 0;
  int held = 0;
  for (uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out.push_back(kBase64Url[bits >> held & 63]);
    }
  }
  out.push_back(kBase64Url[bits << (6 - held) & 63]);
}

// Only what append_base64url writes: the bits past the last byte are 0.
bool parse_base64url(std::string_view text, std::array<uint8_t, 16>& bytes) {
  if (text.size() != kMacCharacters) return false;
  uint32_t bits = 0;
  int held = 0;
  size_t count = 0;
  for (char c : text) {
    const int value = kBase64UrlValues[static_cast<uint8_t>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[count++] = static_cast<uint8_t>(bits >> held);
  }
  return (bits & ((1u << held) - 1)) == 0;
}

// Takes the part up to the next dot off `rest`; without a dot there is none.
std::optional<std::string_view> take_part(std::string_view& rest) {
  const size_t dot = rest.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, dot);
  rest.remove_prefix(dot + 1);
  return part;
}

struct Parts {
  std::string_view color;
  std::string_view home;
  std::string_view signed_text;
  std::array<uint8_t, 16> mac{};
  Affinity affinity;  // but colors
};

std::optional<Parts> split(std::string_view text) {
  if (text.size() > kTextMax) return std::nullopt;
  std::string_view rest = text;
  const auto format = take_part(rest);
  const auto color = take_part(rest);
  const auto nonce = take_part(rest);
  const auto issued = take_part(rest);
  const auto epoch = take_part(rest);
  const auto home = take_part(rest);
  if (!home || *format != "1" || color->empty() || home->empty()) return std::nullopt;
  Parts parts;
  if (!parse_base64url(rest, parts.mac)) return std::nullopt;
  const auto nonce_value = parse_hex(*nonce, 16);
  const auto issued_value = parse_hex(*issued, 1);
  const auto epoch_value = parse_hex(*epoch, 1);
  if (!nonce_value || !issued_value || !epoch_value) return std::nullopt;
  parts.color = *color;
  parts.home = *home;
  parts.signed_text = text.substr(0, text.size() - kMacCharacters - 1);
  parts.affinity.nonce = *nonce_value;
  parts.affinity.issued = *issued_value;
  parts.affinity.epoch = *epoch_value;
  return parts;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

AffinitySigner::AffinitySigner(const std::vector<base::Key>& keys) {
  CHECK(!keys.empty());
  macs_.reserve(keys.size());
  for (const base::Key& key : keys) macs_.emplace_back(key);
}

void AffinitySigner::write(const Affinity& affinity, const RoutingTable& table, std::string& out) {
  out.clear();
  out.append("1.").append(table.colors.at(affinity.color).name).push_back('.');
  append_hex(affinity.nonce, 16, out);
  out.push_back('.');
  append_hex(affinity.issued, 1, out);
  out.push_back('.');
  append_hex(affinity.epoch, 1, out);
  out.push_back('.');
  out.append(affinity.home == kNoColor ? kNoHome : table.colors.at(affinity.home).name);
  const std::array<uint8_t, 16> mac = macs_.front().sign(out);
  out.push_back('.');
  append_base64url(mac, out);
}

std::optional<Affinity> AffinitySigner::read(std::string_view text, const RoutingTable& table,
                                             uint64_t now_s) {
  std::optional<Parts> parts = split(text);
  if (!parts) return std::nullopt;
  bool is_ours = false;
  for (base::Mac& mac : macs_) {
    is_ours = mac.verify(parts->signed_text, parts->mac);
    if (is_ours) break;
  }
  if (!is_ours || parts->affinity.issued > now_s + kClockSkewMax_s) return std::nullopt;
  const auto color = table.color_named(parts->color);
  if (!color) return std::nullopt;
  parts->affinity.color = *color;
  // A home that the config no longer has is no reason to throw the user out of its color.
  if (parts->home != kNoHome) {
    parts->affinity.home = table.color_named(parts->home).value_or(kNoColor);
  }
  return parts->affinity;
}

void write_set_cookie(std::string_view name, std::string_view text, bool secure, std::string& out) {
  out.clear();
  out.append(name).append("=").append(text).append("; Path=/; HttpOnly; SameSite=Lax");
  if (secure) out.append("; Secure");
}

std::optional<std::string_view> find_cookie(std::string_view cookie_field, std::string_view name) {
  std::string_view rest = cookie_field;
  while (!rest.empty()) {
    const size_t end = rest.find(';');
    const std::string_view pair = trim(rest.substr(0, end));
    if (pair.size() > name.size() && pair[name.size()] == '=' && pair.starts_with(name)) {
      return trim(pair.substr(name.size() + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::optional<std::string_view> find_parameter(std::string_view query, std::string_view name) {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    if (pair.starts_with(name)) {
      if (pair.size() == name.size()) return pair.substr(name.size());
      if (pair[name.size()] == '=') return pair.substr(name.size() + 1);
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace routing
