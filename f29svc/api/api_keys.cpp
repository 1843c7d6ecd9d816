#include "f29svc/api/api_keys.h"

#include <array>
#include <cstdint>

#include "proxy/base/mac.h"

namespace f29 {

std::string user_of(std::string_view given, const std::vector<ApiKey>& keys) {
  const std::string digest = base::sha256_hex(given);
  std::string user;
  for (const ApiKey& key : keys) {
    // No early way out: every key is compared.
    if (base::equal_in_constant_time(digest, key.sha256)) user = key.name;
  }
  return user;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string new_api_key() {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
  static_assert(kDigits.size() == 64);
  std::array<uint8_t, 43> bytes;
  base::random_bytes(bytes);
  std::string key;
  for (const uint8_t byte : bytes) key += kDigits[byte & 63];
  return key;
}

}  // namespace f29
