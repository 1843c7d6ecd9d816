#include "proxy/routing/pick.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <random>

namespace routing {
namespace {

TEST(DrawWeighted, GivesNothingWhenAllWeightsAreZero) {
  EXPECT_EQ(draw_weighted(std::array{0, 0}, 12345), -1);
  EXPECT_EQ(draw_weighted(std::span<const int>{}, 12345), -1);
}

TEST(DrawWeighted, NeverPicksAWeightOfZeroAtEitherEnd) {
  for (uint32_t draw : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xfffffffeu, 0xffffffffu}) {
    EXPECT_EQ(draw_weighted(std::array{0, 1}, draw), 1);
    EXPECT_EQ(draw_weighted(std::array{1, 0}, draw), 0);
    EXPECT_EQ(draw_weighted(std::array{0, 1'000'000}, draw), 1);
  }
}

TEST(DrawWeighted, PutsItsBoundaryExactlyWhereTheSharesMeet) {
  EXPECT_EQ(draw_weighted(std::array{1, 1}, 0x7fffffffu), 0);
  EXPECT_EQ(draw_weighted(std::array{1, 1}, 0x80000000u), 1);
  EXPECT_EQ(draw_weighted(std::array{3, 1}, 0xbfffffffu), 0);
  EXPECT_EQ(draw_weighted(std::array{3, 1}, 0xc0000000u), 1);
}

TEST(DrawWeighted, RaisingAShareOnlyMovesDrawsTowardsTheColorThatGrew) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    const int green = static_cast<int>(random() % 1'000);
    const int more = green + static_cast<int>(random() % 1'000);
    const std::array before = {1 + static_cast<int>(random() % 1'000), green};
    const std::array after = {before[0], more};
    for (int i = 0; i < 50; ++i) {
      const uint32_t draw = static_cast<uint32_t>(random());
      if (draw_weighted(before, draw) == 1) {
        ASSERT_EQ(draw_weighted(after, draw), 1) << before[0] << " " << green << " " << more;
      }
    }
  }
}

// The farthest that the count of green strays from exact over 10,000 draws.
double farthest_from_exact(int blue, int green, uint32_t start) {
  Sequence sequence(start);
  double farthest = 0;
  int count = 0;
  for (int i = 1; i <= 10'000; ++i) {
    // Weights are re-applied every 50 draws: a fresh array, as a fresh table would bring.
    const std::array weights = {blue, green};
    count += draw_weighted(weights, sequence.next());
    const double exact = static_cast<double>(green) * i / (blue + green);
    farthest = std::max(farthest, std::abs(count - exact));
  }
  return farthest;
}

TEST(Sequence, StaysWithinAFewOfExactAtAnySplitAndStart) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int green : {1, 2, 5, 10, 25, 33, 50, 75, 90, 99}) {
    EXPECT_LT(farthest_from_exact(100 - green, green, static_cast<uint32_t>(random())), 6.0)
        << green;
  }
  for (int i = 0; i < 50; ++i) {
    const int green = 1 + static_cast<int>(random() % 999'999);
    EXPECT_LT(farthest_from_exact(1'000'000 - green, green, static_cast<uint32_t>(random())), 6.0)
        << green;
  }
}

}  // namespace
}  // namespace routing
