#include "shifter/control/autoscaler.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/slowness.h"
#include "tests/unit/control/scale_day.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using policy::Policy;

constexpr int64_t kFast = 300'000;  // us
constexpr int64_t kSlow = 2'000'000;

// Counts that a test makes up, second by second.
struct Day {
  Policy policy;
  ScaleFacts facts;
  std::deque<ScaleSlice> slices[2];

  Day() {
    facts.watching_since = facts.now = base::Instant{} + 100h;
    facts.has_cold = facts.has_agent = true;
    facts.live = {{"blue", 4, 0, &slices[0]}};
  }
  void both() { facts.live.push_back({"green", 4, 0, &slices[1]}); }

  struct Minute {
    int64_t us = kFast;
    int64_t in_flight = 1;
    int64_t requests = 60;  // a minute
    bool usable = true;
    int64_t errors = 0;
  };
  static ScaleSlice slice(base::Instant begin, base::Millis length, const Minute& what,
                          int workers) {
    ScaleSlice one;
    one.begin = begin;
    one.end = begin + length;
    one.usable = what.usable;
    size_t bucket = 0;
    while (bucket < base::kLatencyEdgesUs.size() && what.us > base::kLatencyEdgesUs[bucket]) {
      ++bucket;
    }
    one.counts[bucket] = what.requests / policy::kSlices;
    one.errors = what.errors / policy::kSlices;
    one.samples = 10;
    one.in_flight = 10 * what.in_flight;
    one.in_flight_max = what.in_flight;
    one.queue_max = std::max<int64_t>(0, what.in_flight - workers);
    one.waiting = one.queue_max > 0 ? 10 : 0;
    return one;
  }
  // Whole slices of 10 s; the decisions after each of them.
  std::vector<ScaleDecision> pass(base::Millis time, const Minute& blue,
                                  std::optional<Minute> green = std::nullopt) {
    std::vector<ScaleDecision> decisions;
    for (; time > 0ms; time -= 10s) {
      const Minute* what[] = {&blue, green ? &*green : nullptr};
      for (size_t i = 0; i < 2; ++i) {
        if (what[i] == nullptr) continue;
        const int workers = i < facts.live.size() ? facts.live[i].workers.value_or(4) : 4;
        slices[i].push_back(slice(facts.now, 10s, *what[i], workers));
      }
      facts.now += 10s;
      facts.state = settle(facts.state, facts.now);
      decisions.push_back(decide(policy, facts));
    }
    return decisions;
  }
  ScaleDecision now() const { return decide(policy, facts); }
};

bool is_change(const ScaleDecision& one) {
  return one.kind == ScaleKind::up || one.kind == ScaleKind::down;
}
int64_t changes(const std::vector<ScaleDecision>& decisions) {
  return std::count_if(decisions.begin(), decisions.end(), is_change);
}

const Day::Minute kOverload{kSlow, 8, 120};
const Day::Minute kIdle{kFast, 0, 0};
const Day::Minute kNormal{kFast, 3, 600};

// R52
TEST(Autoscaler, NeverScalesWithoutData) {
  Day day;
  for (int i = 0; i < 7200; ++i) {
    day.facts.now += 1s;
    const ScaleDecision decision = day.now();
    ASSERT_FALSE(is_change(decision)) << decision.text;
    ASSERT_EQ(decision.kind == ScaleKind::blind, i >= 60) << i;
  }
  // It returns as zeros: the whole 15 minutes are needed.
  const auto idle = day.pass(14min + 50s, kIdle);
  EXPECT_EQ(changes(idle), 0);
  EXPECT_EQ(idle.back().why, ScaleWhy::collecting);
  EXPECT_EQ(text_of(day.pass(10s, kIdle).back()), "down(4 to 3)");
}

TEST(Autoscaler, IsBlindWhenTheColorWasDownOrWhatItKnowsIsOld) {
  Day day;
  day.pass(15min, kOverload);
  ASSERT_TRUE(is_change(day.now()));
  Day::Minute down = kOverload;
  down.usable = false;
  EXPECT_EQ(changes(day.pass(10s, down)), 0);
  EXPECT_EQ(day.pass(1min, down).back().kind, ScaleKind::blind);

  Day old;
  old.pass(15min, kOverload);
  old.facts.now += 61s;
  EXPECT_EQ(old.now().why, ScaleWhy::no_data);
  old.facts.live.clear();
  EXPECT_EQ(old.now().why, ScaleWhy::no_live_color);
}

