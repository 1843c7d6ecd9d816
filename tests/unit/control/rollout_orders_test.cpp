// Rollouts and people: releases, ways back, pause, promote, abort, replace, first deploy, lock.
#include <gtest/gtest.h>

#include "tests/unit/control/rollout_plant.h"

namespace control {
namespace {

using VerdictKind = Verdict::Kind;

// R23, with both colors in either part.
TEST(RolloutOrders, ARollbackGoesToTheRecordedReleaseAndNotToTheOtherOne) {
  for (const bool swapped : {false, true}) {
    RolloutPlant p;
    const std::string cold = swapped ? "blue" : "green";
    const size_t old = swapped ? 1 : 0;
    if (swapped) {
      ASSERT_TRUE(p.release("green"));
      ASSERT_TRUE(p.plant.loop->change(*set_ready(p.plant.loop->fleet(), 0), false, {}));
    }
    const uint64_t before = p.rollouts->releases().live()->number;
    ASSERT_TRUE(p.switch_over(cold));
    ASSERT_TRUE(p.run_until(RolloutState::switched));
    ASSERT_TRUE(p.roll_back());
    p.plant.plane.apply();
    EXPECT_EQ(p.weight(old), 100);
    ASSERT_TRUE(p.run_until(RolloutState::idle));
    EXPECT_EQ(p.end(), "rolled_back(operator)");
    EXPECT_EQ(p.rollouts->releases().live()->number, before);
    auto again = p.rollouts->begin(p.ask(Purpose::rollback, ""));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, AdminCode::refused);
    EXPECT_NE(again.error().message.find("already on release " + std::to_string(before)),
              std::string::npos);
    EXPECT_EQ(p.weight(old), 100);
  }
}

// R24
TEST(RolloutOrders, TheCanaryIsTheColorThatIsNotLive) {
  RolloutPlant p;
  ASSERT_TRUE(p.release("green"));
  auto wrong = p.canary("green");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, AdminCode::refused);
  const size_t from = p.plant.plane.tables.size();
  p.judge.say(VerdictKind::not_enough, Reason::no_evidence);
  ASSERT_TRUE(p.canary("blue"));
  ASSERT_TRUE(p.run_until(RolloutState::canary));
  EXPECT_EQ(p.weight(0), 5);
  EXPECT_EQ(p.weight(1), 95);
  p.run(10min);
  EXPECT_EQ(p.most_weight(0, from), 5);
}

// R25
TEST(RolloutOrders, AWayBackToAStoppedColorStartsItWithTheLiveWorkersFirst) {
  RolloutPlant q;
  ASSERT_TRUE(q.release("green"));
  q.plant.probe(0, ProbeOutcome::refused);
  q.agent_comes();
  AgentFigures figures;
  figures.workers = {{"green", 6}};
  q.actions().set_figures(figures);
  const uint64_t first = q.rollouts->releases().way_back()->number;
  ASSERT_TRUE(q.rollouts->begin(q.ask(Purpose::rollback, "")));
  q.run(5s);
  EXPECT_EQ(q.weight(1), 100);
  const Action* deploy = q.actions().find(q.now().deploy_action);
  ASSERT_NE(deploy, nullptr);
  EXPECT_EQ(deploy->ask.color, "blue");
  EXPECT_EQ(deploy->ask.arguments.at("workers"), "6");
  EXPECT_EQ(q.agent_does(ActionState::done), "deploy");
  q.run(20s);
  EXPECT_EQ(q.weight(1), 100) << "not healthy yet";
  q.plant.probe(0, ProbeOutcome::pass);
  q.run(20s);
  EXPECT_EQ(q.weight(1), 100) << "not warm yet";
  q.run(15s);
  EXPECT_EQ(q.weight(0), 25);
  q.plant.plane.in_flight(0, routing::Kind::http) = 13;  // above two for each worker
  q.run(1min);
  EXPECT_EQ(q.weight(0), 25) << "no more than it can serve";
  q.plant.plane.in_flight(0, routing::Kind::http) = 0;
  q.run(25s);
  EXPECT_EQ(q.weight(0), 100);
  EXPECT_EQ(q.now().plan.release, first);
}

