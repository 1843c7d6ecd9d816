#include "shifter/control/judge_replay.h"

#include <gtest/gtest.h>

namespace control {
namespace {

// A day of ten busy hours, 600 sessions each, in one segment.
TrafficRecord busy_day() {
  TrafficRecord record;
  uint64_t sessions = 0;
  for (int64_t at = 300; at <= 86'400; at += 300) {
    const bool is_busy = at > 8 * 3'600 && at <= 18 * 3'600;
    if (is_busy) sessions += 50;
    TrafficEntry entry;
    entry.wall_s = at;
    entry.segment = 1;
    entry.color = 0;
    entry.sessions = sessions;
    entry.faulty = {sessions / 20, sessions / 10, 0};
    record.add(entry);
  }
  return record;
}

Replay replay_of(const TrafficRecord& record, const std::vector<int>& shares, int runs,
                 double worse = 3) {
  Replayer replayer(record, 0, shares, worse, 1);
  replayer.run(runs);
  return replayer.result();
}

TEST(JudgeReplay, TellsWhenEachStepWouldHaveHadItsSessions) {
  const Replay replay = replay_of(busy_day(), {5, 10, 25, 50, 100}, 0);
  ASSERT_EQ(replay.steps.size(), 4u);
  // From midnight: eight quiet hours, then 100 sessions at 30 an hour.
  EXPECT_NEAR(replay.steps[0].hours, 8 + 100 / 30.0, 0.1);
  EXPECT_NEAR(replay.steps[1].hours, 100 / 60.0, 0.1);
  EXPECT_NEAR(replay.steps[3].hours, 100 / 300.0, 0.1);
  for (const ReplayedStep& step : replay.steps) EXPECT_TRUE(step.is_reached);
}

TEST(JudgeReplay, AStepThatTheDayDoesNotFillIsTheLast) {
  TrafficRecord record;
  TrafficEntry entry;
  entry.wall_s = 3'600;
  entry.segment = 1;
  entry.color = 0;
  entry.sessions = 20;
  record.add(entry);
  const Replay replay = replay_of(record, {5, 10, 100}, 10);
  ASSERT_EQ(replay.steps.size(), 1u);
  EXPECT_FALSE(replay.steps[0].is_reached);
  EXPECT_NE(text_of(replay).find("not met"), std::string::npos);
}

// R20, C56: the false alarms of equal colors at this company's own traffic.
TEST(JudgeReplay, EqualColorsAreSeldomRolledBack) {
  const Replay replay = replay_of(busy_day(), {5, 10, 25, 50, 100}, 500);
  EXPECT_EQ(replay.runs, 500);
  EXPECT_LE(replay.false_rollbacks, 25);
  EXPECT_NEAR(replay.recorded_hours, 24, 0.1);
}

// A policy is chosen by what it would find: the same faults five times as often, and none at all.
TEST(JudgeReplay, AWorseCanaryIsFoundMoreOftenTheWorseItIs) {
  const std::vector<int> steps = {5, 10, 25, 50, 100};
  const int equal = replay_of(busy_day(), steps, 200, 1).found;
  const int twice = replay_of(busy_day(), steps, 200, 2).found;
  const int often = replay_of(busy_day(), steps, 200, 5).found;
  EXPECT_LE(equal, 10);
  EXPECT_GT(twice, equal + 20);
  EXPECT_GE(often, 195);
}

TEST(JudgeReplay, NothingRecordedIsNothingReplayed) {
  const Replay replay = replay_of(TrafficRecord(), {5, 100}, 10);
  ASSERT_EQ(replay.steps.size(), 1u);
  EXPECT_FALSE(replay.steps[0].is_reached);
  EXPECT_EQ(replay.false_rollbacks, 0);
}

}  // namespace
}  // namespace control
