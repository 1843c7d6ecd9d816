#include "f29svc/domain/money.h"

namespace f29 {
namespace {

std::string decimal(std::string_view text, int scale_most = Decimal::kScaleMost) {
  auto value = Decimal::parse(text, scale_most);
  return value ? value->text() : "refused";
}

TEST(Money, ReadsWholePesosOfAtMostFifteenDigits) {
  EXPECT_EQ(parse_pesos("1000"), Pesos{1000});
  EXPECT_EQ(parse_pesos("-5"), Pesos{-5});
  EXPECT_EQ(parse_pesos("999999999999999"), Pesos{kAmountMost});
  for (auto bad : {"", "-", "1000000000000000", "1.000", "1e3", "+1", " 1", "1 "}) {
    EXPECT_EQ(parse_pesos(bad), std::nullopt) << bad;
  }
}

TEST(Money, ASumRemembersThatItOverflowed) {
  Sum sum;
  for (int i = 0; i < 9224; ++i) sum.add(Pesos{kAmountMost});
  EXPECT_TRUE(sum.overflowed());
  Sum small;
  small.add(Pesos{2});
  small.add(Pesos{-3});
  EXPECT_FALSE(small.overflowed());
  EXPECT_EQ(small.total(), Pesos{-1});
}

TEST(Money, CheckedAdditionRefusesAnOverflow) {
  EXPECT_EQ(checked_add(Pesos{INT64_MAX}, Pesos{1}), std::nullopt);
  EXPECT_EQ(checked_add(Pesos{1}, Pesos{2}), Pesos{3});
}

TEST(MoneyDeathTest, AnOverflowWithinOneDocumentEndsTheProcess) {
  EXPECT_DEATH(Pesos{INT64_MAX} + Pesos{1}, "broken invariant");
  EXPECT_DEATH(Pesos{INT64_MIN} - Pesos{1}, "broken invariant");
}

TEST(Decimal, KeepsTheExactTextOfARate) {
  EXPECT_EQ(decimal("2.967999999"), "2.967999999");
  EXPECT_EQ(decimal("2,967999999"), "2.967999999");
  EXPECT_EQ(Decimal::parse("2.967999999"), Decimal::parse("2,967999999"));
  EXPECT_EQ(decimal("31.50"), "31.5");
  EXPECT_EQ(decimal("0.80"), "0.8");
  EXPECT_EQ(decimal("10"), "10");
  EXPECT_EQ(decimal("-0.5"), "-0.5");
}

TEST(Decimal, RefusesWhatIsNotADecimal) {
  for (auto bad : {"", ".", "1.", ".5", "1.2.3", "1e2", "0x1", "--1", "1234567890123456",
                   "0.1234567891", "1 "}) {
    EXPECT_EQ(decimal(bad), "refused") << bad;
  }
}

TEST(Decimal, TrailingZerosDoNotCountAsDecimals) {
  EXPECT_EQ(decimal("0.1250", 3), "0.125");
  EXPECT_EQ(decimal("0.1255", 3), "refused");
}

TEST(Decimal, ComparesByValueNotByScale) {
  EXPECT_EQ((Decimal{125, 3}), (Decimal{1250, 4}));
  EXPECT_LT((Decimal{124, 3}), (Decimal{1250, 4}));
  EXPECT_TRUE((Decimal{500, 2}).is_whole());
  EXPECT_FALSE((Decimal{501, 2}).is_whole());
}

TEST(Rounding, IsHalfUpInWholePesos) {
  EXPECT_EQ(percent_half_up(Pesos{2432}, Decimal{125, 3}), Pesos{3});        // 3.04
  EXPECT_EQ(percent_half_up(Pesos{3458147}, Decimal{125, 3}), Pesos{4323});  // 4322.68
  EXPECT_EQ(percent_half_up(Pesos{50}, Decimal{1, 0}), Pesos{1});            // 0.5
  EXPECT_EQ(percent_half_up(Pesos{49}, Decimal{1, 0}), Pesos{0});            // 0.49
  EXPECT_EQ(percent_half_up(Pesos{-50}, Decimal{1, 0}), Pesos{-1});
  EXPECT_EQ(multiply_half_up(Pesos{58000}, Decimal{828, 3}), Pesos{48024});
}

TEST(Rounding, TheOfficialUtmExampleComesOutToThePeso) {
  auto quantity = divide_half_up(Decimal{2500000, 0}, Decimal{43000, 0}, 2);
  ASSERT_TRUE(quantity);
  EXPECT_EQ(quantity->text(), "58.14");
  EXPECT_EQ(multiply_half_up(*quantity, Decimal{43198, 0}), Pesos{2511532});
}

TEST(Rounding, RefusesDivisionByZeroAndOverflow) {
  EXPECT_EQ(divide_half_up(Decimal{1, 0}, Decimal{}, 2), std::nullopt);
  EXPECT_EQ(divide_half_up(Decimal{INT64_MAX, 0}, Decimal{1, 9}, 9), std::nullopt);
  EXPECT_EQ(multiply_half_up(Decimal{INT64_MAX, 0}, Decimal{INT64_MAX, 0}), std::nullopt);
}

TEST(Grouped, SeparatesThousandsForPeople) {
  EXPECT_EQ(grouped(Pesos{0}), "0");
  EXPECT_EQ(grouped(Pesos{999}), "999");
  EXPECT_EQ(grouped(Pesos{1216000}), "1.216.000");
  EXPECT_EQ(grouped(Pesos{-123456}), "-123.456");
}

}  // namespace
}  // namespace f29
