#include "f29svc/sources/rcv_fields.h"

#include <algorithm>
#include <optional>

#include "f29svc/domain/words.h"

namespace f29 {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_null(std::string_view text) {
  return text.size() == 4 && (text[0] | 32) == 'n' && (text[1] | 32) == 'u' &&
         (text[2] | 32) == 'l' && (text[3] | 32) == 'l';
}

// Digits in groups of three after the first separator: "1.000.000".
int64_t read_grouped(std::string_view text, uint32_t& odd) {
  int64_t value = 0;
  int digits = 0;
  int group = 0;
  char separator = 0;
  for (char c : text) {
    if (is_digit(c)) {
      value = value * 10 + (c - '0');
      ++group;
      if (++digits > 15) odd |= kOddBad;
    } else if ((c == '.' || c == ',') && (separator == 0 || separator == c)) {
      if (group == 0 || group > 3 || (separator != 0 && group != 3)) odd |= kOddBad;
      separator = c;
      group = 0;
    } else {
      odd |= kOddBad;
    }
    if ((odd & kOddBad) != 0) return 0;
  }
  if (digits == 0 || (separator != 0 && group != 3)) {
    odd |= kOddBad;
    return 0;
  }
  if (separator != 0) odd |= kOddThousands;
  return value;
}

// Only digits, at most 15; anything else is left to the slow readers.
bool read_digits(std::string_view field, int64_t& value) {
  if (field.size() > 15) return false;
  int64_t sum = 0;
  for (char c : field) {
    auto digit = static_cast<unsigned char>(c - '0');
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  value = sum;
  return true;
}

int two_digits(const char* at) { return (at[0] - '0') * 10 + (at[1] - '0'); }

// "HH:MM" or "HH:MM:SS" after the day.
bool is_time(std::string_view text) {
  if (text.size() != 5 && text.size() != 8) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !is_digit(text[i])) return false;
  }
  bool has_seconds = text.size() == 8;
  return two_digits(&text[0]) < 24 && two_digits(&text[3]) < 60 &&
         (!has_seconds || two_digits(&text[6]) < 60);
}

int small_number(std::string_view text) {
  int value = 0;
  if (text.empty() || text.size() > 4) return -1;
  for (char c : text) {
    if (!is_digit(c)) return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

Date make_day(int year, int month, int day, uint32_t& odd) {
  Date date{static_cast<int16_t>(year), static_cast<int8_t>(month), static_cast<int8_t>(day)};
  bool fits = year >= 0 && month >= 0 && month < 100 && day >= 0 && day < 100;
  if (fits && is_valid(date)) return date;
  odd |= kOddBad;
  return {};
}

}  // namespace

int64_t read_amount(std::string_view field, uint32_t& odd) {
  int64_t value = 0;
  if (field.empty()) return 0;
  if (read_digits(field, value)) return value;
  field = trimmed(field);
  if (field.empty() || field == "-") return 0;
  if (is_null(field)) {
    odd |= kOddNull;
    return 0;
  }
  if (field.front() == '-') {
    field.remove_prefix(1);
    odd |= kOddNegative;
  }
  return read_grouped(field, odd);
}

int64_t read_folio(std::string_view field, uint32_t& odd) {
  int64_t value = 0;
  if (read_digits(field, value)) return value;
  field = trimmed(field);
  if (field.empty()) return 0;
  if (is_null(field)) {
    odd |= kOddNull;
    return 0;
  }
  return read_grouped(field, odd);
}

int read_code(std::string_view field, uint32_t& odd) {
  field = trimmed(field);
  if (field.empty() || field == "-") return 0;
  if (is_null(field)) {
    odd |= kOddNull;
    return 0;
  }
  int value = small_number(field);
  if (value < 0) {
    odd |= kOddBad;
    return 0;
  }
  return value;
}

namespace {

// "05/06/2026", alone or with a time of the usual form.
std::optional<Date> read_usual_day(std::string_view field) {
  bool has_time = field.size() == 19;
  if ((!has_time && field.size() != 10) || field[2] != '/' || field[5] != '/') return std::nullopt;
  constexpr size_t kDigits[] = {0, 1, 3, 4, 6, 7, 8, 9};
  for (size_t at : kDigits) {
    if (!is_digit(field[at])) return std::nullopt;
  }
  if (has_time && (field[10] != ' ' || !is_time(field.substr(11)))) return std::nullopt;
  Date date{static_cast<int16_t>(two_digits(&field[6]) * 100 + two_digits(&field[8])),
            static_cast<int8_t>(two_digits(&field[3])), static_cast<int8_t>(two_digits(&field[0]))};
  if (!is_valid(date)) return std::nullopt;
  return date;
}

}  // namespace

Date read_day(std::string_view field, uint32_t& odd) {
  if (field.empty()) return {};
  if (auto usual = read_usual_day(field)) return *usual;
  field = trimmed(field);
  if (field.empty() || field == "-") return {};
  if (is_null(field)) {
    odd |= kOddNull;
    return {};
  }
  std::string_view day = field;
  size_t space = field.find(' ');
  if (space != std::string_view::npos) {
    day = field.substr(0, space);
    if (!is_time(trimmed(field.substr(space)))) odd |= kOddBad;
  }
  char separator = day.find('/') != std::string_view::npos ? '/' : '-';
  size_t first = day.find(separator);
  size_t second = first == std::string_view::npos ? first : day.find(separator, first + 1);
  if (second == std::string_view::npos) {
    odd |= kOddBad;
    return {};
  }
  if (separator == '-') odd |= kOddDashDate;
  std::string_view left = day.substr(0, first);
  std::string_view right = day.substr(second + 1);
  int middle = small_number(day.substr(first + 1, second - first - 1));
  if (left.size() == 4 && right.size() <= 2 && separator == '-') {
    return make_day(small_number(left), middle, small_number(right), odd);
  }
  if (right.size() != 4) {
    odd |= kOddBad;
    return {};
  }
  return make_day(small_number(right), middle, small_number(left), odd);
}

void read_references(std::string_view type, std::string_view folio, std::vector<Reference>& into) {
  folio = trimmed(folio);
  if (folio.empty() || folio == "0" || folio == "-" || is_null(folio)) return;
  uint32_t ignored = 0;
  int code = read_code(type, ignored);
  bool are_numbers = std::all_of(folio.begin(), folio.end(),
                                 [](char c) { return is_digit(c) || c == '-' || c == ' '; });
  if (!are_numbers || folio.find('-') == std::string_view::npos) {
    Reference& one = into.emplace_back();
    one.type = code;
    to_clean_utf8(folio, one.folio);
    return;
  }
  while (!folio.empty()) {
    size_t dash = std::min(folio.find('-'), folio.size());
    std::string_view piece = trimmed(folio.substr(0, dash));
    if (!piece.empty()) into.push_back({code, std::string(piece)});
    folio.remove_prefix(std::min(dash + 1, folio.size()));
  }
}

int read_type_in_parentheses(std::string_view label) {
  label = trimmed(label);
  size_t open = label.rfind('(');
  std::string_view inside;
  if (open != std::string_view::npos && label.back() == ')') {
    inside = label.substr(open + 1, label.size() - open - 2);
  } else {
    inside = label;  // a bare number is as good
  }
  return std::max(small_number(trimmed(inside)), 0);
}

}  // namespace f29