TEST(Autoscaler, AGapBeginsTheTimeAnew) {
  Day day;
  day.pass(4min, kOverload);
  day.facts.now += 10s;
  EXPECT_EQ(changes(day.pass(4min + 50s, kOverload)), 0);
  EXPECT_EQ(changes(day.pass(10s, kOverload)), 1);
}

// R53
TEST(Autoscaler, ForFiveMinutesMeansFiveMinutes) {
  Day near;
  near.pass(2min, kNormal);
  EXPECT_EQ(changes(near.pass(4min + 50s, kOverload)), 0);
  EXPECT_EQ(changes(near.pass(10min, kNormal)), 0);

  Day whole;
  whole.pass(2min, kNormal);
  auto decisions = whole.pass(5min, kOverload);
  ASSERT_EQ(changes(decisions), 1);
  EXPECT_EQ(text_of(decisions.back()), "up(4 to 6)");
  EXPECT_NE(decisions.back().text.find("100.0 % of 600 requests above 1.2 s in 5m (p95 2.5 s)"),
            std::string::npos)
      << decisions.back().text;
  // Once: it is under way, then it has just been done.
  whole.facts.acting = true;
  EXPECT_EQ(changes(whole.pass(3min, kOverload)), 0);
  whole.facts.acting = false;
  whole.facts.state = change_succeeded(whole.facts.state, whole.facts.now);
  whole.facts.live[0].workers = 6;
  EXPECT_EQ(changes(whole.pass(9min + 50s, kOverload)), 0);
  EXPECT_EQ(text_of(whole.pass(10s, kOverload).back()), "up(6 to 8)");
}

TEST(Autoscaler, OneMinuteBelowIsEnoughToWait) {
  Day day;
  day.pass(2min, kOverload);
  day.pass(1min, kNormal);
  EXPECT_EQ(changes(day.pass(4min + 50s, kOverload)), 0);
}

TEST(Autoscaler, FewRequestsTellNothing) {
  Day day;
  EXPECT_EQ(day.pass(10min, {kSlow, 8, 54}).back().why, ScaleWhy::few_requests);
  Day more;
  EXPECT_EQ(text_of(more.pass(10min, {kSlow, 8, 60}).back()), "up(4 to 6)");
}

// R56
TEST(Autoscaler, ASlowDatabaseAddsNoWorkers) {
  Day day;
  const auto decisions = day.pass(30min, {3'000'000, 3, 120});
  EXPECT_EQ(changes(decisions), 0);
  EXPECT_EQ(text_of(decisions.back()), "hold(not_queueing)");
  EXPECT_NE(decisions.back().text.find("in flight 3.00 (most 3), queue at most 0, waiting 0.0 %"),
            std::string::npos)
      << decisions.back().text;
}

// R65
TEST(Autoscaler, BurstsAreSeenThoughTheMeanIsLow) {
  Day day;
  for (int i = 0; i < 30; ++i) {
    ScaleSlice one = Day::slice(day.facts.now, 10s, {kFast, 0, 600}, 4);
    one.counts = {};
    one.counts[9] = 80;   // up to 0.6 s
    one.counts[12] = 20;  // up to 2.5 s: those who waited for the rest of their burst
    one.samples = 100;
    one.in_flight = 100;  // mean 1
    one.in_flight_max = 10;
    one.queue_max = 6;
    one.waiting = 12;
    day.slices[0].push_back(one);
    day.facts.now += 10s;
  }
  const ScaleDecision decision = day.now();
  EXPECT_EQ(text_of(decision), "up(4 to 6)");
  EXPECT_NE(decision.text.find("in flight 1.00 (most 10), queue at most 6, waiting 12.0 %"),
            std::string::npos)
      << decision.text;
}

