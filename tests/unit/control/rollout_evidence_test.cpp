// Rollouts and what the judge says: good, worse, nothing, and a stable color that is broken itself.
#include <gtest/gtest.h>

#include "proxy/routing/choose.h"
#include "tests/unit/control/rollout_plant.h"

namespace control {
namespace {

using VerdictKind = Verdict::Kind;

TEST(RolloutEvidence, AGoodReleaseGoesUpBakesAndReplacesTheOldOne) {
  RolloutPlant p;
  p.judge.say(VerdictKind::good);
  ASSERT_TRUE(p.canary());
  EXPECT_EQ(p.state(), "preparing");
  std::vector<int> shares;
  std::vector<std::string> states;
  for (int i = 0; i < 10'800 && !p.rollouts->is_idle(); ++i) {
    p.tick(1s);
    if (shares.empty() || shares.back() != p.weight(1)) shares.push_back(p.weight(1));
    if (states.empty() || states.back() != p.state()) states.push_back(p.state());
  }
  EXPECT_EQ(shares, (std::vector<int>{0, 5, 10, 25, 50, 100}));
  EXPECT_EQ(states,
            (std::vector<std::string>{"warming", "canary(5)", "canary(10)", "canary(25)",
                                      "canary(50)", "switched", "draining", "stopping", "idle"}));
  EXPECT_EQ(p.end(), "done");
  EXPECT_EQ(p.color_state(0), ColorState::maint);
  EXPECT_EQ(p.color_state(1), ColorState::ready);
  EXPECT_FALSE(p.plant.plane.last().redraw.has_value());
  EXPECT_EQ(p.rollouts->releases().live()->color, "green");
  EXPECT_EQ(p.notices.count("end"), 1);
}

// R1
TEST(RolloutEvidence, NoRequestAtAllNeverPromotes) {
  RolloutPlant p;
  p.judge.say(VerdictKind::not_enough, Reason::no_evidence, "0/300");
  BeginAsk ask = p.ask(Purpose::canary);
  ask.steps = {10, 25, 50, 100};
  ASSERT_TRUE(p.rollouts->begin(ask));
  ASSERT_TRUE(p.run_until(RolloutState::holding));
  EXPECT_EQ(p.state(), "holding(no_evidence)");
  p.run(4h, 10s);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.most_weight(1), 10);
  EXPECT_EQ(p.weight(0), 100);
  EXPECT_EQ(p.end(), "aborted(max_hold)");
  EXPECT_EQ(p.past().verdict.reason, Reason::no_evidence);
}

// R2, C53
TEST(RolloutEvidence, TooLittleTrafficIsNoFailureEither) {
  RolloutPlant p;
  p.judge.say(VerdictKind::not_enough, Reason::no_evidence, "3/300 sessions");
  ASSERT_TRUE(p.canary());
  p.run(20min);
  EXPECT_EQ(p.state(), "holding(no_evidence)");
  EXPECT_EQ(p.now().verdict.text, "3/300 sessions");
  EXPECT_EQ(p.weight(1), 5) << "weights unchanged";
  EXPECT_EQ(p.rollouts->saved().past.size(), 0u);
  p.judge.say(VerdictKind::good);
  p.tick(1s);
  EXPECT_EQ(p.state(), "canary(10)") << "evidence ends the hold";
}

// R3
TEST(RolloutEvidence, TrafficThatStopsInTheMiddleHoldsAndAStepStartsWithFloorsOfItsOwn) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));  // step 3; the judge sees nothing from here on
  ASSERT_EQ(p.judge.steps.size(), 3u);
  EXPECT_EQ(p.judge.steps[2].number, 3);
  EXPECT_EQ(p.judge.steps[2].share, 25);
  EXPECT_GT(p.judge.steps[2].epoch, p.judge.steps[1].epoch);
  EXPECT_EQ(p.judge.stops, 1) << "only before the first step: the e-values go on";
  p.run(1h);
  EXPECT_EQ(p.weight(1), 25);
  EXPECT_EQ(p.state(), "holding(no_evidence)");
}

// R11
TEST(RolloutEvidence, BothBrokenIsNotEqualSoGood) {
  RolloutPlant p;
  p.judge.fault = "40 % of its requests fail";
  auto refused = p.canary();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, AdminCode::refused);
  EXPECT_NE(refused.error().message.find("stable_unhealthy"), std::string::npos);
  p.judge.fault.clear();
  p.judge.say(VerdictKind::stable_unhealthy, Reason::stable_unhealthy);
  ASSERT_TRUE(p.canary());
  p.run(30min);
  EXPECT_EQ(p.state(), "holding(stable_unhealthy)");
  EXPECT_EQ(p.most_weight(1), 5);
  p.judge.say(VerdictKind::good);
  p.run(2s);
  EXPECT_EQ(p.state(), "canary(5)") << "its time begins anew";
  p.run(4min);
  EXPECT_EQ(p.state(), "canary(5)");
  p.run(1min);
  EXPECT_EQ(p.state(), "canary(10)");
}

