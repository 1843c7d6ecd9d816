// SIGKILL in every state of a rollout: the weights that were last acknowledged are published first,
// then the rollout goes on where it was, and the fleet never stays half moved.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/visitors.h"

namespace {

using namespace harness;
using nlohmann::json;

struct KilledSite {
  explicit KilledSite(const std::string& rollout, const std::string& drain) {
    SidecarSetup setup;
    setup.workers = 1;
    setup.colors = {blue.as_color(100), green.as_color(0)};
    setup.keys = {{"listen", "127.0.0.1:" + std::to_string(unused_port())},
                  {"rollout", rollout},
                  {"drain", drain}};
    sidecar = std::make_unique<SidecarProcess>(std::move(setup));
    sidecar->wait_until_up({"blue", "green"});
  }
  json status() const { return json::parse(sidecar->ask("status")); }
  std::string state() const {
    const json rollout = status().at("rollout");
    return rollout.is_null() ? "idle" : rollout.at("state").get<std::string>();
  }
  void await_state(const std::string& wanted) const {
    await(
        wanted, [&] { return state() == wanted; }, Millis{20'000});
  }
  // "blue=70(ready) green=30(ready)", as the log has it.
  std::string fleet() const {
    std::string text;
    const json status_now = status();
    for (const char* color : {"blue", "green"}) {
      const json& one = status_now.at("colors").at(color);
      text += std::string(color) + "=" + std::to_string(one.at("weight").get<int>()) + "(" +
              one.at("state").get<std::string>() + ") ";
    }
    return text;
  }
  // Killed and started again: what it told from then on.
  std::vector<json> killed() {
    const size_t told = sidecar->log().size();
    sidecar->kill();
    sidecar->start();
    std::vector<json> events;
    std::istringstream lines(sidecar->log().substr(told));
    for (std::string line; std::getline(lines, line);) {
      const json read = json::parse(line, nullptr, false);
      if (read.is_object() && read.contains("event")) events.push_back(read);
    }
    return events;
  }

  Standin blue{"blue"}, green{"green"};
  std::unique_ptr<SidecarProcess> sidecar;
};

size_t place_of(const std::vector<json>& events, const std::string& name) {
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].at("event") == name) return i;
  }
  return events.size();
}

constexpr const char* kLong = "{ step_min: 1h, bake: 1h, warm_for: 100ms, look: 100ms }";
constexpr const char* kLongDrain = "{ deadline: 1h, quiet: 1h, wait: 1s }";
constexpr const char* kShortDrain = "{ deadline: 1s, quiet: 100ms, wait: 1s }";

// R41, with a real process and a real file.
void expect_back(KilledSite& site, const std::string& state) {
  SCOPED_TRACE(state);
  const std::string fleet = site.fleet();
  const std::vector<json> events = site.killed();
  const size_t loaded = place_of(events, "fleet_loaded");
  ASSERT_LT(loaded, events.size());
  EXPECT_EQ(events[loaded].at("fleet").get<std::string>().rfind(fleet, 0), 0u)
      << events[loaded].dump() << " was " << fleet;
  const size_t goes_on = place_of(events, "rollout_goes_on");
  const size_t decided = place_of(events, "rollout");
  if (state == "idle") {
    EXPECT_EQ(goes_on, events.size());
  } else {
    ASSERT_LT(goes_on, events.size());
    EXPECT_EQ(events[goes_on].at("state"), state);
    EXPECT_LT(loaded, goes_on) << "weights first";
    EXPECT_TRUE(decided == events.size() || goes_on < decided) << "then the decision";
  }
  EXPECT_EQ(get(site.sidecar->port(), "/nonce?n=1").status, 200);
}

// Whatever it was, users are on one side in the end.
void expect_one_side(KilledSite& site, const std::string& color) {
  site.await_state("idle");
  const json colors = site.status().at("colors");
  EXPECT_EQ(colors.at(color).at("weight"), 100);
  EXPECT_EQ(colors.at(color == "blue" ? "green" : "blue").at("weight"), 0);
}

TEST(RolloutKill, IdleWithWeightsByHand) {
  KilledSite site(kLong, kLongDrain);
  site.sidecar->command("weights blue=70 green=30");
  expect_back(site, "idle");
}

TEST(RolloutKill, PreparingAndWarming) {
  KilledSite site("{ warm_for: 1h, prepare_max: 2h }", kLongDrain);
  site.green.set("health=fail");
  await("green to be down", [&] { return !site.sidecar->is_up("green"); });
  site.sidecar->command("canary green");
  site.await_state("preparing");
  expect_back(site, "preparing");
  site.green.set("health=ok");
  site.await_state("warming");
  expect_back(site, "warming");
  site.sidecar->command("abort");
  expect_one_side(site, "blue");
}

TEST(RolloutKill, CanaryAndHolding) {
  KilledSite site(kLong, kLongDrain);
  site.sidecar->command("canary green steps=30,100");
  site.await_state("canary(30)");
  expect_back(site, "canary(30)");
  int of_green = 0;
  for (int i = 0; i < 200; ++i) {
    of_green += color_of(get(site.sidecar->port(), "/nonce?n=1")) == "green" ? 1 : 0;
  }
  EXPECT_GT(of_green, 20) << "of 200 with a share of 30 %";
  EXPECT_LT(of_green, 110);
  site.sidecar->command("pause");
  site.await_state("holding(paused)");
  expect_back(site, "holding(paused)");
  site.sidecar->command("abort");
  expect_one_side(site, "blue");
}

