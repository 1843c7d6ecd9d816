#include "f29svc/form/form.h"

#include <map>
#include <set>

namespace f29 {
namespace {

std::string read(int code, std::string_view text) {
  auto reading = read_box_value(*find_box(code), text);
  return reading.value ? reading.value->plain() : std::string(reading.error);
}

TEST(Form, LinesMoveBetweenVersionsAndCodesDoNot) {
  EXPECT_EQ(line_of(91, FormVersion::v122), 119);
  EXPECT_EQ(line_of(91, FormVersion::v144), 141);
  EXPECT_EQ(line_of(91, FormVersion::v150), 147);
  EXPECT_EQ(line_of(595, FormVersion::v122), 65);
  EXPECT_EQ(line_of(595, FormVersion::v150), 80);
  EXPECT_EQ(line_of(547, FormVersion::v122), 113);
  EXPECT_EQ(line_of(547, FormVersion::v144), 134);
  EXPECT_EQ(line_of(547, FormVersion::v150), 140);
  EXPECT_EQ(line_of(94, FormVersion::v144), 144);
  EXPECT_EQ(line_of(776, FormVersion::v150), 79);
  EXPECT_EQ(line_of(766, FormVersion::v150), 30);
}

TEST(Form, OldVersionsLackTheNewBoxes) {
  EXPECT_EQ(line_of(791, FormVersion::v122), 0);
  EXPECT_EQ(line_of(816, FormVersion::v144), 0);
  EXPECT_EQ(line_of(816, FormVersion::v150), 133);
  EXPECT_EQ(line_of(12345, FormVersion::v150), 0);
}

TEST(Form, EachPeriodHasItsVersion) {
  EXPECT_EQ(version_of({2018, 12}), FormVersion::v122);
  EXPECT_EQ(version_of({2024, 11}), FormVersion::v144);
  EXPECT_EQ(version_of({2025, 9}), FormVersion::v144);
  EXPECT_EQ(version_of({2025, 10}), FormVersion::v150);
}

TEST(Form, EveryBoxOfTheDeclarationHasALineAndALabel) {
  int identities = 0;
  for (const BoxInfo& box : all_boxes()) {
    EXPECT_FALSE(box.label.empty()) << box.code;
    if (box.identity) {
      ++identities;
      continue;
    }
    EXPECT_GT(box.lines[2], 0) << box.code;
    EXPECT_LE(box.lines[2], 150) << box.code;
  }
  EXPECT_EQ(all_boxes().size(), 303u);
  EXPECT_EQ(identities, 42);
}

TEST(Form, LabelsAreUniqueButForTheFillers) {
  std::map<std::string_view, int> seen;
  for (const BoxInfo& box : all_boxes()) {
    if (!box.identity) ++seen[box.label];
  }
  for (const auto& [label, count] : seen) {
    bool is_filler = label.find("dato") != std::string_view::npos;
    EXPECT_TRUE(is_filler || count == 1) << label;
  }
}

TEST(Form, OnlyFiveBoxesMayBeNegative) {
  std::set<int> negative;
  for (const BoxInfo& box : all_boxes()) {
    if (may_be_negative(box.code)) negative.insert(box.code);
  }
  EXPECT_EQ(negative, (std::set<int>{537, 538, 596, 743, 745}));
}

TEST(Form, TotalsAreNeverGiven) {
  for (int code : {538, 537, 595, 547, 91, 94, 602, 603, 543, 596, 103, 814, 77, 89, 504}) {
    EXPECT_TRUE(is_only_computed(*find_box(code))) << code;
  }
  for (int code : {62, 127, 741, 755, 598, 506, 511, 48, 506}) {
    EXPECT_FALSE(is_only_computed(*find_box(code))) << code;
  }
}

TEST(Form, ValuesAreReadByTheKindOfTheirBox) {
  EXPECT_EQ(read(48, "25000"), "25000");
  EXPECT_EQ(read(510, "-1900"), "amount must be ≥ 0");
  EXPECT_EQ(read(743, "-118314"), "-118314");
  EXPECT_EQ(read(48, "25.000"), "must be a whole number of at most 15 digits");
  EXPECT_EQ(read(115, "0.125"), "0.125");
  EXPECT_EQ(read(115, "0,1250"), "0.125");
  EXPECT_EQ(read(115, "0.1255"), "must be a number with at most three decimals");
  EXPECT_EQ(read(60, "100.5"), "must be at most 100");
  EXPECT_EQ(read(115, "-1"), "must be 0 or more");
  EXPECT_EQ(read(730, "5.5"), "5.5");
  EXPECT_EQ(read(756, "X"), "1");
  EXPECT_EQ(read(756, "0"), "0");
  EXPECT_EQ(read(756, "2"), "is a mark: 1 or 0");
  EXPECT_EQ(read(915, "2026-07-20"), "20/07/2026");
  EXPECT_EQ(read(915, "31/02/2026"), "must be a day, dd/mm/yyyy");
}

}  // namespace
}  // namespace f29