// R15
TEST(RolloutEvidence, ABakeWithoutEvidenceKeepsBothColors) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(100));
  p.run(31min);
  EXPECT_EQ(p.state(), "holding(no_evidence)");
  EXPECT_EQ(p.notices.count("page"), 1) << "an alert";
  EXPECT_EQ(p.color_state(0), ColorState::ready) << "no drain";
  p.run(12h, 10s);
  ASSERT_TRUE(p.rollouts->is_idle());
  EXPECT_EQ(p.end(), "done");
  EXPECT_EQ(p.color_state(0), ColorState::ready);
  EXPECT_EQ(p.weight(1), 100);
  EXPECT_FALSE(p.rollouts->holder()) << "the lock is free";
}

TEST(RolloutEvidence, WhatABakeWithoutEvidenceDoesIsConfigured) {
  for (const auto& [what, end] : {std::pair{OnNoEvidence::promote, "done"},
                                  std::pair{OnNoEvidence::rollback, "rolled_back(no_evidence)"}}) {
    RolloutPlant p;
    p.configure([&, then = what](RolloutConfig& c) {
      c.on_no_evidence = then;
      c.bake_hold_max = 1h;
    });
    ASSERT_TRUE(p.canary());
    ASSERT_TRUE(p.run_to_share(100));
    p.run(32min);
    ASSERT_TRUE(p.run_until(RolloutState::idle, 2h));
    EXPECT_EQ(p.end(), end);
    EXPECT_EQ(p.weight(what == OnNoEvidence::promote ? 1 : 0), 100);
  }
}

// R17, the machine's side: a cold color gets nobody, and being slow before that is no fault.
TEST(RolloutEvidence, AColdColorIsWarmedBeforeItsFirstUser) {
  RolloutPlant p;
  p.judge.say(VerdictKind::worse, Reason::slow);
  ASSERT_TRUE(p.canary());
  p.tick();
  EXPECT_EQ(p.state(), "warming");
  p.run(25s);
  p.plant.probe(1, ProbeOutcome::refused);
  p.run(2s);
  p.plant.probe(1, ProbeOutcome::pass);
  p.run(25s);
  EXPECT_EQ(p.state(), "warming") << "healthy without a break for 30 s";
  EXPECT_EQ(p.most_weight(1), 0);
  EXPECT_EQ(p.judge.looks, 0);
  p.judge.say(VerdictKind::good);
  p.run(7s);
  EXPECT_EQ(p.state(), "canary(5)");
}

// R19
TEST(RolloutEvidence, ARestartBeginsTheStepAnewAndKeepsTheEvidence) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  p.judge.kept = "{\"e\":[12.5]}";
  p.run(4min);
  p.plant.loop->save_now();
  p.judge.steps.clear();
  p.restart(10s);
  EXPECT_EQ(p.judge.restored, "{\"e\":[12.5]}");
  ASSERT_EQ(p.judge.steps.size(), 1u);
  EXPECT_EQ(p.judge.steps[0].number, 3);
  EXPECT_EQ(p.judge.steps[0].started, p.plant.clock.now()) << "floors start at 0";
  EXPECT_EQ(p.weight(1), 25);
  p.plant.bring_up();
  p.judge.say(VerdictKind::good);
  p.run(4min);
  EXPECT_EQ(p.state(), "canary(25)") << "and its time";
}

// R20
TEST(RolloutEvidence, FalseAlarmsOfSameAgainstSameAreCounted) {
  RolloutPlant p;
  BeginAsk ask = p.ask(Purpose::canary);
  ask.aa = true;
  for (VerdictKind kind : {VerdictKind::good, VerdictKind::worse}) {
    p.judge.say(kind, kind == VerdictKind::worse ? Reason::error : Reason::none);
    ask.color = p.weight(0) > 0 ? "green" : "blue";
    const size_t other = ask.color == "green" ? 1 : 0;
    (void)p.plant.loop->change(*set_ready(p.plant.loop->fleet(), other), false, {});
    ASSERT_TRUE(p.rollouts->begin(ask));
    ASSERT_TRUE(p.run_until(RolloutState::idle, 3h));
    EXPECT_TRUE(p.past().aa);
  }
  EXPECT_EQ(p.rollouts->saved().counts.aa_ends, 2);
  EXPECT_EQ(p.rollouts->saved().counts.aa_rollbacks, 1);
}

