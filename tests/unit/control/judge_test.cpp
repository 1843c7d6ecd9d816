// What the judge says of counts that a test writes.
#include "shifter/control/judge.h"

#include <gtest/gtest.h>

#include <cmath>

namespace control {
namespace {

using namespace std::chrono_literals;
using routing::ColorCounts;
using routing::Fault;

constexpr base::Instant kJudgeStart{std::chrono::hours(1)};

class FixedHistory final : public TrafficHistory {
 public:
  Traffic day;
  Traffic hour;
  Traffic last_day(routing::ColorIndex) const override { return day; }
  Traffic last_hour(routing::ColorIndex) const override { return hour; }
};

class JudgeTest : public testing::Test {
 protected:
  JudgeTest() {
    history_.day.hours = 24;
    history_.day.sessions = 10'000;
    step_.epoch = 20;
    step_.number = 1;
    step_.share = 10;
    step_.canary = 1;
    step_.stable = 0;
    step_.started = kJudgeStart;
    step_.now = kJudgeStart + 10min;
    counts_.step = 20;
  }

  void start() { judge_.start_step(step_); }
  Verdict look() {
    judge_.observe(counts_);
    return judge_.look(step_);
  }
  static void fill(ColorCounts& color, double sessions, int64_t requests) {
    color.groups[0].exposed = sessions;
    color.requests = color.measured = requests;
  }
  void fill_enough() {
    fill(counts_.canary, 300, 3'000);
    fill(counts_.stable, 2'700, 27'000);
  }
  static uint64_t& faulty(ColorCounts& color, Fault fault) {
    return color.groups[0].faulty[static_cast<size_t>(fault)];
  }

  FixedHistory history_;
  Judge judge_{history_};
  StepFacts step_;
  routing::SessionCounts counts_;
};

TEST_F(JudgeTest, IsGoodWhenEverySignalWasMeasuredAndNoneIsWorse) {
  start();
  fill_enough();
  faulty(counts_.canary, Fault::error) = 3;
  faulty(counts_.stable, Fault::error) = 30;
  const Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::good);
  EXPECT_EQ(verdict.reason, Reason::none);
  ASSERT_EQ(verdict.signals.size(), 3u);
  EXPECT_TRUE(verdict.signals[0].enough);
  EXPECT_EQ(verdict.signals[0].canary_exposed, 300u);
}

// A verdict is made of its inputs and of nothing else: stored and read they give the same one.
TEST_F(JudgeTest, AVerdictIsMadeAgainFromItsInputs) {
  start();
  fill_enough();
  counts_.canary.groups[1].exposed = 1'234.5678901234;
  counts_.canary.rpc_answers = 40;
  counts_.canary.rpc_unknown = 50;
  counts_.run = {21, 4, 30, 1};
  for (const uint64_t faulty_now : {0, 4, 90}) {
    faulty(counts_.canary, Fault::error) = faulty_now;
    for (const bool bake : {false, true}) {
      step_.bake = bake;
      history_.hour = {1, 300, {0.01, 0, 0}, 3'000, 30};
      const Verdict said = look();
      const auto inputs = read_inputs(judge_.inputs(step_));
      ASSERT_TRUE(inputs.has_value());
      const Verdict again = verdict_of(*inputs);
      EXPECT_EQ(again.kind, said.kind);
      EXPECT_EQ(again.reason, said.reason);
      EXPECT_EQ(again.text, said.text);
      for (size_t i = 0; i < said.signals.size(); ++i) {
        EXPECT_EQ(again.signals[i].e_value, said.signals[i].e_value);
        EXPECT_EQ(again.signals[i].missing, said.signals[i].missing);
      }
      EXPECT_LT(judge_.inputs(step_).size(), 2'048u);
    }
  }
  for (const char* text : {"", "[]", "{}", "{\"share\":1}", "{\"share\":\"x\"}"}) {
    EXPECT_FALSE(read_inputs(text).has_value()) << text;
  }
}

// R2: three requests are neither good nor bad.
TEST_F(JudgeTest, TooLittleIsNotEnoughHoweverLongItTakes) {
  start();
  fill(counts_.canary, 3, 3);
  fill(counts_.stable, 27, 27);
  step_.now = kJudgeStart + 20h;
  const Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::not_enough);
  EXPECT_EQ(verdict.text, "no_evidence(error): 3/100 sessions");
}

// R3: evidence is carried on, floors are not.
TEST_F(JudgeTest, AnEarlierStepDoesNotFillTheFloorsOfThisOne) {
  start();
  fill_enough();
  faulty(counts_.canary, Fault::error) = 2;
  look();
  const double carried = judge_.e_value(Signal::error);
  EXPECT_GT(carried, 1.5);
  step_.epoch = 21;
  step_.number = 2;
  start();
  counts_ = {};
  counts_.step = 21;
  EXPECT_EQ(look().kind, Verdict::Kind::not_enough);
  EXPECT_EQ(judge_.e_value(Signal::error), carried);
}

TEST_F(JudgeTest, CountsOfAnotherStepAreNotLookedAt) {
  start();
  fill_enough();
  counts_.step = 19;
  faulty(counts_.canary, Fault::error) = 200;
  EXPECT_EQ(look().kind, Verdict::Kind::not_enough);
}

TEST_F(JudgeTest, ANewRolloutStartsWithoutEvidence) {
  start();
  fill_enough();
  faulty(counts_.canary, Fault::error) = 4;
  look();
  step_.epoch = 30;
  start();
  EXPECT_EQ(judge_.e_value(Signal::error), 1);
}

// R19: the stored value holds, the floors start anew.
TEST_F(JudgeTest, ARestartKeepsTheEvidenceAndNothingElse) {
  start();
  fill_enough();
  faulty(counts_.canary, Fault::error) = 2;
  look();
  Judge after(history_);
  after.restore(judge_.save());
  after.start_step(step_);
  EXPECT_DOUBLE_EQ(after.e_value(Signal::error), judge_.e_value(Signal::error));
  EXPECT_EQ(after.look(step_).kind, Verdict::Kind::not_enough);
}

TEST_F(JudgeTest, WhatWasStoredAndMakesNoSenseIsNoEvidence) {
  for (const char* saved :
       {"", "[]", "{\"step\":1}", "{\"step\":1,\"log_e\":[[9],[9],[9]]}",
        "{\"step\":-1,\"log_e\":[]}",
        "{\"step\":1,\"log_e\":[[1e9,0,0,0,0,0],[0,0,0,0,0,0],[0,0,0,0,0,0]]}"}) {
    judge_.restore(saved);
    judge_.start_step(step_);
    EXPECT_EQ(judge_.e_value(Signal::error), 1) << saved;
  }
}

// R11
TEST_F(JudgeTest, BothBrokenIsNotEqualSoGood) {
  start();
  fill_enough();
  counts_.canary.errors = 1'200;
  counts_.stable.errors = 10'800;
  faulty(counts_.canary, Fault::error) = 240;
  faulty(counts_.stable, Fault::error) = 2'160;
  const Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::stable_unhealthy);
  EXPECT_EQ(verdict.reason, Reason::stable_unhealthy);
}

// R11
TEST_F(JudgeTest, AnUnhealthyStableColorIsNotStartedFrom) {
  history_.hour.requests = 1'000;
  history_.hour.errors = 400;
  EXPECT_NE(judge_.stable_fault(0, kJudgeStart), "");
  history_.hour.errors = 20;
  EXPECT_EQ(judge_.stable_fault(0, kJudgeStart), "");
}

// R12
TEST_F(JudgeTest, AStableColorWithoutErrorsIsAControl) {
  start();
  fill(counts_.canary, 300, 3'000);
  fill(counts_.stable, 5'000, 50'000);
  faulty(counts_.canary, Fault::error) = 6;
  const Verdict verdict = look();
  EXPECT_GE(judge_.e_value(Signal::error), 20);
  EXPECT_EQ(verdict.kind, Verdict::Kind::worse);
  EXPECT_EQ(verdict.reason, Reason::error);
}

// R13: a few very slow requests are all counted, and their times told.
TEST_F(JudgeTest, OutliersAreNotThrownAway) {
  start();
  fill_enough();
  counts_.canary.slow = 60;  // 2 % at 30 s
  counts_.canary.p99_us = 30'000'000;
  counts_.canary.max_us = 30'100'000;
  faulty(counts_.canary, Fault::slow) = 55;
  faulty(counts_.stable, Fault::slow) = 27;
  const Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::worse);
  EXPECT_EQ(verdict.reason, Reason::slow);
  EXPECT_NE(verdict.text.find("canary p99 30.00 s, most 30.10 s"), std::string::npos)
      << verdict.text;
}

// R14
TEST_F(JudgeTest, EverySignalMustHaveBeenMeasured) {
  start();
  fill_enough();
  counts_.canary.measured = 40;  // the rest was warm-up
  Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::not_enough);
  EXPECT_EQ(verdict.text, "no_evidence(slow): 40/100 requests after the warm-up");
  EXPECT_TRUE(verdict.signals[0].enough);
  EXPECT_FALSE(verdict.signals[1].enough);

