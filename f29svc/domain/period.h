// Days, months and due dates. A period is a calendar month; holidays are data (holidays.cpp).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace f29 {

// A calendar day; year 0 means none.
struct Date {
  int16_t year = 0;
  int8_t month = 0;
  int8_t day = 0;
  constexpr bool is_none() const { return year == 0; }
  friend constexpr auto operator<=>(const Date&, const Date&) = default;
  std::string text() const;  // "2026-07-20"; empty for none
};

bool is_valid(Date date);
int days_in_month(int year, int month);
std::optional<Date> parse_iso_date(std::string_view text);  // "2026-07-20"
Date next_day(Date date);
int weekday(Date date);                  // 0 Monday … 6 Sunday
Date add_months(Date date, int months);  // the day is cut to the month's length

class Period {
 public:
  constexpr Period() = default;
  constexpr Period(int year, int month) : index_(year * 12 + month - 1) {}
  static std::optional<Period> parse(std::string_view text);  // "2026-06" or "202606"
  constexpr int year() const { return index_ / 12; }
  constexpr int month() const { return index_ % 12 + 1; }
  constexpr bool is_none() const { return index_ == 0; }
  constexpr Period plus(int months) const {
    Period moved;
    moved.index_ = index_ + months;
    return moved;
  }
  constexpr int months_since(Period earlier) const { return index_ - earlier.index_; }
  static constexpr Period of(Date date) { return {date.year, date.month}; }
  constexpr bool contains(Date date) const { return of(date) == *this; }
  Date first_day() const;
  Date last_day() const;
  std::string text() const;     // "2026-06"
  std::string compact() const;  // "202606"
  friend constexpr auto operator<=>(Period, Period) = default;

 private:
  int index_ = 0;
};

// Weekends are not listed. The table covers kFirstHolidayYear to kLastHolidayYear.
inline constexpr int kFirstHolidayYear = 2017;
inline constexpr int kLastHolidayYear = 2030;
bool is_holiday(Date date, const std::vector<Date>& more = {});
// The day itself if business can be done: no weekend, no holiday, no 31 December.
Date business_day_from(Date date, const std::vector<Date>& more = {});

enum class Declaration : uint8_t {
  normal,          // something is to be paid
  sin_pago,        // a box is not 0, nothing is to be paid
  sin_movimiento,  // every box is empty
};
std::string_view declaration_text(Declaration declaration);

struct DueRules {
  bool electronic = true;      // files and pays on the web: the 20th, else the 12th
  bool move_28th = false;      // the reference does not say whether the 28th moves
  std::vector<Date> holidays;  // beyond the table
};
// The day a return of `period` is due, in the following month.
Date due_date(Period period, Declaration declaration, const DueRules& rules = {});

}  // namespace f29
