// Rollouts over restarts: the state file, deadlines on both clocks, what is told, what is counted.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "shifter/control/rollout_families.h"
#include "shifter/control/rollout_views.h"
#include "tests/support/slowness.h"
#include "tests/unit/control/rollout_plant.h"

namespace control {
namespace {

using VerdictKind = Verdict::Kind;

// What a restart may make of a state: the same, or the one before it in safety.
bool is_safe_after(RolloutState before, RolloutState after) { return before == after; }

// R41: the process ends without a word at fifty random ticks of each state.
TEST(RolloutRestart, EveryStateComesBackWithItsWeightsFirst) {
  const unsigned seed = 20260630;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (RolloutState wanted : kRolloutStates) {
    if (wanted == RolloutState::idle) continue;
    for (int round = 0; round < (support::kSlowness > 1 ? 10 : 50); ++round) {
      RolloutPlant p;
      p.configure([](RolloutConfig& c) {
        c.step_min = 10s;
        c.bake = 60s;
      });
      p.judge.say(VerdictKind::good);
      const bool stays = wanted == RolloutState::draining || wanted == RolloutState::rolling_back;
      if (wanted == RolloutState::preparing) p.plant.probe(1, ProbeOutcome::refused);
      if (wanted == RolloutState::stopping) p.agent_comes();
      BeginAsk ask = p.ask(Purpose::canary);
      ask.deploy = false;
      ASSERT_TRUE(p.rollouts->begin(ask));
      if (stays) {
        p.plant.plane.in_flight(0, routing::Kind::http) = 1;
        p.plant.plane.in_flight(1, routing::Kind::http) = 1;
      }
      if (wanted == RolloutState::holding)
        p.judge.say(VerdictKind::not_enough, Reason::no_evidence);
      if (wanted == RolloutState::rolling_back) p.judge.say(VerdictKind::worse, Reason::error);
      for (int i = 0; i < 1'000 && p.now().state != wanted; ++i) {
        if (p.agent_session != 0) (void)p.actions().heard(p.agent_session);
        p.tick(1s);
      }
      ASSERT_EQ(text_of(p.now().state), text_of(wanted));
      for (auto i = random() % 20; i > 0 && p.now().state == wanted; --i) p.tick(100ms);
      const RolloutState before = p.now().state;
      const Fleet fleet = p.plant.loop->fleet();
      p.restart(base::Millis{random() % 3'000});
      const routing::RoutingTable& table = *p.plant.plane.tables.front();  // the very first
      for (size_t i = 0; i < 2; ++i) {
        ASSERT_EQ(table.colors[i].weight, fleet.colors[i].weight) << text_of(wanted);
        ASSERT_EQ(table.colors[i].state, fleet.colors[i].state) << text_of(wanted);
        ASSERT_EQ(table.colors[i].valid_from, fleet.colors[i].valid_from);
      }
      ASSERT_EQ(table.redraw.has_value(), fleet.redraw.has_value()) << text_of(wanted);
      ASSERT_TRUE(is_safe_after(before, p.now().state)) << text_of(before);
      // And it gets to an end, with the fleet on one side.
      p.plant.bring_up();
      p.judge.say(VerdictKind::good);
      for (int i = 0; i < 3'000 && !p.rollouts->is_idle(); ++i) p.tick(1s);
      ASSERT_TRUE(p.rollouts->is_idle()) << text_of(wanted) << " " << p.state();
      ASSERT_EQ(p.weight(0) * p.weight(1), 0) << "half moved";
    }
  }
}

// R42
TEST(RolloutRestart, DeadlinesSurviveAndWhatMustLastBeginsAnew) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(100));
  p.judge.say(VerdictKind::good);
  p.run(18min);
  EXPECT_EQ(p.now().bake_end - p.plant.clock.now(), 12min);
  p.restart(5min);
  EXPECT_EQ(p.now().bake_end - p.plant.clock.now(), 7min);
  p.plant.clock.jump_wall(base::Millis{-86'400'000});
  p.plant.bring_up();
  p.run(6min + 50s);
  EXPECT_EQ(p.state(), "switched");
  p.run(15s);
  EXPECT_EQ(p.state(), "draining");
}

// R45: a reload of the same files, or of other weights, moves nobody.
TEST(RolloutRestart, ReadingTheConfigAgainResetsNoWeights) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(10));
  routing::RoutingConfig config = p.plant.loop->routing();
  config.colors[0].weight = 50;
  config.colors[1].weight = 50;
  p.plant.loop->take_config(p.plant.loop->config(), config);
  p.tick();
  EXPECT_EQ(p.weight(0), 90);
  EXPECT_EQ(p.weight(1), 10);
  EXPECT_EQ(p.state(), "canary(10)");
  p.restart();
  EXPECT_EQ(p.weight(1), 10);
}

TEST(RolloutRestart, AnAdvanceThatCannotBeSavedIsNotMadeAndARollbackIs) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(5));
  p.plant.forbid_writing(true);
  p.judge.say(VerdictKind::good);
  p.run(10min);
  EXPECT_EQ(p.weight(1), 5);
  EXPECT_EQ(p.state(), "canary(5)");
  p.judge.say(VerdictKind::worse, Reason::error);
  p.run(2s);
  EXPECT_EQ(p.weight(0), 100);
  p.plant.forbid_writing(false);
  p.run(3s);
  EXPECT_TRUE(p.plant.loop->is_saved());
}