// R25
TEST(RolloutOrders, AStoppedColorIsStartedAlsoWhereItsProbesHaveNotNoticedYet) {
  RolloutPlant q;
  ASSERT_TRUE(q.release("green"));
  q.agent_comes();
  EXPECT_EQ(q.color_state(0), ColorState::maint);
  ASSERT_TRUE(q.rollouts->begin(q.ask(Purpose::rollback, "")));
  q.run(5s);
  const Action* deploy = q.actions().find(q.now().deploy_action);
  ASSERT_NE(deploy, nullptr) << "its last probe passed, which is no proof that it runs";
  EXPECT_EQ(deploy->ask.color, "blue");
  q.run(1min);
  EXPECT_EQ(q.weight(0), 0) << "nobody is sent there before it was started";
}

// R26
TEST(RolloutOrders, NobodyTouchesTheOldColorBeforeTheBakeIsOver) {
  RolloutPlant p;
  p.agent_comes();
  p.judge.say(VerdictKind::good);
  ASSERT_TRUE(p.canary());
  for (int i = 0; i < 4'000 && p.now().state != RolloutState::draining; ++i) {
    p.agent_does(ActionState::done);
    p.tick(1s);
  }
  EXPECT_EQ(p.state(), "draining");
  for (const Action& action : p.actions().list()) EXPECT_NE(action.ask.color, "blue");
}

// R27
TEST(RolloutOrders, AStableColorThatDiesHoldsTheRolloutAndStopsNobody) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(50));
  p.plant.probe(0, ProbeOutcome::refused);
  p.judge.say(VerdictKind::worse, Reason::error);
  p.run(2s);
  EXPECT_EQ(p.state(), "holding(stable_down)");
  EXPECT_EQ(p.weight(1), 50);
  EXPECT_EQ(p.notices.count("page"), 1);
  p.run(5h, 10s);
  EXPECT_EQ(p.state(), "holding(stable_down)") << "nobody to go back to";
  EXPECT_EQ(p.actions().list().size(), 0u);
  EXPECT_EQ(p.color_state(1), ColorState::ready);
}

// R28
TEST(RolloutOrders, ARollbackDuringTheDrainIsOneChange) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  p.judge.say(VerdictKind::good);
  p.plant.plane.in_flight(0, routing::Kind::http) = 1;  // the old color does not empty
  ASSERT_TRUE(p.run_until(RolloutState::draining, 3h));
  ASSERT_TRUE(p.roll_back());
  p.plant.plane.apply();
  EXPECT_EQ(p.weight(0), 100);
  EXPECT_EQ(p.color_state(0), ColorState::ready);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "rolled_back(operator)");
  auto idle = p.abort();
  ASSERT_FALSE(idle);
  EXPECT_EQ(idle.error().code, AdminCode::refused);
}

TEST(RolloutOrders, ARollbackIsTooLateOnceTheStopHasBegun) {
  RolloutPlant p;
  p.agent_comes();
  p.judge.say(VerdictKind::good);
  BeginAsk ask = p.ask(Purpose::switch_over);
  ask.deploy = false;
  ASSERT_TRUE(p.rollouts->begin(ask));
  for (int i = 0; i < 4'000 && p.now().state != RolloutState::stopping; ++i) {
    (void)p.actions().heard(p.agent_session);
    p.tick(1s);
  }
  ASSERT_EQ(p.state(), "stopping");
  EXPECT_EQ(p.agent_does(ActionState::started), "stop");
  p.tick();
  auto late = p.roll_back();
  ASSERT_FALSE(late);
  EXPECT_NE(late.error().message.find("too_late(hook running)"), std::string::npos);
  EXPECT_EQ(p.weight(1), 100);
}

// R29
TEST(RolloutOrders, AbortBeatsPromote) {
  RolloutPlant p;
  p.plant.probe(1, ProbeOutcome::refused);
  ASSERT_TRUE(p.canary());
  p.tick();
  ASSERT_TRUE(p.rollouts->promote(true));
  ASSERT_TRUE(p.abort());
  p.plant.probe(1, ProbeOutcome::pass);
  p.run(2min);
  EXPECT_TRUE(p.rollouts->is_idle());
  EXPECT_EQ(p.end(), "aborted(operator)");
  EXPECT_EQ(p.most_weight(1), 0);
}

// R30
TEST(RolloutOrders, AbortWorksWhilePausedAndPromoteFullReachesTheBakeInOneCommand) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  ASSERT_TRUE(p.rollouts->pause());
  ASSERT_TRUE(p.abort());
  p.tick();
  EXPECT_EQ(p.weight(0), 100);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "aborted(operator)");

  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  ASSERT_TRUE(p.rollouts->pause());
  ASSERT_TRUE(p.rollouts->promote(true));
  EXPECT_EQ(p.state(), "switched");
  p.plant.plane.apply();
  EXPECT_EQ(p.weight(1), 100);
}

