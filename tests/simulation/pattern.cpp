#include "tests/simulation/pattern.h"

#include <algorithm>
#include <cstring>

#include "tests/simulation/random.h"

namespace simulation {
namespace {

constexpr size_t kPeriod = 65521;  // prime: no power of two lost or repeated fits

const char* table() {
  static const std::string bytes = [] {
    Random random(20260630);
    std::string made(2 * kPeriod, 0);
    for (size_t i = 0; i < kPeriod; ++i) made[i] = static_cast<char>(random.next() >> 32);
    std::memcpy(made.data() + kPeriod, made.data(), kPeriod);
    return made;
  }();
  return bytes.data();
}

size_t start_of(uint32_t id, Salt salt, uint64_t offset) {
  return static_cast<size_t>((uint64_t{id} * 7919 + static_cast<uint64_t>(salt) * 16381 + offset) %
                             kPeriod);
}

}  // namespace

void append_pattern(uint32_t id, Salt salt, uint64_t offset, size_t size, std::string& out) {
  while (size > 0) {
    const size_t piece = std::min(size, kPeriod);
    out.append(table() + start_of(id, salt, offset), piece);
    offset += piece;
    size -= piece;
  }
}

size_t find_wrong(uint32_t id, Salt salt, uint64_t offset, std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t piece = std::min(bytes.size() - at, kPeriod);
    const char* expected = table() + start_of(id, salt, offset + at);
    if (std::memcmp(expected, bytes.data() + at, piece) != 0) {
      return at +
             static_cast<size_t>(
                 std::mismatch(expected, expected + piece, bytes.data() + at).first - expected);
    }
    at += piece;
  }
  return std::string_view::npos;
}

}  // namespace simulation
