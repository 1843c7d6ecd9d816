#include "shifter/control/ejection.h"

#include <gtest/gtest.h>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

// A control loop that watches answers, and users who get them.
struct Watched : testing::Test {
  Plant plant{two_colors(50, 50)};
  Watched() {
    ControlConfig config = plant.loop->config();
    config.eject = {50, 20, 10'000ms, 30'000ms};
    plant.loop->take_config(config, plant.loop->routing());
    plant.bring_up();
  }
  void answer(size_t color, int status, int64_t times) {
    plant.plane.now.colors[color].routes[0].requests[routing::code_slot(status)] += times;
  }
  // `seconds` of probes that pass and of answers with this status, ten a second.
  void serve(size_t color, int status, int seconds) {
    for (int i = 0; i < seconds * 10; ++i) {
      answer(color, status, 1);
      if (i % 5 == 0) plant.probe(color, ProbeOutcome::pass, 1);
      plant.tick();
    }
  }
  std::string health(size_t color) const { return text_of(plant.loop->health().color(color)); }
  bool is_routed(size_t color) const { return plant.plane.last().colors[color].up; }
};

// C27
TEST_F(Watched, AColorWhoseAnswersFailStaysOutForItsTimeDespitePassingProbes) {
  serve(1, 500, 3);
  EXPECT_EQ(health(1), "down(ejected)");
  EXPECT_FALSE(is_routed(1));
  serve(1, 200, 26);  // requests that were on their way, and probes
  EXPECT_EQ(health(1), "down(ejected)") << "27 seconds";
  plant.tick(4'000ms);
  EXPECT_EQ(health(1), "up");
  EXPECT_TRUE(is_routed(1));
}

// C27
TEST_F(Watched, TheLastHealthyColorIsNeverEjected) {
  serve(1, 500, 3);
  ASSERT_EQ(health(1), "down(ejected)");
  serve(0, 500, 5);
  EXPECT_EQ(health(0), "up");
  plant.probe(0, ProbeOutcome::refused);
  plant.tick();
  EXPECT_EQ(health(1), "up") << "nobody else serves now: back before its time";
}

TEST_F(Watched, AColorOutOfServiceIsNoReasonToEjectTheOther) {
  ASSERT_TRUE(plant.loop->change(plant.drained(0, 0ms), true, {}).has_value());
  serve(1, 500, 5);
  EXPECT_EQ(health(1), "up");
}

// C28: clients that left, and a full queue, are no failures of what is behind.
TEST_F(Watched, ClientsThatLeaveAndAFullQueueAreNoFailures) {
  serve(1, 499, 5);
  serve(1, 503, 5);
  EXPECT_EQ(health(1), "up");
  EXPECT_EQ(count_answers(plant.plane.now.colors[1]).answers, 0);
}

TEST_F(Watched, NeedsEnoughAnswersAndEnoughFailuresWithinTheWindow) {
  answer(1, 500, 19);
  plant.tick();
  EXPECT_EQ(health(1), "up") << "19 of 20";
  for (int i = 0; i < 120; ++i) plant.tick();
  answer(1, 500, 10);
  answer(1, 200, 11);
  plant.tick();
  EXPECT_EQ(health(1), "up") << "10 of 21 in this window";
  answer(1, 504, 1);
  plant.tick();
  EXPECT_EQ(health(1), "down(ejected)");
}

TEST_F(Watched, OffIsTheDefault) {
  EXPECT_EQ(ControlConfig().eject.percent, 0);
  serve(1, 500, 3);
  ASSERT_EQ(health(1), "down(ejected)");
  ControlConfig config = plant.loop->config();
  config.eject = {};
  plant.loop->take_config(config, plant.loop->routing());
  plant.tick();
  EXPECT_EQ(health(1), "up") << "turned off by a reload";
}

}  // namespace
}  // namespace control
