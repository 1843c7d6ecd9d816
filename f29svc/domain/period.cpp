#include "f29svc/domain/period.h"

#include <algorithm>
#include <array>

namespace f29 {
namespace {

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

std::optional<int> number_of(std::string_view text) {
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

std::string padded(int value, size_t width) {
  std::string text = std::to_string(value);
  return text.size() < width ? std::string(width - text.size(), '0') + text : text;
}

}  // namespace

std::string Date::text() const {
  if (is_none()) return {};
  return padded(year, 4) + '-' + padded(month, 2) + '-' + padded(day, 2);
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

bool is_valid(Date date) {
  return date.year >= 1900 && date.year <= 2999 && date.month >= 1 && date.month <= 12 &&
         date.day >= 1 && date.day <= days_in_month(date.year, date.month);
}

std::optional<Date> parse_iso_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  auto year = number_of(text.substr(0, 4));
  auto month = number_of(text.substr(5, 2));
  auto day = number_of(text.substr(8, 2));
  if (!year || !month || !day) return std::nullopt;
  Date date{static_cast<int16_t>(*year), static_cast<int8_t>(*month), static_cast<int8_t>(*day)};
  if (!is_valid(date)) return std::nullopt;
  return date;
}

Date next_day(Date date) {
  if (date.day < days_in_month(date.year, date.month)) {
    ++date.day;
    return date;
  }
  return Period::of(date).plus(1).first_day();
}

int weekday(Date date) {
  // Sakamoto's method; 0 is Sunday there.
  constexpr std::array<int, 12> kShift = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  int year = date.month < 3 ? date.year - 1 : date.year;
  int sunday_first = (year + year / 4 - year / 100 + year / 400 +
                      kShift[static_cast<size_t>(date.month - 1)] + date.day) %
                     7;
  return (sunday_first + 6) % 7;
}

Date add_months(Date date, int months) {
  Period moved = Period::of(date).plus(months);
  int day = std::min<int>(date.day, days_in_month(moved.year(), moved.month()));
  return {static_cast<int16_t>(moved.year()), static_cast<int8_t>(moved.month()),
          static_cast<int8_t>(day)};
}

std::optional<Period> Period::parse(std::string_view text) {
  std::string_view month_text;
  if (text.size() == 7 && text[4] == '-') {
    month_text = text.substr(5);
  } else if (text.size() == 6) {
    month_text = text.substr(4);
  } else {
    return std::nullopt;
  }
  auto year = number_of(text.substr(0, 4));
  auto month = number_of(month_text);
  if (!year || !month || *year < 1900 || *year > 2999 || *month < 1 || *month > 12) {
    return std::nullopt;
  }
  return Period{*year, *month};
}

Date Period::first_day() const {
  return {static_cast<int16_t>(year()), static_cast<int8_t>(month()), 1};
}

Date Period::last_day() const {
  return {static_cast<int16_t>(year()), static_cast<int8_t>(month()),
          static_cast<int8_t>(days_in_month(year(), month()))};
}

std::string Period::text() const { return padded(year(), 4) + '-' + padded(month(), 2); }
std::string Period::compact() const { return padded(year(), 4) + padded(month(), 2); }

Date business_day_from(Date date, const std::vector<Date>& more) {
  while (weekday(date) >= 5 || is_holiday(date, more) || (date.month == 12 && date.day == 31)) {
    date = next_day(date);
  }
  return date;
}

std::string_view declaration_text(Declaration declaration) {
  switch (declaration) {
    case Declaration::normal:
      return "normal";
    case Declaration::sin_pago:
      return "sin_pago";
    case Declaration::sin_movimiento:
      break;
  }
  return "sin_movimiento";
}

Date due_date(Period period, Declaration declaration, const DueRules& rules) {
  Date date = period.plus(1).first_day();
  if (declaration == Declaration::normal) {
    date.day = rules.electronic ? 20 : 12;
    return business_day_from(date, rules.holidays);
  }
  date.day = 28;
  return rules.move_28th ? business_day_from(date, rules.holidays) : date;
}

}  // namespace f29
