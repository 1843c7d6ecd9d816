#include "f29svc/domain/period.h"

namespace f29 {
namespace {

TEST(Period, IsReadInBothWritings) {
  EXPECT_EQ(Period::parse("2026-06"), (Period{2026, 6}));
  EXPECT_EQ(Period::parse("202606"), (Period{2026, 6}));
  for (auto bad : {"", "2026-13", "2026-00", "2026-6", "26-06", "2026/06", "2026-061", "20260"}) {
    EXPECT_FALSE(Period::parse(bad)) << bad;
  }
}

TEST(Period, TheMonthAfterDecemberIsJanuary) {
  EXPECT_EQ((Period{2025, 12}).plus(1).text(), "2026-01");
  EXPECT_EQ((Period{2026, 1}).plus(-1).compact(), "202512");
  EXPECT_EQ((Period{2026, 6}).months_since(Period{2025, 12}), 6);
}

TEST(Date, OnlyRealDaysAreDays) {
  EXPECT_TRUE(parse_iso_date("2024-02-29"));
  EXPECT_FALSE(parse_iso_date("2026-02-29"));
  EXPECT_FALSE(parse_iso_date("2026-02-31"));
  EXPECT_FALSE(parse_iso_date("2026-2-01"));
}

TEST(Date, AddingMonthsCutsTheDayToTheMonth) {
  EXPECT_EQ(add_months({2025, 8, 31}, 6).text(), "2026-02-28");
  EXPECT_EQ(add_months({2021, 1, 5}, 3).text(), "2021-04-05");
}

TEST(Date, WeekdaysAreRight) {
  EXPECT_EQ(weekday({2026, 6, 20}), 5);
  EXPECT_EQ(weekday({2026, 7, 20}), 0);
  EXPECT_EQ(weekday({2024, 2, 29}), 3);
}

TEST(DueDate, IsTheTwentiethOrTheNextBusinessDay) {
  EXPECT_EQ(due_date({2026, 6}, Declaration::normal).text(), "2026-07-20");
  EXPECT_EQ(due_date({2026, 5}, Declaration::normal).text(), "2026-06-22");  // Saturday
  EXPECT_EQ(due_date({2024, 8}, Declaration::normal).text(), "2024-09-23");  // holiday, weekend
}

TEST(DueDate, IsTheTwelfthWhenNotFiledOnTheWeb) {
  EXPECT_EQ(due_date({2026, 6}, Declaration::normal, {false, false, {}}).text(), "2026-07-13");
}

TEST(DueDate, IsTheTwentyEighthWhenNothingIsPaid) {
  EXPECT_EQ(due_date({2026, 5}, Declaration::sin_pago).text(), "2026-06-28");  // a Sunday
  EXPECT_EQ(due_date({2026, 5}, Declaration::sin_movimiento).text(), "2026-06-28");
  EXPECT_EQ(due_date({2026, 5}, Declaration::sin_pago, {true, true, {}}).text(), "2026-06-30");
}

TEST(DueDate, TheLastOfDecemberIsNoBusinessDay) {
  EXPECT_EQ(business_day_from({2026, 12, 31}).text(), "2027-01-04");
}

TEST(DueDate, AnInstallationMayNameMoreHolidays) {
  DueRules rules;
  rules.holidays = {{2026, 7, 20}};
  EXPECT_EQ(due_date({2026, 6}, Declaration::normal, rules).text(), "2026-07-21");
}

}  // namespace
}  // namespace f29
