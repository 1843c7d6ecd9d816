// Classes of bytes (RFC 9110 5.6.2, RFC 3986 3.3) and the two searches that reading a head spends
// its time in: many bytes at a step where SSE2 is there, one at a step elsewhere.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace http {

enum ByteClass : uint8_t {
  kTokenByte = 1,   // tchar
  kTargetByte = 2,  // of a path or a query; "[" and "]" too, because browsers send them
  kHostByte = 4,    // of a registered name or an IPv4 address
  kHexByte = 8,
  kTextByte = 16,  // of a field value: HTAB, SP, VCHAR, obs-text
};

namespace internal {

constexpr bool holds(std::string_view set, char byte) {
  return set.find(byte) != std::string_view::npos;
}

constexpr uint8_t class_of(int code) {
  const char byte = static_cast<char>(code);
  const bool digit = code >= '0' && code <= '9';
  const bool alnum = digit || (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
  const bool hex = digit || (code >= 'a' && code <= 'f') || (code >= 'A' && code <= 'F');
  const bool visible = code > 0x20 && code < 0x7f;
  int result = 0;
  if (alnum || (visible && holds("!#$%&'*+-.^_`|~", byte))) result |= kTokenByte;
  if (alnum || (visible && holds("-._~!$&'()*+,;=:@%/?[]", byte))) result |= kTargetByte;
  if (alnum || (visible && holds("-._~", byte))) result |= kHostByte;
  if (hex) result |= kHexByte;
  if (visible || code == ' ' || code == '\t' || code >= 0x80) result |= kTextByte;
  return static_cast<uint8_t>(result);
}

constexpr std::array<uint8_t, 256> all_classes() {
  std::array<uint8_t, 256> classes{};
  for (int code = 0; code < 256; ++code) classes[static_cast<size_t>(code)] = class_of(code);
  return classes;
}

}  // namespace internal

inline constexpr std::array<uint8_t, 256> kByteClasses = internal::all_classes();

inline bool is(ByteClass wanted, char byte) {
  return (kByteClasses[static_cast<uint8_t>(byte)] & wanted) != 0;
}
inline bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }
inline bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

// Are all bytes of that class? True for none.
inline bool all_are(ByteClass wanted, std::string_view bytes) {
  const auto class_at = [](const char* at) { return kByteClasses[static_cast<uint8_t>(*at)]; };
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  int all = wanted;
  for (; end - at >= 4; at += 4) {
    all &= class_at(at) & class_at(at + 1) & class_at(at + 2) & class_at(at + 3);
  }
  for (; at != end; ++at) all &= class_at(at);
  return all != 0;
}

// Without white space at both ends.
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// The first byte that may not stand in a field value (a control other than HTAB), or `end`.
inline const char* find_control(const char* at, const char* end) {
  while (at != end && is(kTextByte, *at)) ++at;
  return at;
}

// The control bytes of a text one after the other, HTAB among them. Takes 64 bytes at a step
// whatever lies between them, so the processor looks ahead while the last line is taken apart.
class ControlScan {
 public:
  ControlScan(const char* at, const char* end) : begin_(at), block_(at), end_(end) { load(); }

  // The next control byte, or `end`; then that is all.
  const char* next() {
    while (controls_ == 0) {
      if (end_ - block_ <= kBlock) return end_;
      block_ += kBlock;
      load();
    }
    const char* const found = block_ + __builtin_ctzll(controls_);
    controls_ &= controls_ - 1;
    return found;
  }
  // The same without HTAB.
  const char* next_fault() {
    const char* found = next();
    while (found != end_ && *found == '\t') found = next();
    return found;
  }

 private:
  static constexpr int kBlock = 64;

#if defined(__SSE2__)
  static uint64_t mask16(const char* at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, del)));
  }
  void load() {
    if (end_ - block_ < kBlock) return load_rest();
    controls_ = mask16(block_) | mask16(block_ + 16) << 16 | mask16(block_ + 32) << 32 |
                mask16(block_ + 48) << 48;
  }
#else
  void load() { load_rest(); }
#endif

  void load_rest() {
    controls_ = 0;
    const int left = static_cast<int>(std::min<ptrdiff_t>(end_ - block_, kBlock));
    int at = 0;
#if defined(__SSE2__)
    for (; at + 16 <= left; at += 16) controls_ |= mask16(block_ + at) << at;
    if (at == left) return;
    // The last bytes, fewer than 16: read together with those before them.
    if (left >= 16) {
      controls_ |= mask16(end_ - 16) << (left - 16);
      return;
    }
    if (block_ != begin_) {
      controls_ = mask16(end_ - 16) >> (16 - left);
      return;
    }
#endif
    for (; at < left; ++at) {
      const bool is_control = !is(kTextByte, block_[at]) || block_[at] == '\t';
      controls_ |= static_cast<uint64_t>(is_control) << at;
    }
  }

  const char* begin_;
  const char* block_;
  const char* end_;
  uint64_t controls_ = 0;  // of the block, a bit each, those not yet told
};

// Where a field name ends: the first byte that is no tchar, or `end`. `underscored` becomes true
// if a "_" was passed.
inline const char* find_name_end_slowly(const char* at, const char* end, bool& underscored) {
  for (; at != end && is(kTokenByte, *at); ++at) underscored |= *at == '_';
  return at;
}

inline const char* find_name_end(const char* at, const char* end, bool& underscored) {
#if defined(__SSE2__)
  // Steps over letters and "-" only; whatever else comes is left to the slow search.
  const __m128i to_lower = _mm_set1_epi8(0x20);
  const __m128i first = _mm_set1_epi8('a');
  const __m128i letters = _mm_set1_epi8(25);
  const __m128i dash = _mm_set1_epi8('-');
  for (; end - at >= 16; at += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i from_a = _mm_sub_epi8(_mm_or_si128(bytes, to_lower), first);
    const __m128i plain = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(from_a, letters), from_a),
                                       _mm_cmpeq_epi8(bytes, dash));
    const int mask = _mm_movemask_epi8(plain);
    if (mask != 0xffff) {
      at += __builtin_ctz(~static_cast<unsigned>(mask));
      break;
    }
  }
#endif
  if (at != end && *at == ':') return at;
  return find_name_end_slowly(at, end, underscored);
}

}  // namespace http
