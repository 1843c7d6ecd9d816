// The judge against invented traffic: fewer runs than ./dev judge-table, with the same seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/support/judge/trial.h"

namespace judge_trials {
namespace {

Truth truth_of(double stable, double canary) {
  Truth truth;
  truth.stable = {stable, 0.02, 0.002};
  truth.canary = {canary, 0.02, 0.002};
  return truth;
}

struct Result {
  int rolled_back = 0;
  std::vector<double> times_s;  // sorted
};

Result run_trials(const Truth& truth, std::vector<int> shares, int runs) {
  Plan plan;
  plan.truth = truth;
  plan.shares = std::move(shares);
  Result result;
  for (int seed = 1; seed <= runs; ++seed) {
    const Outcome outcome = run(plan, static_cast<uint64_t>(seed));
    if (!outcome.rolled_back_s) continue;
    ++result.rolled_back;
    result.times_s.push_back(*outcome.rolled_back_s);
  }
  std::sort(result.times_s.begin(), result.times_s.end());
  return result;
}

// R6, C56
TEST(JudgeTrials, EqualColorsAreSeldomRolledBack) {
  EXPECT_LE(run_trials(truth_of(0.005, 0.005), {10}, 300).rolled_back, 15);
  EXPECT_LE(run_trials(truth_of(0.02, 0.02), {5, 10, 25, 50}, 60).rolled_back, 3);
}

// R7
TEST(JudgeTrials, AClearlyBrokenCanaryGoesWithinSeconds) {
  const Result result = run_trials(truth_of(0.005, 0.5), {10}, 300);
  ASSERT_EQ(result.rolled_back, 300);
  EXPECT_LE(result.times_s[150], 30);
  EXPECT_LE(result.times_s.back(), 120);
}

// R8
TEST(JudgeTrials, ASubtleRegressionIsFoundBefore100) {
  EXPECT_GE(run_trials(truth_of(0.005, 0.02), {5, 10, 25, 50}, 100).rolled_back, 95);
}

// R9
TEST(JudgeTrials, RetryLoopsCondemnNobody) {
  for (const int share : {10, 50}) {
    Truth truth = truth_of(0.005, 0.005);
    truth.retries = 6;
    EXPECT_LE(run_trials(truth, {share}, 200).rolled_back, 10) << share;
  }
}

TEST(JudgeTrials, ASlowReleaseIsFound) {
  Truth truth = truth_of(0.005, 0.005);
  truth.canary[1] = 0.08;
  EXPECT_GE(run_trials(truth, {5, 10, 25, 50}, 50).rolled_back, 48);
}

// Must be found: HTTP 200 with an error inside.
TEST(JudgeTrials, AReleaseThatBreaksOnlyJsonRpcIsFound) {
  Truth truth = truth_of(0.005, 0.005);
  truth.canary[2] = 0.1;
  EXPECT_GE(run_trials(truth, {5, 10, 25, 50}, 50).rolled_back, 48);
}

}  // namespace
}  // namespace judge_trials
