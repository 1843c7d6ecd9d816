#include "shifter/control/slow_start.h"

#include <gtest/gtest.h>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

// Both up, then green goes down and comes back.
struct Fresh : testing::Test {
  Plant plant{two_colors(50, 50)};
  void configure(const SlowStartConfig& slow_start) {
    ControlConfig config = plant.loop->config();
    config.slow_start = slow_start;
    plant.loop->take_config(config, plant.loop->routing());
    plant.bring_up();
  }
  void restart_green() {
    plant.probe(1, ProbeOutcome::refused);
    plant.tick();
    plant.probe(1, ProbeOutcome::pass);
    plant.tick();
  }
  std::string health() const { return text_of(plant.loop->health().color(1)); }
  int share() const { return plant.plane.last().colors[1].weight_share; }
};

TEST_F(Fresh, AColorGetsOurRequestsBeforeThoseOfUsers) {
  configure({3, 0ms});
  EXPECT_EQ(health(), "up") << "at our own start nobody is fresh";
  restart_green();
  EXPECT_EQ(health(), "down(warming)");
  EXPECT_FALSE(plant.plane.last().colors[1].up);
  for (int left = 3; left > 0; --left) {
    EXPECT_EQ(plant.loop->warm_ups_left(1), left);
    EXPECT_EQ(health(), "down(warming)");
    plant.loop->on_warm_up(1);
    plant.tick();
  }
  EXPECT_EQ(health(), "up");
  EXPECT_EQ(share(), 100) << "no ramp";
}

TEST_F(Fresh, ItsShareOfNewUsersGrowsInSteps) {
  configure({0, 10'000ms});
  EXPECT_EQ(share(), 100);
  restart_green();
  EXPECT_EQ(share(), 10);
  int before = 10;
  for (int second = 1; second < 10; ++second) {
    plant.tick(1'000ms);
    EXPECT_GE(share(), before);
    EXPECT_LE(share(), 10 * (second + 1));
    before = share();
  }
  plant.tick(1'500ms);
  EXPECT_EQ(share(), 100);
  EXPECT_EQ(plant.plane.last().colors[1].weight, 50) << "the weight is the operator's";
}

TEST_F(Fresh, TheRampBeginsWithTheFirstUser) {
  configure({1, 10'000ms});
  restart_green();
  plant.tick(20'000ms);  // the warm-up takes long
  plant.loop->on_warm_up(1);
  plant.tick();
  EXPECT_EQ(health(), "up");
  EXPECT_EQ(share(), 10);
}

TEST_F(Fresh, NoTimeIsLostWhenNobodyElseServes) {
  configure({5, 0ms});
  plant.probe(0, ProbeOutcome::refused);
  plant.tick();
  restart_green();
  plant.tick();
  EXPECT_EQ(health(), "up");
}

TEST_F(Fresh, AColorThatReturnsFromMaintIsFreshToo) {
  configure({2, 5'000ms});
  ASSERT_TRUE(plant.loop->change(plant.drained(1, 0ms), true, {}).has_value());
  plant.tick();
  plant.tick();
  ASSERT_EQ(plant.loop->fleet().colors[1].state, ColorState::maint);
  ASSERT_TRUE(plant.loop->change(*set_ready(plant.loop->fleet(), 1), false, {}).has_value());
  plant.tick();
  EXPECT_EQ(health(), "down(warming)");
}

}  // namespace
}  // namespace control
