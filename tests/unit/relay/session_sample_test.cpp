#include "proxy/relay/session_sample.h"

#include <gtest/gtest.h>

#include <cmath>

namespace relay {
namespace {

using routing::DistinctCount;
using routing::Fault;
using routing::Group;
using routing::SessionSet;

uint64_t id_of(uint64_t number) {  // looks random, as nonces do
  number *= 0x9E3779B97F4A7C15u;
  return (number ^ (number >> 29)) | 1;
}

TEST(DistinctCount, IsCloseFromFewToMany) {
  for (const uint64_t many : {1u, 5u, 100u, 1'000u, 10'000u, 200'000u}) {
    DistinctCount count;
    for (uint64_t i = 0; i < many; ++i) {
      count.add(id_of(i));
      count.add(id_of(i));
    }
    const auto whole = static_cast<double>(many);
    EXPECT_NEAR(count.estimate(), whole, std::max(0.6, whole * 0.06)) << many;
  }
}

TEST(DistinctCount, MergedIsTheUnion) {
  DistinctCount one;
  DistinctCount two;
  for (uint64_t i = 0; i < 300; ++i) one.add(id_of(i));
  for (uint64_t i = 200; i < 400; ++i) two.add(id_of(i));
  one.merge(two);
  EXPECT_NEAR(one.estimate(), 400, 12);
}

TEST(SessionSet, IsExactAndFullAtItsLimit) {
  SessionSet set;
  for (uint64_t i = 0; i < SessionSet::kMost; ++i) {
    ASSERT_EQ(set.add(id_of(i)), SessionSet::Added::yes);
  }
  EXPECT_EQ(set.add(id_of(5)), SessionSet::Added::known);
  EXPECT_EQ(set.add(id_of(1'000'000)), SessionSet::Added::full);
  EXPECT_EQ(set.size(), SessionSet::kMost);
  EXPECT_TRUE(set.contains(id_of(7)));
  EXPECT_FALSE(set.contains(id_of(1'000'000)));
}

TEST(SessionFilter, KnowsTwoStepsAndForgetsTheOneBefore) {
  SessionFilter filter;
  filter.begin(7);
  filter.step(7)->add(id_of(1), Group::drawn);
  filter.begin(7);  // the same step in another table
  EXPECT_EQ(filter.step(7)->group_of(id_of(1)), Group::drawn);
  filter.begin(8);
  EXPECT_EQ(filter.step(7)->group_of(id_of(1)), Group::drawn);
  EXPECT_EQ(filter.step(8)->group_of(id_of(1)), std::nullopt);
  filter.begin(9);
  EXPECT_FALSE(filter.step(7).has_value());
  EXPECT_FALSE(filter.step(0).has_value());
}

TEST(SessionFilter, SeldomTakesOneForAnother) {
  SessionFilter filter;
  filter.begin(1);
  SessionFilter::Step step = *filter.step(1);
  for (uint64_t i = 0; i < 40'000; ++i) step.add(id_of(i), Group::redrawn);
  int wrong = 0;
  for (uint64_t i = 0; i < 40'000; ++i) {
    ASSERT_EQ(step.group_of(id_of(i)), Group::redrawn);
    if (step.group_of(id_of(i + 1'000'000))) ++wrong;
  }
  EXPECT_LT(wrong, 400);
}

class SessionSampleTest : public testing::Test {
 protected:
  SessionSampleTest() {
    step_.id = 3;
    step_.canary = 1;
    step_.stable = 0;
    filter_.begin(3);
    sample_.apply(step_);
  }
  void note(routing::ColorIndex color, uint64_t session, bool failed = false, int64_t us = 50'000,
            RpcOutcome rpc = RpcOutcome::none) {
    sample_.note({color, session, Group::drawn, failed, us, rpc});
  }
  routing::SessionCounts counts() const { return sample_.parts().counts(3); }

  SessionFilter filter_;
  SessionSample sample_{filter_};
  routing::JudgeStep step_;
};

// R9: one session with 500 errors counts once.
TEST_F(SessionSampleTest, ASessionCountsOnceASignal) {
  for (int i = 0; i < 500; ++i) note(1, 42, true);
  note(1, 42, false, 2'000'000);
  EXPECT_EQ(counts().canary.faulty(Fault::error), 1u);
  EXPECT_EQ(counts().canary.faulty(Fault::slow), 1u);
  EXPECT_EQ(std::lround(counts().canary.exposed()), 1);
  EXPECT_EQ(counts().canary.errors, 500);
}

TEST_F(SessionSampleTest, WhoWasNotDrawnInThisStepIsOutside) {
  sample_.note({1, 42, std::nullopt, true, 0, RpcOutcome::none});
  EXPECT_EQ(counts().canary.exposed(), 0);
  EXPECT_EQ(counts().canary.errors, 1);  // for the hard limits
  sample_.mark(42, 1, Group::redrawn);
  sample_.note({1, 42, std::nullopt, true, 0, RpcOutcome::none});
  EXPECT_EQ(counts().canary.groups[1].faulty[0], 1u);
  step_.everyone = true;
  sample_.apply(step_);
  sample_.note({0, 43, std::nullopt, false, 0, RpcOutcome::none});
  EXPECT_EQ(std::lround(counts().stable.exposed()), 1);
}

// R17: the first requests are slow, on a color that is as good afterwards.
TEST_F(SessionSampleTest, SlownessOfTheWarmUpIsCountedApart) {
  step_.warm_up_requests = 50;
  sample_.apply(step_);
  for (uint64_t i = 1; i <= 50; ++i) note(1, i, false, 3'000'000);
  note(0, 1'000, false, 3'000'000);  // by now it is warm
  for (uint64_t i = 51; i <= 60; ++i) note(1, i, false, 3'000'000);
  EXPECT_EQ(counts().canary.warm_up, 50);
  EXPECT_EQ(counts().canary.warm_up_slow, 50);
  EXPECT_EQ(counts().canary.faulty(Fault::slow), 10u);
  EXPECT_EQ(counts().canary.measured, 10);
  EXPECT_EQ(counts().stable.faulty(Fault::slow), 1u);
}

TEST_F(SessionSampleTest, ErrorsOfTheWarmUpCountAtOnce) {
  step_.warm_up_requests = 50;
  sample_.apply(step_);
  note(1, 1, true);
  EXPECT_EQ(counts().canary.faulty(Fault::error), 1u);
}

// R13
TEST_F(SessionSampleTest, TheLongestTimesAreKept) {
  for (uint64_t i = 1; i <= 980; ++i) note(1, i, false, 100'000);
  for (uint64_t i = 1; i <= 20; ++i) note(1, i, false, 30'000'000);
  EXPECT_EQ(counts().canary.max_us, 30'000'000);
  EXPECT_GE(counts().canary.p99_us, 28'000'000);
  EXPECT_LE(counts().canary.p99_us, 30'000'000);
  EXPECT_EQ(counts().canary.faulty(Fault::slow), 20u);
}

TEST_F(SessionSampleTest, ARunOfFailuresRemembersWhoAndWhatTheOtherColorDid) {
  note(0, 9);
  note(1, 1, true);
  note(1, 2, true);
  note(0, 9);
  note(0, 9, true);
  note(1, 2, true);
  note(1, 0, true);
  EXPECT_EQ(counts().run.failures, 4);
  EXPECT_EQ(counts().run.sessions, 2);
  EXPECT_EQ(counts().run.stable_good, 1);
  EXPECT_EQ(counts().run.stable_bad, 1);
  note(1, 3);
  EXPECT_EQ(counts().run.failures, 0);
}

TEST_F(SessionSampleTest, DropsAreCounted) {
  for (uint64_t i = 1; i <= SessionSet::kMost + 3; ++i) note(1, id_of(i), true);
  EXPECT_EQ(counts().canary.dropped, 3);
}

TEST_F(SessionSampleTest, AnotherStepStartsAnewAndNoneIsOff) {
  note(1, 1, true);
  step_.id = 4;
  filter_.begin(4);
  sample_.apply(step_);
  EXPECT_EQ(counts().canary.requests, 0);
  sample_.apply(std::nullopt);
  EXPECT_FALSE(sample_.is_on());
}

TEST_F(SessionSampleTest, WorkersAreMergedBySession) {
  SessionSample other(filter_);
  other.apply(step_);
  note(1, 1, true);
  other.note({1, 1, Group::drawn, true, 0, RpcOutcome::none});
  other.note({1, 2, Group::drawn, true, 0, RpcOutcome::unexpected});
  SampleParts sum;
  sum.add(sample_.parts());
  sum.add(other.parts());
  const routing::SessionCounts counts = sum.counts(3);
  EXPECT_EQ(counts.canary.faulty(Fault::error), 2u);
  EXPECT_EQ(counts.canary.requests, 3);
  EXPECT_EQ(std::lround(counts.canary.exposed()), 2);
  EXPECT_EQ(counts.run.failures, 2);
}

}  // namespace
}  // namespace relay