// R39: every end is explained, counted once under its reason, and told once.
TEST(RolloutRestart, EveryEndIsExplainedCountedAndToldOnce) {
  struct Case {
    const char* end;
    std::function<void(RolloutPlant&)> lead;
  };
  const auto verdict = [](VerdictKind kind, Reason reason) {
    return [=](RolloutPlant& p) {
      SignalEvidence signal{Signal::error, 9, 3, 90, 800, 71.5, 66.7, true, ""};
      p.judge.verdict.signals = {signal};
      p.judge.say(kind, reason, text_of(signal));
    };
  };
  const std::vector<Case> cases = {
      {"rolled_back(error)", verdict(VerdictKind::worse, Reason::error)},
      {"rolled_back(slow)", verdict(VerdictKind::worse, Reason::slow)},
      {"rolled_back(rpc_error)", verdict(VerdictKind::worse, Reason::rpc_error)},
      {"rolled_back(hard_limit)", verdict(VerdictKind::hard_limit, Reason::hard_limit)},
      {"rolled_back(canary_down)",
       [](RolloutPlant& p) { p.plant.probe(1, ProbeOutcome::refused); }},
      {"rolled_back(operator)", [](RolloutPlant& p) { (void)p.roll_back(); }},
      {"aborted(operator)", [](RolloutPlant& p) { (void)p.abort(); }},
      {"aborted(max_hold)", [](RolloutPlant& p) { p.run(5h, 10s); }},
      {"done", [](RolloutPlant& p) { p.judge.say(VerdictKind::good); }},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.end);
    RolloutPlant p;
    ASSERT_TRUE(p.canary());
    ASSERT_TRUE(p.run_to_share(5));
    one.lead(p);
    ASSERT_TRUE(p.run_until(RolloutState::idle, 3h));
    EXPECT_EQ(p.end(), one.end);
    EXPECT_EQ(p.notices.count("end"), 1);
    const RolloutCounts& counts = p.rollouts->saved().counts;
    int64_t sum = 0;
    for (size_t i = 0; i < kTurnBackReasons.size(); ++i) {
      sum += counts.rollbacks[i];
      if (counts.rollbacks[i] > 0) {
        EXPECT_EQ(kTurnBackReasons[i], p.past().end_reason);
      }
    }
    EXPECT_EQ(sum, std::string(one.end) == "done" ? 0 : 1);
    const std::string explained = past_json(p.past());
    EXPECT_NE(explained.find(one.end), std::string::npos);
    if (p.past().verdict.reason == Reason::error && p.past().end == EndKind::rolled_back) {
      EXPECT_NE(explained.find("9 of 90 sessions against 3 of 800, evidence 71.5 of 66.7"),
                std::string::npos)
          << explained;
    }
    p.restart();
    EXPECT_EQ(past_json(p.past()), explained) << "the stored inputs are the same";
  }
}

// R39: also an end that no tick saw.
TEST(RolloutRestart, AColorThatLeftTheConfigEndsItsRolloutAndIsTold) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(10));
  routing::RoutingConfig routing = two_colors(100, 0);
  routing.colors[1].name = "red";
  p.restart(1s, routing);
  EXPECT_TRUE(p.rollouts->is_idle());
  EXPECT_EQ(p.end(), "aborted(operator)");
  EXPECT_EQ(p.notices.count("end"), 1);
  EXPECT_NE(p.past().text.find("left the configuration"), std::string::npos);
  EXPECT_EQ(p.weight(1), 0) << "red was never asked for";
}

// R40
TEST(RolloutRestart, EverySeriesIsThereInIdle) {
  RolloutMetrics metrics;
  std::vector<base::MetricFamily> families;
  add_rollout_families(metrics, {"blue", "green"}, families);
  std::set<std::string> seen;
  for (const auto& family : families) {
    for (const auto& sample : family.samples) {
      std::string name = family.name;
      for (const auto& [key, value] : sample.labels) name += "{" + key + "=" + value + "}";
      EXPECT_TRUE(seen.insert(name).second) << name;
    }
  }
  for (const char* name :
       {"shifter_weight_ratio{color=green}", "shifter_phase{phase=idle}",
        "shifter_phase{phase=rolling_back}", "shifter_epoch",
        "shifter_verdict_total{verdict=not_enough}", "shifter_rollbacks_total{reason=rpc_error}",
        "shifter_rollbacks_total{reason=max_hold}", "shifter_evidence{signal=slow}",
        "shifter_rollouts_total{end=stop_unknown}", "shifter_holding{reason=no_return}",
        "shifter_judge_sessions_dropped_total"}) {
    EXPECT_TRUE(seen.count(name)) << name;
  }
}

}  // namespace
}  // namespace control
