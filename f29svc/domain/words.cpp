#include "f29svc/domain/words.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace f29 {
namespace {

// Windows-1252, 0x80 to 0x9F; unassigned bytes are U+FFFD.
constexpr std::array<uint16_t, 32> kUpper = {
    0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};

void append_utf8(uint32_t point, std::string& into) {
  if (point < 0x80) {
    into += static_cast<char>(point);
  } else if (point < 0x800) {
    into += static_cast<char>(0xC0 | (point >> 6));
    into += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    into += static_cast<char>(0xE0 | (point >> 12));
    into += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    into += static_cast<char>(0x80 | (point & 0x3F));
  }
}

// Length of the valid UTF-8 sequence at the start, 0: none.
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  auto follows = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if ((first & 0xF0) == 0xE0) {
    if (!follows(1) || !follows(2)) return 0;
    bool is_long = first == 0xE0 && byte(1) < 0xA0;
    bool is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return is_long || is_surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    bool is_long = first == 0xF0 && byte(1) < 0x90;
    bool is_beyond = first == 0xF4 && byte(1) >= 0x90;
    return is_long || is_beyond ? 0 : 4;
  }
  return 0;
}

// Printable ASCII only; eight bytes at a time.
bool is_plain(std::string_view text) {
  constexpr uint64_t kOnes = ~uint64_t{0} / 255;
  constexpr uint64_t kHighs = kOnes * 128;
  uint64_t odd = 0;
  while (text.size() >= 8) {
    uint64_t eight;
    std::memcpy(&eight, text.data(), 8);
    uint64_t deleted = eight ^ (kOnes * 0x7F);
    odd |= eight | (eight - kOnes * 0x20) | (deleted - kOnes);
    text.remove_prefix(8);
  }
  if ((odd & kHighs) != 0) return false;
  for (char c : text) {
    if (static_cast<signed char>(c) < 0x20 || c == 0x7F) return false;
  }
  return true;
}

bool is_control(unsigned char c) { return c < 0x20 || c == 0x7F; }

// Letters of Latin-1 without their accents; 0 for anything else.
char without_accent(uint32_t point) {
  constexpr std::string_view kPlain =
      "aaaaaaaceeeeiiiidnooooo ouuuuypsaaaaaaaceeeeiiiidnooooo ouuuuypy";
  if (point < 0xC0 || point > 0xFF) return 0;
  char plain = kPlain[point - 0xC0];
  return plain == ' ' ? '\0' : plain;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view trim_more(std::string_view text) {
  auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

void to_clean_utf8(std::string_view text, std::string& into) {
  text = trimmed(text);
  if (is_plain(text)) {
    into.assign(text);
    return;
  }
  into.clear();
  bool utf8 = is_utf8(text);
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (is_control(byte)) {
      into += ' ';
    } else if (utf8 || byte < 0x80) {
      into += c;
    } else {
      append_utf8(byte < 0xA0 ? kUpper[byte - 0x80] : byte, into);
    }
  }
}

std::string plain_words(std::string_view text) {
  std::string clean;
  to_clean_utf8(text, clean);
  std::string words;
  bool gap = false;
  for (size_t i = 0; i < clean.size();) {
    auto byte = static_cast<unsigned char>(clean[i]);
    char plain = 0;
    size_t length = 1;
    if (byte < 0x80) {
      bool is_upper = byte >= 'A' && byte <= 'Z';
      bool is_word = is_upper || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
      if (is_word) plain = static_cast<char>(is_upper ? byte + 32 : byte);
    } else {
      length = sequence_length(std::string_view(clean).substr(i));
      if (length == 2) {
        plain = without_accent((byte & 0x1Fu) << 6 |
                               (static_cast<unsigned char>(clean[i + 1]) & 0x3Fu));
      }
      if (length == 0) length = 1;
    }
    if (plain != 0) {
      if (gap && !words.empty()) words += ' ';
      gap = false;
      words += plain;
    } else {
      gap = true;
    }
    i += length;
  }
  return words;
}

}  // namespace f29