TEST(RolloutKill, SwitchedAndDraining) {
  KilledSite site(kLong, kLongDrain);
  site.sidecar->command("switch green");
  site.await_state("switched");
  expect_back(site, "switched");
  site.sidecar->command("abort");
  expect_one_side(site, "blue");
  site.sidecar->command("switch green bake=no reason=again");
  site.await_state("draining");
  expect_back(site, "draining");
  site.sidecar->command("abort");
  expect_one_side(site, "blue");
}

// The agent had begun to stop the old color: it is waited for, and the stop is not asked twice.
TEST(RolloutKill, Stopping) {
  KilledSite site(kLong, kShortDrain);
  const auto hello = [&](AdminClient& admin) {
    const json answer = json::parse(admin.ask("agent hello journal=test pid=1"));
    return std::to_string(answer.at("session").get<int64_t>());
  };
  std::string id;
  {
    AdminClient agent(site.sidecar->socket_path());
    const std::string session = hello(agent);
    site.sidecar->command("switch green deploy=no bake=no reason=test");
    site.await_state("stopping");
    const json taken = json::parse(agent.ask("actions take session=" + session + " wait=5s"));
    ASSERT_EQ(taken.at("action").at("kind"), "stop");
    id = std::to_string(taken.at("action").at("id").get<int64_t>());
    agent.ask("actions report " + id + " session=" + session + " state=started");
  }
  expect_back(site, "stopping");
  AdminClient agent(site.sidecar->socket_path());
  const std::string session = hello(agent);
  agent.ask("actions report " + id + " session=" + session + " state=done");
  expect_one_side(site, "green");
  EXPECT_EQ(json::parse(site.sidecar->command("explain")).at("rollout").at("end"), "done");
  const json more = json::parse(agent.ask("actions take session=" + session + " wait=200ms"));
  EXPECT_TRUE(more.at("action").is_null()) << more.dump();
}

TEST(RolloutKill, RollingBack) {
  KilledSite site(kLong, kLongDrain);
  site.sidecar->command("canary green steps=99,100");
  site.await_state("canary(99)");
  RawClient first(site.sidecar->port()), second(site.sidecar->port());
  for (RawClient* one : {&first, &second}) {  // work that the canary has to finish
    one->send("GET /web/report?ms=30000 HTTP/1.1\r\nHost: erp.test\r\n\r\n");
  }
  await("work on green", [&] { return site.sidecar->in_flight("color", "green") > 0; });
  site.sidecar->command("abort");
  site.await_state("rolling_back");
  expect_back(site, "rolling_back");
  expect_one_side(site, "blue");
  EXPECT_EQ(json::parse(site.sidecar->command("explain")).at("rollout").at("end"),
            "aborted(operator)");
}

// A whole rollout, killed again and again while people come and go.
TEST(RolloutKill, ARolloutThatIsKilledAgainAndAgainGetsToItsEnd) {
  KilledSite site("{ step_min: 200ms, bake: 500ms, warm_for: 100ms, look: 100ms }", kShortDrain);
  Visitors visitors(site.sidecar->port(), 8);
  const unsigned seed = 20261125;
  std::mt19937 random(seed);
  site.sidecar->command("canary green steps=30,70,100");
  for (int kill = 0; kill < 4; ++kill) {
    const Deadline moment(Millis{200 + random() % 1'500});
    json acknowledged = site.status();
    while (!moment.passed()) acknowledged = site.status();
    const std::vector<json> events = site.killed();
    const size_t at = place_of(events, "fleet_loaded");
    ASSERT_LT(at, events.size());
    const auto epoch = events[at].at("epoch").get<int64_t>();
    EXPECT_GE(epoch, acknowledged.at("epoch").get<int64_t>()) << "seed " << seed;
    const std::string fleet = events[at].at("fleet");
    if (epoch == acknowledged.at("epoch").get<int64_t>()) {
      for (const char* color : {"blue", "green"}) {
        const json& one = acknowledged.at("colors").at(color);
        const std::string text = std::string(color) + "=" +
                                 std::to_string(one.at("weight").get<int>()) + "(" +
                                 one.at("state").get<std::string>() + ")";
        EXPECT_NE(fleet.find(text), std::string::npos) << fleet << acknowledged.dump();
      }
    }
    const bool goes_on = place_of(events, "rollout_goes_on") < events.size();
    const bool one_side =
        fleet.find("=100(") != std::string::npos && fleet.find("=0(") != std::string::npos;
    EXPECT_TRUE(goes_on || one_side) << "idle with a half moved fleet: " << fleet;
  }
  await(
      "the end", [&] { return site.state() == "idle"; }, Millis{60'000});
  expect_one_side(site, "green");
  const int64_t green = visitors.of_color("green");
  await("answers of green", [&] { return visitors.of_color("green") > green + 100; });
  EXPECT_EQ(visitors.errors(), 0);
}

}  // namespace