  counts_.canary.measured = 3'000;
  counts_.stable.rpc_answers = 900;
  EXPECT_EQ(look().text, "no_evidence(rpc_error): no JSON-RPC answer of the canary");
  counts_.canary.rpc_answers = 40;
  counts_.canary.rpc_unknown = 60;
  EXPECT_NE(look().text.find("60 of 100 JSON-RPC answers"), std::string::npos);
  counts_.canary.rpc_answers = 100;
  EXPECT_EQ(look().kind, Verdict::Kind::good);
}

TEST_F(JudgeTest, DroppedSessionsAreNoEvidence) {
  start();
  fill_enough();
  counts_.stable.dropped = 1;
  faulty(counts_.canary, Fault::error) = 100;
  const Verdict verdict = look();
  EXPECT_EQ(verdict.kind, Verdict::Kind::not_enough);
  EXPECT_EQ(judge_.e_value(Signal::error), 1);
}

TEST_F(JudgeTest, FailuresInARowOfSeveralSessionsAreAHardLimit) {
  start();
  fill(counts_.canary, 5, 20);
  fill(counts_.stable, 50, 200);
  counts_.run = {20, 3, 180, 2};
  EXPECT_EQ(look().kind, Verdict::Kind::hard_limit);
  counts_.run.sessions = 2;  // two users in a retry loop
  EXPECT_EQ(look().kind, Verdict::Kind::not_enough);
  counts_.run = {20, 3, 100, 90};  // the database is away for both
  EXPECT_EQ(look().kind, Verdict::Kind::not_enough);
}

TEST_F(JudgeTest, WithoutAControlOnlyHardLimitsAct) {
  step_.stable = routing::kNoColor;
  start();
  fill(counts_.canary, 40, 400);
  counts_.canary.errors = 99;
  faulty(counts_.canary, Fault::error) = 12;
  EXPECT_NE(look().kind, Verdict::Kind::hard_limit);
  counts_.canary.errors = 100;
  EXPECT_EQ(look().kind, Verdict::Kind::hard_limit);
}

TEST_F(JudgeTest, TheBakeLooksAtTheLastHourOfTheOldColor) {
  step_.bake = true;
  step_.share = 100;
  history_.hour.sessions = 400;
  history_.hour.faulty_ratio[0] = 0.02;
  start();
  fill(counts_.canary, 300, 3'000);
  faulty(counts_.canary, Fault::error) = 29;
  EXPECT_EQ(look().kind, Verdict::Kind::good);  // 10 %, and 4 % happens: below three times that
  faulty(counts_.canary, Fault::error) = 39;
  EXPECT_EQ(look().kind, Verdict::Kind::hard_limit);
}

TEST_F(JudgeTest, FloorsFitTheCompany) {
  EXPECT_EQ(floor_of(100'000, 5), 100);
  EXPECT_EQ(floor_of(800, 5), 20);
  EXPECT_EQ(floor_of(800, 50), 100);
  EXPECT_EQ(floor_of(50, 5), 5);
  EXPECT_EQ(floor_of(0, 5), 5);
}

TEST_F(JudgeTest, ScalesHaveNoFloors) {
  step_.no_floors = true;
  start();
  EXPECT_EQ(look().kind, Verdict::Kind::good);
}

// The sum over all that can happen next is one: under "no difference" nothing is gained on average.
TEST(Evidence, IsFairUnderNoDifference) {
  for (const double share : {0.02, 0.1, 0.5, 0.9}) {
    FaultEvents events;
    events.canary_at_risk = 1e6 * share;  // so many that one more does not matter
    events.stable_at_risk = 1e6 * (1 - share);
    Evidence canary;
    events.canary = 1;
    canary.add(events);
    Evidence stable;
    events.canary = 0;
    events.stable = 1;
    stable.add(events);
    EXPECT_NEAR(share * canary.e_value() + (1 - share) * stable.e_value(), 1, 1e-3) << share;
    EXPECT_GT(canary.e_value(), 1);
    EXPECT_LT(stable.e_value(), 1);
  }
}

TEST(Evidence, LearnsNothingWithoutAControl) {
  Evidence evidence;
  FaultEvents events;
  events.canary = 5;
  events.canary_at_risk = 10;
  evidence.add(events);
  EXPECT_EQ(evidence.e_value(), 1);
}

TEST(Evidence, StaysANumber) {
  Evidence evidence;
  FaultEvents events;
  events.canary = 1'000'000;
  events.canary_at_risk = 1'000'000;
  events.stable_at_risk = 1e9;
  evidence.add(events);
  EXPECT_TRUE(std::isfinite(evidence.e_value()));
}

TEST_F(JudgeTest, PowerSaysWhatADayCanShow) {
  history_.day.sessions = 40'000;
  history_.day.faulty_ratio = {0.09, 0.2, 0.01};
  const JudgeView::Power large = judge_.power(0, {5, 10, 25, 50, 100});
  EXPECT_TRUE(large.recorded);
  EXPECT_FALSE(large.weak) << large.text;
  history_.day.sessions = 30;
  const JudgeView::Power small = judge_.power(0, {5, 10, 25, 50, 100});
  EXPECT_TRUE(small.weak) << small.text;
  history_.day.sessions = 10'000;  // can be found, but not within the longest hold
  EXPECT_NE(judge_.power(0, {5, 100}).text.find("needs about 4.8 hours"), std::string::npos);
  history_.day.hours = 2;
  EXPECT_FALSE(judge_.power(0, {50, 100}).recorded);
  history_.day = {};
  EXPECT_TRUE(judge_.power(0, {50, 100}).weak);
}

}  // namespace
}  // namespace control
