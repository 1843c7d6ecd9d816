#include "proxy/base/mac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "proxy/base/check.h"
#include "proxy/base/files.h"

namespace base {
namespace {

constexpr size_t kKeysFileMax = 64 << 10;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool read_key(std::string_view line, Key& key) {
  if (line.size() != key.size() * 2) return false;
  for (size_t i = 0; i < key.size(); ++i) {
    const int high = hex_value(line[2 * i]);
    const int low = hex_value(line[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

Result<std::vector<Key>> create_keys(const std::string& path) {
  if (Result<> made = make_folder_of(path); !made) return fail(made.error());
  Key key;
  random_bytes(key);
  std::string text;
  for (uint8_t byte : key) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  text += '\n';
  const Result<> written = write_file_durably(path, text, 0600, false);
  OPENSSL_cleanse(text.data(), text.size());
  if (!written) return fail(written.error());
  return std::vector<Key>{key};
}

uint64_t rotate_left(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

struct SipState {
  uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = rotate_left(v1, 13) ^ v0;
    v0 = rotate_left(v0, 32);
    v2 += v3;
    v3 = rotate_left(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotate_left(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotate_left(v1, 17) ^ v2;
    v2 = rotate_left(v2, 32);
  }
};

static_assert(std::endian::native == std::endian::little, "words are read as they lie in memory");

uint64_t little_endian(const void* at, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) {
    value |= static_cast<uint64_t>(static_cast<const uint8_t*>(at)[i]) << (8 * i);
  }
  return value;
}

}  // namespace

struct Mac::Parts {
  EVP_MAC* algorithm = nullptr;
  EVP_MAC_CTX* context = nullptr;
  ~Parts() {
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(algorithm);
  }
};

Mac::Mac(const Key& key) : parts_(std::make_unique<Parts>()) {
  parts_->algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  CHECK(parts_->algorithm != nullptr);
  parts_->context = EVP_MAC_CTX_new(parts_->algorithm);
  CHECK(parts_->context != nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  CHECK(EVP_MAC_init(parts_->context, key.data(), key.size(), parameters) == 1);
}

Mac::~Mac() = default;
Mac::Mac(Mac&&) noexcept = default;
Mac& Mac::operator=(Mac&&) noexcept = default;

std::array<uint8_t, 16> Mac::sign(std::string_view message) {
  std::array<uint8_t, 32> whole;
  size_t size = 0;
  // Without a key: starts anew with the schedule of the first one.
  CHECK(EVP_MAC_init(parts_->context, nullptr, 0, nullptr) == 1);
  CHECK(EVP_MAC_update(parts_->context, reinterpret_cast<const uint8_t*>(message.data()),
                       message.size()) == 1);
  CHECK(EVP_MAC_final(parts_->context, whole.data(), &size, whole.size()) == 1);
  std::array<uint8_t, 16> tag;
  std::memcpy(tag.data(), whole.data(), tag.size());
  return tag;
}

bool Mac::verify(std::string_view message, std::span<const uint8_t> tag) {
  const std::array<uint8_t, 16> right = sign(message);
  return tag.size() == right.size() && CRYPTO_memcmp(tag.data(), right.data(), right.size()) == 0;
}

uint64_t sip_hash(const std::array<uint8_t, 16>& key, std::string_view message) {
  const uint64_t k0 = little_endian(key.data(), 8);
  const uint64_t k1 = little_endian(key.data() + 8, 8);
  SipState state{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
                 k1 ^ 0x7465646279746573};
  const size_t whole = message.size() / 8 * 8;
  for (size_t i = 0; i < whole; i += 8) {
    uint64_t word;
    std::memcpy(&word, message.data() + i, sizeof word);
    state.v3 ^= word;
    state.round();
    state.round();
    state.v0 ^= word;
  }
  const uint64_t last = static_cast<uint64_t>(message.size() & 0xff) << 56 |
                        little_endian(message.data() + whole, message.size() - whole);
  state.v3 ^= last;
  state.round();
  state.round();
  state.v0 ^= last;
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<uint8_t, 32> digest;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
  std::string text;
  for (const uint8_t byte : digest) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 0xf];
  }
  return text;
}

void random_bytes(std::span<uint8_t> out) {
  CHECK(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<std::vector<Key>> read_or_create_keys(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return create_keys(path);
  Result<std::string> text = read_file(path, kKeysFileMax);
  if (!text) return fail(text.error());
  std::vector<Key> keys;
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    Key key;
    if (!read_key(line, key)) {
      return fail(ErrorCode::bad_config, Side::proxy,
                  path + ":" + std::to_string(number) + ": a key is 64 hex digits");
    }
    keys.push_back(key);
  }
  OPENSSL_cleanse(text->data(), text->size());
  if (keys.empty()) return fail(ErrorCode::bad_config, Side::proxy, path + ": holds no key");
  return keys;
}

}  // namespace base