// R32
TEST(RolloutOrders, ANewReleaseDuringACanaryStartsItCleanly) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  auto second = p.canary();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, AdminCode::conflict);
  EXPECT_EQ(p.weight(1), 25);
  BeginAsk ask = p.ask(Purpose::canary);
  ask.label = "B";
  p.plant.plane.in_flight(1, routing::Kind::http) = 1;  // of A
  const size_t from = p.plant.plane.tables.size();
  ASSERT_TRUE(p.rollouts->replace(ask));
  p.run(10s);
  EXPECT_EQ(p.weight(0), 100);
  EXPECT_EQ(p.state(), "rolling_back") << "A is drained first";
  const int stops = p.judge.stops;
  p.plant.plane.in_flight(1, routing::Kind::http) = 0;
  ASSERT_TRUE(p.run_until(RolloutState::canary));
  EXPECT_EQ(p.end(), "aborted(replaced)");
  EXPECT_EQ(p.now().plan.label, "B");
  EXPECT_EQ(p.weight(1), 5);
  EXPECT_EQ(p.most_weight(1, from), 5);
  EXPECT_GT(p.judge.stops, stops) << "zero evidence";
  EXPECT_EQ(p.judge.steps.back().number, 1);
}

// R33
TEST(RolloutOrders, AFastWayBackSkipsTheStepsAndNotTheHealth) {
  RolloutPlant p;
  ASSERT_TRUE(p.release("green"));
  p.run(2h, 10s);
  const uint64_t first = p.rollouts->releases().way_back()->number;
  BeginAsk ask = p.ask(Purpose::rollback, "");
  ask.release = first;
  const size_t from = p.plant.plane.tables.size();
  p.judge.say(VerdictKind::not_enough, Reason::no_evidence);  // and needs no evidence
  ASSERT_TRUE(p.rollouts->begin(ask));
  p.run(29s);
  EXPECT_EQ(p.most_weight(0, from), 0) << "warmed first";
  p.run(5s);
  EXPECT_EQ(p.weight(0), 100) << "its process still runs: one switch";
  EXPECT_EQ(p.state(), "switched");
  p.run(30min);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "done");
  EXPECT_EQ(p.rollouts->releases().live()->number, first);
}

// R34
TEST(RolloutOrders, AHoldIsExtendedByAPersonWhoSaysWhy) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_until(RolloutState::holding));
  auto plain = p.rollouts->resume(false);
  ASSERT_FALSE(plain);
  EXPECT_EQ(plain.error().field, "accept-no-evidence");
  ASSERT_TRUE(p.rollouts->resume(true));
  EXPECT_EQ(p.state(), "canary(10)");
}

// R35
TEST(RolloutOrders, AfterAContractThereIsNoWayBackByItself) {
  RolloutPlant p;
  BeginAsk ask = p.ask(Purpose::canary);
  ask.schema = Schema::contract;
  ASSERT_TRUE(p.rollouts->begin(ask));
  ASSERT_TRUE(p.run_to_share(25));
  p.judge.say(VerdictKind::worse, Reason::error, "error: 9 of 90");
  p.run(5h, 10s);
  EXPECT_EQ(p.state(), "holding(no_return)");
  EXPECT_EQ(p.weight(1), 25);
  EXPECT_GE(p.notices.count("page"), 1);
  auto back = p.roll_back();
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().code, AdminCode::refused);
  TurnBackAsk override_ask;
  override_ask.end = EndKind::rolled_back;
  override_ask.old_code_breaks = true;
  ASSERT_TRUE(p.rollouts->turn_back(override_ask));
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.weight(0), 100);
}

// R36
TEST(RolloutOrders, TheFirstDeployHasNoControl) {
  RolloutPlant p{/*is_up=*/false};  // nothing was ever up here
  p.plant.probe(1, ProbeOutcome::pass);
  p.tick();
  EXPECT_EQ(p.rollouts->releases().live(), nullptr);
  ASSERT_TRUE(p.canary("green"));
  p.run(35s);
  EXPECT_EQ(p.state(), "switched");
  EXPECT_EQ(p.weight(1), 100);
  EXPECT_EQ(p.judge.last.stable, routing::kNoColor);
  EXPECT_GT(p.judge.looks, 0) << "hard limits are still watched";
  p.judge.say(VerdictKind::good);
  p.run(30min);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "done");
  EXPECT_TRUE(p.rollouts->releases().live()->unjudged);
}

