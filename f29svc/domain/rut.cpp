#include "f29svc/domain/rut.h"

namespace f29 {

char rut_check_digit(uint32_t number) {
  uint32_t sum = 0;
  for (uint32_t weight = 2; number != 0; number /= 10) {
    sum += number % 10 * weight;
    weight = weight == 7 ? 2 : weight + 1;
  }
  return "0K987654321"[sum % 11];
}

char Rut::check_digit() const { return rut_check_digit(number_); }

std::string Rut::text() const {
  if (is_empty()) return {};
  return std::to_string(number_) + '-' + check_digit();
}

std::optional<RutReading> read_rut(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text.size() < 2 || text.size() > 24) return std::nullopt;
  char digit = text.back();
  if (digit == 'k') digit = 'K';
  if (digit != 'K' && (digit < '0' || digit > '9')) return std::nullopt;
  text.remove_suffix(1);
  if (text.back() != '-') return std::nullopt;
  text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  RutReading reading;
  reading.leading_zeros = text.front() == '0';
  uint32_t number = 0;
  int group = 0;  // digits since the last dot
  for (char c : text) {
    if (c == '.') {
      if (group == 0 || (reading.dots && group != 3)) return std::nullopt;
      reading.dots = true;
      group = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<uint32_t>(c - '0');
    if (number > 99'999'999) return std::nullopt;
    ++group;
  }
  if (number == 0 || (reading.dots && group != 3)) return std::nullopt;
  reading.rut = Rut{number};
  reading.right_digit = rut_check_digit(number) == digit;
  return reading;
}

std::optional<Rut> parse_rut(std::string_view text) {
  auto reading = read_rut(text);
  if (!reading || !reading->right_digit) return std::nullopt;
  return reading->rut;
}

}  // namespace f29