// R21
TEST(RolloutEvidence, JudgingGoesOnAfterTheSwitch) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(100));
  p.judge.say(VerdictKind::good);
  p.run(3min);
  EXPECT_EQ(p.state(), "switched");
  EXPECT_TRUE(p.judge.last.bake);
  p.judge.say(VerdictKind::hard_limit, Reason::hard_limit, "21 failures in a row");
  p.tick(1s);
  p.tick(1s);
  EXPECT_EQ(p.weight(0), 100);
  EXPECT_EQ(p.weight(1), 0);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "rolled_back(hard_limit)");
  for (const auto& table : p.plant.plane.tables) {
    ASSERT_EQ(table->colors[0].state, ColorState::ready) << "never drained";
  }
}

// R22
TEST(RolloutEvidence, ABakeThatHoldsIsNotCutShort) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(100));
  ASSERT_TRUE(p.rollouts->pause());
  p.judge.say(VerdictKind::good);
  p.run(45min);
  EXPECT_EQ(p.state(), "holding(paused)");
  EXPECT_EQ(p.color_state(0), ColorState::ready);
  ASSERT_TRUE(p.rollouts->resume(false));
  p.run(2s);
  EXPECT_EQ(p.state(), "draining");
}

// C54
TEST(RolloutEvidence, ErrorsRollBackAlsoWhileAPersonIsAsked) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  ASSERT_TRUE(p.rollouts->pause());
  p.run(10min);
  EXPECT_EQ(p.state(), "holding(paused)");
  p.judge.say(VerdictKind::worse, Reason::error, "error: 9 of 90 against 3 of 800");
  p.run(1s);
  EXPECT_EQ(p.weight(0), 100);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "rolled_back(error)");
}

// C18: the users of a canary that went back are free, and its cookies count no more.
TEST(RolloutEvidence, AFinishedCanaryLeavesNoTrace) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  routing::Affinity cookie;
  cookie.color = 1;
  cookie.epoch = p.plant.plane.last().epoch;
  routing::RequestFacts facts;
  facts.route = &p.plant.plane.last().routes[0];
  facts.cookie = cookie;
  EXPECT_EQ(routing::choose(facts, p.plant.plane.last(), 0).color, 1);
  ASSERT_TRUE(p.abort());
  p.plant.plane.apply();
  const routing::RoutingTable& table = p.plant.plane.last();
  facts.route = &table.routes[0];
  const routing::Choice choice = routing::choose(facts, table, 0);
  EXPECT_EQ(choice.color, 0);
  EXPECT_TRUE(choice.set_cookie) << "of the new epoch";
  EXPECT_TRUE(choice.void_cookie);
  EXPECT_GT(table.epoch, cookie.epoch);
  EXPECT_FALSE(table.redraw.has_value());
}

// C55
TEST(RolloutEvidence, AFailedCanaryDoesNotBlockTheNextOne) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(5));
  p.judge.say(VerdictKind::worse, Reason::error);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "rolled_back(error)");
  const uint64_t epoch = p.plant.loop->fleet().epoch;
  const int stops = p.judge.stops;
  p.judge.say(VerdictKind::not_enough, Reason::no_evidence);
  ASSERT_TRUE(p.canary());
  EXPECT_GT(p.judge.stops, stops) << "nothing of the first is kept";
  ASSERT_TRUE(p.run_until(RolloutState::canary));
  EXPECT_GT(p.judge.steps.back().epoch, epoch);
  EXPECT_EQ(p.judge.steps.back().number, 1);
  EXPECT_EQ(p.now().verdict.kind, VerdictKind::not_enough);
  EXPECT_EQ(p.rollouts->releases().live()->number, 1u);
  EXPECT_EQ(p.now().plan.release, 3u);
}

TEST(RolloutEvidence, WhatBothShareIsDownAndNobodyIsJudged) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(10));
  for (int i = 0; i < 3; ++i) {
    p.plant.loop->on_pages({ProbeOutcome::bad_status, ProbeOutcome::bad_status});
  }
  p.judge.say(VerdictKind::worse, Reason::error);
  p.run(1min);
  EXPECT_EQ(p.state(), "holding(dependency)");
  EXPECT_EQ(p.weight(1), 10);
  p.judge.say(VerdictKind::good);
  p.plant.loop->on_pages({ProbeOutcome::pass, ProbeOutcome::pass});
  p.run(2s);
  EXPECT_EQ(p.state(), "canary(10)");
}

TEST(RolloutEvidence, StepsAreTakenInsideTheWindowOnly) {
  RolloutPlant p;
  p.configure([](RolloutConfig& c) { c.window.except_month_days = {30}; });  // today
  p.judge.say(VerdictKind::good);
  ASSERT_TRUE(p.canary());
  p.run(1h);
  EXPECT_EQ(p.state(), "canary(5)");
  EXPECT_TRUE(p.rollouts->waits_for_window());
  p.configure([](RolloutConfig& c) { c.window = {}; });
  p.run(2s);
  EXPECT_EQ(p.state(), "canary(10)");
}

}  // namespace
}  // namespace control
