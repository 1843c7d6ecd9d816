#include "shifter/control/actions.h"

#include <gtest/gtest.h>

#include "shifter/control/state_file.h"
#include "tests/support/fake_clock.h"
#include "tests/unit/control/fixtures.h"

namespace control {
namespace {

using namespace std::chrono_literals;

struct Queue {
  support::FakeClock clock;
  Actions actions{clock};

  uint64_t deploy(const std::string& color = "green") {
    return actions.ask({ActionKind::deploy, color, {{"workers", "6"}}, 300s});
  }
  void hello(const std::string& journal = "j1") {
    ASSERT_TRUE(actions.hello({journal, 17, 0, "0.1"}, {}).has_value());
  }
  ActionState state(uint64_t id) const { return actions.find(id)->state; }
  void report(uint64_t id, ActionState state) {
    ASSERT_TRUE(actions.report({id, state, "m", {}, {}}).has_value());
  }
};

TEST(Actions, StayPendingWithoutAnAgent) {
  Queue queue;
  const uint64_t id = queue.deploy();
  queue.clock.advance(24h);
  queue.actions.tick();
  EXPECT_EQ(queue.state(id), ActionState::pending);
  EXPECT_TRUE(queue.actions.withdraw(id, "the rollout is over"));
  EXPECT_EQ(queue.state(id), ActionState::failed);
  EXPECT_EQ(queue.actions.find(id)->message, "the rollout is over");
  EXPECT_TRUE(queue.actions.hook_failures().empty()) << "it was never begun";
}

TEST(Actions, AreHandedOutOneAtATimeInOrder) {
  Queue queue;
  queue.hello();
  const uint64_t first = queue.deploy();
  const uint64_t second = queue.deploy("blue");
  EXPECT_EQ(queue.actions.take()->id, first);
  EXPECT_EQ(queue.actions.take(), nullptr);
  queue.report(first, ActionState::started);
  EXPECT_EQ(queue.actions.take(), nullptr);
  queue.report(first, ActionState::done);
  EXPECT_EQ(queue.actions.take()->id, second);
}

TEST(Actions, AreReportedOnceHoweverOftenItIsSaid) {
  Queue queue;
  queue.hello();
  const uint64_t id = queue.deploy();
  queue.actions.take();
  queue.report(id, ActionState::failed);
  queue.report(id, ActionState::failed);
  queue.report(id, ActionState::done);  // an end is an end
  queue.report(id, ActionState::started);
  EXPECT_EQ(queue.state(id), ActionState::failed);
  EXPECT_EQ(queue.actions.hook_failures().at("deploy"), 1);  // R47
  EXPECT_FALSE(queue.actions.report({99, ActionState::done, {}, {}, {}}).has_value());
}

TEST(Actions, AnEndThatNobodyReportsIsUnknownAndIsNotTakenAgain) {
  Queue queue;
  queue.hello();
  const uint64_t id = queue.deploy();
  queue.actions.take();
  queue.report(id, ActionState::started);
  queue.clock.advance(300s + Actions::kGrace - 1ms);
  queue.actions.tick();
  EXPECT_EQ(queue.state(id), ActionState::started);
  queue.clock.advance(1ms);
  queue.actions.tick();
  EXPECT_EQ(queue.state(id), ActionState::unknown);
  EXPECT_EQ(queue.actions.take(), nullptr);
  queue.report(id, ActionState::done);  // better late than never
  EXPECT_EQ(queue.state(id), ActionState::done);
  EXPECT_EQ(queue.actions.hook_failures().at("deploy"), 1);
}

TEST(Actions, WhatAnAgentNeverBeganIsGivenAgain) {
  Queue queue;
  queue.hello();
  const uint64_t id = queue.deploy();
  queue.actions.take();  // the answer was lost on its way
  queue.hello();
  ASSERT_EQ(queue.actions.open().size(), 1u);
  EXPECT_EQ(queue.actions.open()[0]->id, id);
  queue.report(id, ActionState::pending);
  EXPECT_EQ(queue.state(id), ActionState::pending);
  EXPECT_EQ(queue.actions.take()->id, id);
}

TEST(Actions, WhatWasStartedIsNeverGivenAgain) {
  Queue queue;
  queue.hello();
  const uint64_t id = queue.deploy();
  queue.actions.take();
  queue.report(id, ActionState::started);
  queue.report(id, ActionState::pending);
  EXPECT_EQ(queue.state(id), ActionState::unknown);
}

TEST(Actions, AnAgentWithAnotherJournalLeavesWhatWasOpenUnknown) {
  Queue queue;
  queue.hello("j1");
  const uint64_t id = queue.deploy();
  queue.actions.take();
  queue.actions.agent_left();
  queue.hello("j2");
  EXPECT_EQ(queue.state(id), ActionState::unknown);
}

TEST(Actions, ThereIsOneAgent) {
  Queue queue;
  EXPECT_FALSE(queue.actions.has_agent());
  queue.hello("j1");
  EXPECT_TRUE(queue.actions.has_agent());
  auto other = queue.actions.hello({"j2", 18, 0, "0.1"}, {});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, AdminCode::conflict);
  auto again = queue.actions.hello({"j1", 19, 0, "0.1"}, {});  // it was started again
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(queue.actions.heard(*again - 1).has_value());
  EXPECT_TRUE(queue.actions.heard(*again).has_value());
  queue.clock.advance(Actions::kSilence);
  EXPECT_FALSE(queue.actions.has_agent());
  EXPECT_TRUE(queue.actions.hello({"j2", 18, 0, "0.1"}, {}).has_value());
}

TEST(Actions, AGuardSaysWhatIsNoLongerRight) {
  Queue queue;
  queue.hello();
  queue.actions.set_guard([](const Action& action) -> std::optional<std::string> {
    if (action.ask.color == "blue") return "blue is ready now";
    return std::nullopt;
  });
  const uint64_t stale = queue.actions.ask({ActionKind::stop, "blue", {}, 60s});
  const uint64_t good = queue.deploy("green");
  EXPECT_EQ(queue.actions.take()->id, good);
  EXPECT_EQ(queue.state(stale), ActionState::failed);
  EXPECT_EQ(queue.actions.find(stale)->message, "blue is ready now");
}

TEST(Actions, AreBoundedInNumber) {
  Queue queue;
  for (size_t i = 0; i < Actions::kPendingMax; ++i) queue.deploy();
  const uint64_t last = queue.deploy();
  EXPECT_EQ(queue.state(last), ActionState::failed);
  for (int i = 0; i < 1000; ++i) queue.deploy();
  EXPECT_LE(queue.actions.list().size(), Actions::kKept);
  EXPECT_EQ(queue.actions.find(1)->state, ActionState::pending) << "what is open is kept";
  EXPECT_EQ(queue.actions.find(last), nullptr);
}

// R48: ids go on after a restart, and what was begun is still open there.
TEST(Actions, SurviveARestartInTheStateFile) {
  Queue queue;
  queue.hello();
  const uint64_t done = queue.deploy();
  queue.actions.take();
  queue.report(done, ActionState::done);
  const uint64_t open =
      queue.actions.ask({ActionKind::custom, "green", {{"hook", "post_switch"}}, 60s});
  queue.actions.take();
  queue.report(open, ActionState::started);
  const uint64_t waits = queue.deploy();
  EXPECT_TRUE(queue.actions.is_unsaved());

  SavedState state;
  state.fleet = initial_fleet(two_colors(90, 10));
  state.actions = queue.actions.saved();
  const TimeBase time{queue.clock.now(), queue.clock.wall(), "boot-1"};
  auto read = parse_state(write_state(state, time), time);
  ASSERT_TRUE(read.has_value()) << read.error().detail;
  Actions after{queue.clock};
  after.restore(read->actions);
  EXPECT_EQ(after.find(done)->state, ActionState::done);
  EXPECT_EQ(after.find(open)->state, ActionState::started);
  EXPECT_EQ(after.find(open)->hook, "post_switch");
  EXPECT_EQ(after.find(open)->asked, queue.actions.find(open)->asked);
  EXPECT_EQ(after.find(waits)->ask.arguments.at("workers"), "6");
  EXPECT_FALSE(after.has_agent());
  EXPECT_EQ(after.ask({ActionKind::deploy, "blue", {}, 1s}), waits + 1);
  queue.clock.advance(60s + Actions::kGrace);
  after.tick();
  EXPECT_EQ(after.find(open)->state, ActionState::unknown);
  EXPECT_EQ(after.find(waits)->state, ActionState::pending);

  // After a reboot the wall clock counts, and never for longer than was meant.
  TimeBase later{base::Instant{5s}, queue.clock.wall() - 48h, "boot-2"};
  auto moved = parse_state(write_state(state, time), later);
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(*moved->actions.actions[1].ends, later.now + 60s);
}

}  // namespace
}  // namespace control
