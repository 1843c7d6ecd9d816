#include "shifter/control/live_judge.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_data_plane.h"
#include "tests/unit/base/temp_folder.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using routing::Fault;

TrafficEntry entry_at(int64_t wall_s, uint64_t sessions, int64_t requests) {
  TrafficEntry entry;
  entry.wall_s = wall_s;
  entry.segment = 1;
  entry.since_s = 0;
  entry.color = 0;
  entry.sessions = sessions;
  entry.faulty = {sessions / 10, 0, 0};
  entry.requests = requests;
  entry.errors = requests / 100;
  return entry;
}

TEST(TrafficRecord, KnowsTheLastDayAndTheLastHour) {
  TrafficRecord record;
  for (int64_t at = 300; at <= 7'200; at += 300) {
    record.add(entry_at(at, static_cast<uint64_t>(at / 10), at));
  }
  const Traffic day = record.last_day(0);
  EXPECT_DOUBLE_EQ(day.hours, 2);
  EXPECT_DOUBLE_EQ(day.sessions, 720);
  EXPECT_DOUBLE_EQ(day.faulty_ratio[0], 0.1);
  const Traffic hour = record.last_hour(0);
  EXPECT_DOUBLE_EQ(hour.hours, 1);
  EXPECT_EQ(hour.requests, 3'600);
  EXPECT_EQ(record.last_day(1).requests, 0);
}

TEST(TrafficRecord, IsBounded) {
  TrafficRecord record;
  for (int64_t i = 0; i < 2'000; ++i) record.add(entry_at(i, 1, 1));
  EXPECT_EQ(record.entries().size(), kEntriesMax);
  record.add(entry_at(100'000, 1, 1));
  EXPECT_EQ(record.entries().size(), 1u);
  EXPECT_LT(record.text().size() * kEntriesMax, kRecordBytesMax);
}

TEST(TrafficRecord, IsReadBackAndATornFileLosesOnlyItsTornLines) {
  TrafficRecord record;
  for (int64_t i = 0; i < 5; ++i) record.add(entry_at(i * 300, 10, 100));
  TrafficRecord again;
  again.read(record.text());
  EXPECT_EQ(again.entries(), record.entries());
  std::string torn = record.text();
  torn.resize(torn.size() - 3);
  again.read(torn);
  EXPECT_EQ(again.entries().size(), 4u);
  again.read("[1]\n[null]\nx\n[-1,1,0,0,1,0,0,0,1,1]\n[300,1,0,7,1,0,0,0,1,1]\n" +
             std::string(3, '\0') + "\n" + record.text());
  EXPECT_EQ(again.entries(), record.entries());
}

class LiveJudgeTest : public testing::Test {
 protected:
  LiveJudgeTest() { make(); }
  void make() {
    judge_ = std::make_unique<LiveJudge>(clock_, plane_, folder_ / "traffic.jsonl",
                                         [this](const auto& step) { told_.push_back(step); });
    judge_->start();
  }
  void pass(base::Millis time) {
    clock_.advance(time);
    judge_->tick(0);
  }
  StepFacts step(uint64_t epoch, int number) const {
    StepFacts facts;
    facts.epoch = epoch;
    facts.number = number;
    facts.share = 10;
    facts.canary = 1;
    facts.stable = 0;
    facts.started = facts.now = clock_.now();
    return facts;
  }

  support::FakeClock clock_;
  support::FakeDataPlane plane_;
  base::TempFolder folder_;
  std::vector<std::optional<routing::JudgeStep>> told_;
  std::unique_ptr<LiveJudge> judge_;
};

TEST_F(LiveJudgeTest, OutsideRolloutsTheLiveColorIsCountedWhole) {
  pass(0ms);
  ASSERT_EQ(told_.size(), 1u);
  EXPECT_TRUE(told_[0]->everyone);
  EXPECT_EQ(told_[0]->stable, 0);
  EXPECT_EQ(told_[0]->canary, routing::kNoColor);
  pass(2s);
  EXPECT_EQ(told_.size(), 1u);
  judge_->tick(routing::kNoColor);
  EXPECT_FALSE(told_.back().has_value());
}

TEST_F(LiveJudgeTest, TheRecordIsThereAfterARestart) {
  pass(0ms);
  plane_.sessions.stable.groups[1].exposed = 120;
  plane_.sessions.stable.requests = 900;
  for (int i = 0; i < 13; ++i) pass(300s);
  EXPECT_DOUBLE_EQ(judge_->record().last_day(0).sessions, 120);
  make();
  EXPECT_DOUBLE_EQ(judge_->record().last_day(0).sessions, 120);
}

TEST_F(LiveJudgeTest, AStepIsCountedAndItsCountsAreJudged) {
  pass(0ms);
  judge_->start_step(step(20, 1));
  EXPECT_EQ(told_.back()->id, 20u);
  EXPECT_FALSE(told_.back()->everyone);
  EXPECT_GT(told_.back()->warm_up_requests, 0);
  routing::SessionCounts& sessions = plane_.sessions;
  sessions.canary.groups[0].exposed = 200;
  sessions.stable.groups[0].exposed = 1'800;
  sessions.canary.groups[0].faulty[0] = 20;
  pass(1s);
  EXPECT_EQ(judge_->look(step(20, 1)).kind, Verdict::Kind::worse);
  judge_->stop();
  EXPECT_EQ(judge_->judge().e_value(Signal::error), 1);
  pass(1s);
  EXPECT_TRUE(told_.back()->everyone);
}

TEST_F(LiveJudgeTest, WhatWasCountedSinceTheLastEntryIsKeptAtShutdown) {
  pass(0ms);
  plane_.sessions.stable.groups[1].exposed = 40;
  pass(60s);
  ASSERT_TRUE(judge_->record().entries().empty());
  ASSERT_TRUE(judge_->shut_down());
  make();
  EXPECT_DOUBLE_EQ(judge_->record().last_day(0).sessions, 40);
}

// What a set could not hold is counted, over all steps, and never twice.
TEST_F(LiveJudgeTest, DroppedSessionsAreSummedOverTheSteps) {
  judge_->start_step(step(20, 1));
  plane_.sessions.canary.dropped = 3;
  pass(1s);
  pass(1s);
  EXPECT_EQ(judge_->dropped(), 3);
  plane_.sessions.stable.dropped = 2;
  pass(1s);
  EXPECT_EQ(judge_->dropped(), 5);
  plane_.sessions = {};
  judge_->start_step(step(21, 2));
  pass(1s);
  plane_.sessions.canary.dropped = 1;
  pass(1s);
  EXPECT_EQ(judge_->dropped(), 6);
}

TEST_F(LiveJudgeTest, TheBakeCountsEverybody) {
  judge_->start_step(step(20, 1));
  StepFacts bake = step(21, 5);
  bake.bake = true;
  judge_->start_step(bake);
  EXPECT_TRUE(told_.back()->everyone);
}

}  // namespace
}  // namespace control
