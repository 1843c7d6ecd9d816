// What the agent does to a compose project, on a Docker engine where one answers and always with
// the recording stand-in. Each scene looks at all services, not only at the one that is meant.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/agent/process_sockets.h"
#include "tests/agent/site.h"

namespace {

using namespace agent_tests;
using control::Action;
using control::ActionAsk;
using control::ActionKind;
using control::ActionState;
using harness::await;
using namespace std::chrono_literals;

ActionAsk deploy(std::map<std::string, std::string> arguments) {
  return {ActionKind::deploy, "green", std::move(arguments), 60s};
}

std::map<std::string, std::string> without_green(std::map<std::string, std::string> ids) {
  ids.erase("odoo_green");
  return ids;
}

constexpr const char* kInVain = "health: 4s, count: 4s";

class Scenes : public ::testing::TestWithParam<bool> {};

// R73: WORKERS_GREEN changes, and nothing but the container of green.
TEST_P(Scenes, ADeployChangesExactlyOneService) {
  Site site(GetParam());
  const auto before = site.containers();
  site.note("before");
  ASSERT_EQ(before.size(), 5u);
  const Action action = site.desk().run(deploy({{"workers", "6"}}));
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  const auto after = site.containers();
  site.note("after");
  EXPECT_EQ(without_green(before), without_green(after));
  EXPECT_NE(before.at("odoo_green"), after.at("odoo_green"));
  for (const auto& [service, id] : after) EXPECT_EQ(site.status_of(service), "running") << service;
  EXPECT_EQ(site.env_value("WORKERS_GREEN"), "6");
  EXPECT_EQ(site.env_value("WORKERS_BLUE"), "2");
  EXPECT_EQ(site.workers_of("odoo_green"), 6);
  EXPECT_EQ(site.workers_of("odoo_blue"), 2);
  EXPECT_EQ(action.result.at("workers"), "6");
  EXPECT_EQ(action.result.at("env_workers"), "6");
  EXPECT_EQ(action.result.at("container"), after.at("odoo_green"));
  EXPECT_EQ(action.result.at("image"), site.image_id("shifter-stub:1"));
  EXPECT_EQ(listening_sockets(site.agent().pid()), 0);
}

// R74, and R58's bytes: a color that never gets healthy, while the old one runs.
TEST_P(Scenes, AColorThatNeverGetsHealthyLeavesEverythingAsItWas) {
  Site site(GetParam(), "", kInVain);
  const std::string env = site.env();
  const auto before = site.containers();
  site.note("before");
  const Action action = site.desk().run(deploy({{"workers", "6"}, {"image", "shifter-stub:sick"}}));
  ASSERT_EQ(action.state, ActionState::failed) << site.story();
  EXPECT_NE(action.message.find("not healthy in time: the container is running, unhealthy"),
            std::string::npos)
      << action.message;
  EXPECT_NE(action.message.find("; the env file and the container are as before"),
            std::string::npos)
      << action.message;
  EXPECT_EQ(site.env(), env);
  const auto after = site.containers();
  site.note("after");
  EXPECT_EQ(without_green(before), without_green(after));
  ASSERT_EQ(after.count("odoo_green"), 1u);
  EXPECT_EQ(site.status_of("odoo_green"), "running");
  EXPECT_EQ(site.image_of("odoo_green"), site.image_id("shifter-stub:1"));
  EXPECT_EQ(site.workers_of("odoo_green"), 2);
}

// R74: the cold color was stopped, and is stopped again.
TEST_P(Scenes, AFailedDeployOfAStoppedColorLeavesItStopped) {
  Site site(GetParam(), "", kInVain);
  site.compose({"stop", "-t", "1", "odoo_green"});
  const std::string env = site.env();
  const auto before = site.containers();
  site.note("before");
  const Action action = site.desk().run(deploy({{"image", "shifter-stub:sick"}}));
  ASSERT_EQ(action.state, ActionState::failed) << site.story();
  EXPECT_EQ(site.env(), env);
  site.note("after");
  EXPECT_EQ(without_green(before), without_green(site.containers()));
  const std::string status = site.status_of("odoo_green");
  EXPECT_TRUE(status == "created" || status == "exited") << status;
  EXPECT_EQ(site.image_of("odoo_green"), site.image_id("shifter-stub:1"));
}

TEST_P(Scenes, AFailedFirstDeployLeavesNoContainer) {
  Site site(GetParam(), "", kInVain);
  site.compose({"rm", "-s", "-f", "odoo_green"});
  const std::string env = site.env();
  const Action action = site.desk().run(deploy({{"image", "shifter-stub:sick"}}));
  ASSERT_EQ(action.state, ActionState::failed) << site.story();
  EXPECT_EQ(site.env(), env);
  EXPECT_EQ(site.status_of("odoo_green"), "none");
}

// R76: an image that does not know WORKERS.
TEST_P(Scenes, AnImageThatIgnoresItsWorkersFailsAndSaysSo) {
  Site site(GetParam(), "", "health: 15s, count: 1s");
  const std::string env = site.env();
  const Action action = site.desk().run(deploy({{"workers", "6"}, {"image", "shifter-stub:deaf"}}));
  ASSERT_EQ(action.state, ActionState::failed) << site.story();
  site.note("after");
  EXPECT_EQ(action.message.rfind("observed 4, wanted 6; ", 0), 0u) << action.message;
  EXPECT_EQ(site.env(), env);
  EXPECT_EQ(site.image_of("odoo_green"), site.image_id("shifter-stub:1"));
}

// R77: the tag moves, the release does not.
TEST_P(Scenes, ATagIsResolvedOnceAndTheDigestIsWhatCounts) {
  Site site(GetParam());
  const std::string moving = "shifter-stub-moving:" + std::to_string(::getpid());
  const std::string first = site.image_id("shifter-stub:2");
  site.tag("shifter-stub:2", moving);
  Action action = site.desk().run(deploy({{"image", moving}}));
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  const std::string digest = action.result.at("digest");
  EXPECT_NE(digest.find("sha256:"), std::string::npos);
  EXPECT_EQ(site.env_value("IMAGE_GREEN"), digest);
  EXPECT_EQ(site.image_of("odoo_green"), first);

  site.tag("shifter-stub:1", moving);
  action = site.desk().run(deploy({{"image", moving}}));
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(site.image_of("odoo_green"), site.image_id("shifter-stub:1"));

  action = site.desk().run(deploy({{"digest", digest}}));  // the rollback
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(site.image_of("odoo_green"), first);
  EXPECT_EQ(site.env_value("IMAGE_GREEN"), digest);
}

// R63: live, by signals, the same container.
TEST_P(Scenes, WorkersChangeWhileTheyWork) {
  Site site(GetParam());
  const auto before = site.containers();
  Action action = site.desk().run({ActionKind::signal_workers, "green", {{"workers", "5"}}, 60s});
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(site.workers_of("odoo_green"), 5);
  EXPECT_EQ(site.env_value("WORKERS_GREEN"), "5");
  action = site.desk().run({ActionKind::signal_workers, "green", {{"workers", "3"}}, 60s});
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(site.workers_of("odoo_green"), 3);
  EXPECT_EQ(site.env_value("WORKERS_GREEN"), "3");
  EXPECT_EQ(site.containers(), before);
  site.note("after");
}

TEST_P(Scenes, AStopStopsOneService) {
  Site site(GetParam());
  const auto before = site.containers();
  const Action action = site.desk().run({ActionKind::stop, "green", {}, 60s});
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(site.containers(), before);
  EXPECT_EQ(site.status_of("odoo_green"), "exited");
  EXPECT_EQ(site.status_of("odoo_blue"), "running");
}

std::vector<bool> sites() {
  if (has_engine()) return {false, true};
  return {false};
}
INSTANTIATE_TEST_SUITE_P(Agent, Scenes, ::testing::ValuesIn(sites()),
                         [](const auto& place) { return place.param ? "Engine" : "StandIn"; });

}  // namespace
