#include "f29svc/domain/rut.h"

namespace f29 {
namespace {

TEST(Rut, KnownOnesHaveTheRightCheckDigit) {
  for (auto text :
       {"60910000-1", "76555835-2", "76177907-9", "76369187-K", "77879240-0", "96874030-K",
        "12345678-5", "60803000-K", "60805000-0", "55555555-5", "66666666-6", "99999001-0"}) {
    auto rut = parse_rut(text);
    ASSERT_TRUE(rut) << text;
    EXPECT_EQ(rut->text(), text);
  }
}

TEST(Rut, EveryUsualWritingIsTheSameRut) {
  for (auto text : {"99990100-K", "99.990.100-k", "0099990100-K", "  99990100-k "}) {
    EXPECT_EQ(parse_rut(text), Rut{99990100}) << text;
  }
  EXPECT_TRUE(read_rut("0099990001-1")->leading_zeros);
  EXPECT_TRUE(read_rut("99.990.001-1")->dots);
}

TEST(Rut, AWrongCheckDigitIsToldApartFromNonsense) {
  auto reading = read_rut("99990001-2");
  ASSERT_TRUE(reading);
  EXPECT_FALSE(reading->right_digit);
  EXPECT_FALSE(parse_rut("99990001-2"));
  for (auto text : {"", "-", "1", "99990001", "99990001-", "-1", "9999000x-1", "999900011-1",
                    "99.99.0001-1", "99.990001-1", ".999-1", "0-0", "99990001-X"}) {
    EXPECT_FALSE(read_rut(text)) << text;
  }
}

TEST(Rut, CompaniesStartAtFiftyMillions) {
  EXPECT_TRUE(Rut{50000000}.is_company());
  EXPECT_FALSE(Rut{49999999}.is_company());
}

}  // namespace
}  // namespace f29