TEST(Autoscaler, GoesDownByLittlesLawOnly) {
  Day busy;
  busy.facts.live[0].workers = 5;
  EXPECT_EQ(busy.pass(20min, {kFast, 3, 600}).back().why, ScaleWhy::utilisation);  // 3 / 4 > 0.6
  Day fits;
  fits.facts.live[0].workers = 6;
  EXPECT_EQ(text_of(fits.pass(20min, {kFast, 3, 600}).back()), "down(6 to 5)");  // 3 / 5
}

TEST(Autoscaler, FastErrorsAreNotSpeed) {
  Day day;
  Day::Minute broken{5'000, 0, 600};
  broken.errors = 300;
  EXPECT_EQ(day.pass(20min, broken).back().why, ScaleWhy::errors);
}

// R55: an idle Odoo that is above the lower threshold says so, or goes down by Little's law.
TEST(Autoscaler, SaysThatTheLowerThresholdCannotBeReached) {
  Day day;
  day.facts.live[0].workers = 16;
  const auto decisions = day.pass(20min, {650'000, 0, 60});
  EXPECT_EQ(text_of(decisions.back()), "hold(down_threshold_unreachable)");
  EXPECT_NE(decisions.back().text.find("p95 0.9 s"), std::string::npos);
  day.policy.down.rule = policy::DownRule::little;
  EXPECT_EQ(text_of(day.now()), "down(16 to 15)");
}

// R42, R58: cooldowns count from the end of the last change, whatever its direction was.
TEST(Autoscaler, WaitsAfterAChangeInEitherDirection) {
  Day day;
  day.facts.live[0].workers = 6;
  day.facts.state = change_succeeded({}, day.facts.now);
  EXPECT_EQ(day.pass(29min + 50s, {kFast, 1, 600}).back().why, ScaleWhy::cooldown);
  EXPECT_EQ(text_of(day.pass(10s, {kFast, 1, 600}).back()), "down(6 to 5)");
  Day up;
  up.facts.state = change_succeeded({}, up.facts.now);
  EXPECT_EQ(up.pass(9min + 50s, kOverload).back().why, ScaleWhy::cooldown);
  EXPECT_EQ(text_of(up.pass(10s, kOverload).back()), "up(4 to 6)");
}

// R58: refused or failed is not done.
TEST(Autoscaler, BacksOffAfterFailuresAndFreezesAfterThree) {
  Day day;
  day.policy.retry.failures = 4;
  day.pass(5min, kOverload);
  const base::Millis pauses[] = {1min, 2min, 4min};
  for (base::Millis pause : pauses) {
    ASSERT_EQ(text_of(day.now()), "up(4 to 6)");
    day.facts.state = change_failed(day.facts.state, day.policy.retry, day.facts.now);
    EXPECT_FALSE(day.facts.state.changed.has_value());
    EXPECT_EQ(day.pass(pause - 10s, kOverload).back().why, ScaleWhy::backing_off);
    day.pass(10s, kOverload);
  }
  EXPECT_EQ(text_of(day.now()), "up(4 to 6)");
  day.facts.state = change_failed(day.facts.state, day.policy.retry, day.facts.now);
  EXPECT_EQ(changes(day.pass(24h, kOverload)), 0);
  EXPECT_EQ(text_of(day.now()), "hold(frozen_failures)");
  day.facts.state = set_automatic(day.facts.state);
  EXPECT_EQ(text_of(day.now()), "up(4 to 6)");

  ScaleState state;
  const policy::Retry defaults;
  for (int i = 0; i < 3; ++i) state = change_failed(state, defaults, day.facts.now);
  EXPECT_TRUE(state.frozen);
  policy::Retry patient;
  patient.failures = 20;
  for (int i = 0; i < 17; ++i) state = change_failed(state, patient, day.facts.now);
  EXPECT_EQ(*state.retry_at - day.facts.now, 1h);
  EXPECT_EQ(change_succeeded(state, day.facts.now).failures, 0);
}

TEST(Autoscaler, AnotherActorsTurnCountsNoFailure) {
  Day day;
  day.pass(5min, kOverload);
  day.facts.state = change_refused(day.facts.state, day.policy.retry, day.facts.now);
  EXPECT_EQ(day.facts.state.failures, 0);
  EXPECT_EQ(day.pass(50s, kOverload).back().why, ScaleWhy::backing_off);
  EXPECT_EQ(text_of(day.pass(10s, kOverload).back()), "up(4 to 6)");
}

// R59
TEST(Autoscaler, IsRefusedDuringARollout) {
  Day day;
  day.facts.rollout = true;
  const auto decisions = day.pass(30min, kOverload);
  EXPECT_EQ(changes(decisions), 0);
  EXPECT_EQ(text_of(decisions.back()), "refused(rollout)");
  day.facts.rollout = false;
  day.slices[0].clear();  // as the windows do at its end
  EXPECT_EQ(changes(day.pass(4min + 50s, kOverload)), 0);
  EXPECT_EQ(changes(day.pass(10s, kOverload)), 1);
}

// R61
TEST(Autoscaler, LooksAtColorsThatServeAndTheWorstWins) {
  Day canary;  // green is the slow canary: not among the live ones
  canary.facts.live[0].workers = 5;
  const auto decisions = canary.pass(20min, kNormal, kOverload);
  EXPECT_EQ(changes(decisions), 0);

  Day both;
  both.both();
  both.policy.apply = policy::Apply::live;
  const auto split = both.pass(5min, {kFast, 0, 60}, kOverload);
  EXPECT_EQ(text_of(split.back()), "up(4 to 6)");
  EXPECT_EQ(split.back().color, 1u);
  // One fast color alone is not enough to shrink.
  Day mixed;
  mixed.both();
  mixed.policy.apply = policy::Apply::live;
  EXPECT_EQ(changes(mixed.pass(40min, {kFast, 0, 60}, Day::Minute{kFast, 3, 600})), 0);
  Day idle;
  idle.both();
  idle.policy.apply = policy::Apply::live;
  EXPECT_EQ(text_of(idle.pass(40min, kIdle, kIdle).back()), "down(4 to 3)");
  // Both serve: nobody stands by for a redeploy.
  both.policy.apply = policy::Apply::redeploy;
  both.facts.has_cold = false;
  EXPECT_EQ(text_of(both.now()), "refused(no_cold_color)");
}

// R62
TEST(Autoscaler, StaysWithinItsBoundsAndTheMachine) {
  Day day;
  day.facts.live[0].workers = 8;
  day.facts.machine.cpus = 4;
  day.facts.machine.memory_free = int64_t{1} << 30;
  Day::Minute overload{kSlow, 20, 120};
  EXPECT_EQ(text_of(day.pass(10min, overload).back()), "refused(cpu 9, ram)");

  day.facts.machine = {};
  day.facts.machine.connections = 88;
  day.facts.machine.connections_max = 100;
  EXPECT_EQ(text_of(day.now()), "refused(connections)");
  day.facts.machine = {};
  day.facts.live[0].slots = 9;
  EXPECT_EQ(text_of(day.now()), "refused(slots)");
  day.facts.live[0].slots = 10;
  EXPECT_EQ(text_of(day.now()), "up(8 to 10)");
  day.facts.has_agent = false;
  EXPECT_EQ(text_of(day.now()), "refused(no_agent)");
  day.facts.has_agent = true;
  day.facts.live[0].slots = 0;
  day.facts.live[0].workers = 15;
  EXPECT_EQ(text_of(day.now()), "up(15 to 16)");
  day.facts.live[0].workers = 16;
  EXPECT_EQ(day.now().why, ScaleWhy::at_max);
  day.facts.live[0].workers.reset();
  EXPECT_EQ(day.now().why, ScaleWhy::workers_unknown);

  Day low;
  low.facts.live[0].workers = 2;
  EXPECT_EQ(low.pass(20min, kIdle).back().why, ScaleWhy::at_min);
}

TEST(Autoscaler, ARedeployNeedsRoomForBothColors) {
  policy::Policy policy;
  ScaleColor color{"blue", 8, 0, nullptr};
  ScaleMachine machine;
  machine.memory_free = int64_t{3} << 30;  // 7 workers and the reserve
  EXPECT_EQ(limits_of(policy, machine, color, 8, 7), "");
  EXPECT_EQ(limits_of(policy, machine, color, 9, 8), "ram");
  policy.apply = policy::Apply::live;
  EXPECT_EQ(limits_of(policy, machine, color, 8, 10), "");
  EXPECT_EQ(limits_of(policy, machine, color, 9, 8), "");
}

// R66
TEST(Autoscaler, AnOperatorsNumberHoldsForItsTime) {
  Day day;
  day.facts.live[0].workers = 4;
  day.facts.state.mode = ScaleMode::number;
  day.facts.state.number = 6;
  day.facts.state.until = day.facts.now + 2h;
  day.facts.state.changed = day.facts.now;  // no pause for what a person asks
  EXPECT_EQ(text_of(day.pass(10s, kIdle).back()), "up(4 to 6)");
  day.facts.live[0].workers = 6;
  const auto held = day.pass(2h - 20s, kIdle);
  EXPECT_EQ(changes(held), 0);
  EXPECT_EQ(text_of(held.back()), "hold(as_asked)");
  EXPECT_EQ(text_of(day.pass(10s, kIdle).back()), "down(6 to 5)");

  Day frozen;
  frozen.facts.state.mode = ScaleMode::freeze;
  frozen.facts.state.until = frozen.facts.now + 2h;
  EXPECT_EQ(changes(frozen.pass(2h - 10s, kOverload)), 0);
  EXPECT_EQ(text_of(frozen.now()), "hold(frozen_by_operator)");
  EXPECT_EQ(changes(frozen.pass(10s, kOverload)), 1);
}

TEST(Autoscaler, NeverLeavesItsBoundsWhateverItSees) {
  const unsigned seed = 20260701;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Day day;
  int workers = 4;
  for (int i = 0; i < (support::kSlowness > 1 ? 600 : 3000); ++i) {
    const Day::Minute minute{random() % 2 == 0 ? kFast : kSlow, static_cast<int64_t>(random() % 30),
                             static_cast<int64_t>(random() % 1000), random() % 50 != 0, 0};
    const auto decisions =
        day.pass(base::Millis{10'000} * static_cast<int>(1 + random() % 60), minute);
    const ScaleDecision& last = decisions.back();
    while (day.slices[0].size() > 400) day.slices[0].pop_front();
    if (!is_change(last)) continue;
    ASSERT_GE(last.to, day.policy.min_workers);
    ASSERT_LE(last.to, day.policy.max_workers);
    ASSERT_EQ(last.from, workers);
    ASSERT_LE(last.to - last.from, 2);
    ASSERT_GE(last.to - last.from, -1);
    workers = last.to;
    day.facts.live[0].workers = workers;
    day.facts.state = change_succeeded(day.facts.state, day.facts.now);
  }
}

// R54: 3.75 erlang at a mean of 0.15 s, where the first design's policy swings for ever.
TEST(Autoscaler, DoesNotSwingAtTheEdge) {
  for (unsigned seed = 1; seed <= (support::kSlowness > 1 ? 1 : 3); ++seed) {
    SCOPED_TRACE(seed);
    for (int start : {4, 5}) {
      const DayResult day = run_day({0.15, 3.75, start, seed, {}}, ours(Policy{}));
      EXPECT_LE(day.changes, 3) << day.path;
      EXPECT_GE(day.constant_hours, 20) << day.path;
      EXPECT_LE(day.minutes_above, 72) << day.path;  // 5 % of a day
    }
  }
}

// R55: an idle p95 of 0.65 s never falls below the lower threshold.
TEST(Autoscaler, DoesNotStickHigh) {
  const double mean = 0.217;  // -ln(0.05) * 0.217 = 0.65 s
  const DayResult told = run_day({mean, 0.5, 16, 1, {}}, ours(Policy{}));
  EXPECT_EQ(told.changes, 0) << told.path;
  EXPECT_EQ(told.last_hold, "hold(down_threshold_unreachable)");
  Policy little;
  little.down.rule = policy::DownRule::little;
  const DayResult down = run_day({mean, 0.5, 16, 1, {}}, ours(little));
  EXPECT_LE(down.last, 3) << down.path;
  EXPECT_EQ(down.minutes_above, 0) << down.path;
}

}  // namespace
}  // namespace control
