// Keyed hashes and random bytes, over OpenSSL. A Mac is keyed once and used by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace base {

using Key = std::array<uint8_t, 32>;

// HMAC-SHA256, truncated to 128 bits, with the key schedule done once.
class Mac {
 public:
  explicit Mac(const Key& key);
  ~Mac();
  Mac(Mac&&) noexcept;
  Mac& operator=(Mac&&) noexcept;
  std::array<uint8_t, 16> sign(std::string_view message);
  bool verify(std::string_view message, std::span<const uint8_t> tag);  // in constant time

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// SipHash-2-4 with 64 bits out: for draws and tables that outsiders must not steer.
uint64_t sip_hash(const std::array<uint8_t, 16>& key, std::string_view message);

// SHA-256 in 64 hex digits, as sha256sum prints it: fingerprints of files and of long random keys.
std::string sha256_hex(std::string_view bytes);

void random_bytes(std::span<uint8_t> out);
bool equal_in_constant_time(std::string_view a, std::string_view b);

// One key a line, 64 hex digits; the first signs, the rest are accepted. A missing file is created
// with a new key, mode 0600, its folder 0750. bad_config names the faulty line.
Result<std::vector<Key>> read_or_create_keys(const std::string& path);

}  // namespace base