// R37
TEST(RolloutOrders, OneLockWithANamedHolder) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  p.run(90s);
  BeginAsk other = p.ask(Purpose::canary);
  other.who = kBruno;
  auto second = p.rollouts->begin(other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, AdminCode::conflict);
  EXPECT_EQ(second.error().field, "lock");
  for (const char* word : {"ana@vm1", "canary green", "90s"}) {
    EXPECT_NE(second.error().message.find(word), std::string::npos) << second.error().message;
  }
  p.restart();
  EXPECT_FALSE(p.rollouts->may_change(kBruno)) << "kept with the state";

  RolloutPlant q;
  ASSERT_TRUE(q.rollouts->lock(kAna, "books are closed"));
  EXPECT_TRUE(q.rollouts->may_change(kAna));
  auto held = q.rollouts->may_change(kBruno);
  ASSERT_FALSE(held);
  EXPECT_NE(held.error().message.find("books are closed"), std::string::npos);
  EXPECT_FALSE(q.rollouts->unlock(kBruno, false));
  q.restart();
  EXPECT_FALSE(q.rollouts->may_change(kBruno));
  ASSERT_TRUE(q.rollouts->unlock(kBruno, true));
  EXPECT_TRUE(q.rollouts->may_change(kBruno));
}

// R38
TEST(RolloutOrders, TheLockCoversHooks) {
  RolloutPlant p;
  p.configure([](RolloutConfig& c) {
    c.post_switch = true;
    c.bake = base::Millis{0};
  });
  p.agent_comes();
  BeginAsk ask = p.ask(Purpose::switch_over);
  ask.deploy = false;
  ASSERT_TRUE(p.rollouts->begin(ask));
  ASSERT_TRUE(p.run_until(RolloutState::switched, 50s));
  EXPECT_EQ(p.agent_does(ActionState::started), "post_switch");
  p.run(50s);
  EXPECT_EQ(p.state(), "switched") << "the hook runs";
  EXPECT_FALSE(p.rollouts->may_change(kBruno));
}

// R59, the rollout's side.
TEST(RolloutOrders, NoRolloutDuringAScaleAndAScaleIsARolloutOfTheLiveRelease) {
  RolloutPlant p;
  p.agent_comes();
  BeginAsk ask = p.ask(Purpose::scale, "");
  ask.workers = 8;
  ASSERT_TRUE(p.rollouts->begin(ask));
  EXPECT_EQ(p.now().plan.canary_name, "green");
  EXPECT_EQ(p.now().plan.workers, 8);
  EXPECT_EQ(p.now().plan.bake, 5min);
  EXPECT_FALSE(p.now().plan.floors);
  EXPECT_EQ(p.now().plan.steps, std::vector<int>{100});
  // R60: of the live color what runs there, not what is written somewhere.
  p.run(3s);
  const Action* deploy = p.actions().find(p.now().deploy_action);
  ASSERT_NE(deploy, nullptr);
  EXPECT_EQ(deploy->ask.arguments.at("like"), "blue");
  EXPECT_EQ(deploy->ask.arguments.count("image"), 0u);
  auto canary = p.canary();
  ASSERT_FALSE(canary);
  EXPECT_EQ(canary.error().code, AdminCode::conflict);
}

TEST(RolloutOrders, ADeployThatFailsMovesNobody) {
  RolloutPlant p;
  p.agent_comes();
  ASSERT_TRUE(p.canary());
  p.run(3s);
  EXPECT_EQ(p.agent_does(ActionState::failed), "deploy");
  p.run(2s);
  EXPECT_TRUE(p.rollouts->is_idle());
  EXPECT_EQ(p.end(), "failed(deploy)");
  EXPECT_NE(p.past().text.find("as the agent says"), std::string::npos);
  EXPECT_EQ(p.most_weight(1), 0);
  EXPECT_EQ(p.rollouts->releases().live()->color, "blue");
}

TEST(RolloutOrders, ACanaryThatGoesDownIsRolledBackAtOnce) {
  RolloutPlant p;
  ASSERT_TRUE(p.canary());
  ASSERT_TRUE(p.run_to_share(25));
  p.plant.probe(1, ProbeOutcome::refused);
  p.tick();
  EXPECT_EQ(p.weight(0), 100);
  ASSERT_TRUE(p.run_until(RolloutState::idle));
  EXPECT_EQ(p.end(), "rolled_back(canary_down)");
}

}  // namespace
}  // namespace control
