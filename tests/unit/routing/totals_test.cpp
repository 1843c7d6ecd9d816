#include "proxy/routing/totals.h"

#include <gtest/gtest.h>

#include <set>

namespace routing {
namespace {

TEST(Totals, HaveASlotForEveryListedCodeAndOneForTheRest) {
  for (int code : kCodes) EXPECT_EQ(code_label(code_slot(code)), std::to_string(code));
  for (int code : {-1, 0, 100, 299, 418, 599, 1000})
    EXPECT_EQ(code_label(code_slot(code)), "other");
}

TEST(Totals, NameEveryKindAndTallyOnce) {
  std::set<std::string_view> names;
  for (int i = 0; i < kTallies; ++i) names.insert(text_of(static_cast<Tally>(i)));
  for (int i = 0; i < kKinds; ++i) names.insert(text_of(static_cast<Kind>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kTallies + kKinds));
  EXPECT_EQ(text_of(Tally::own_answers), "own_answers");
  EXPECT_EQ(text_of(Kind::delivering), "delivering");
}

TEST(HistogramTotals, AddUpTheWorkersHistograms) {
  base::Histogram one;
  base::Histogram two;
  one.observe(500);
  two.observe(600'000);
  two.observe(90'000'000);
  HistogramTotals sum;
  sum.add(one);
  sum.add(two);
  EXPECT_EQ(sum.count(), 3);
  EXPECT_EQ(sum.sum_us, 90'600'500);
  EXPECT_EQ(sum.counts.front(), 1);
  EXPECT_EQ(sum.counts.back(), 1);
}

}  // namespace
}  // namespace routing
