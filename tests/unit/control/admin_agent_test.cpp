#include "shifter/control/admin_agent.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/unit/control/json_reply.h"
#include "tests/unit/control/plant.h"

namespace control {
namespace {

using Json = nlohmann::json;

struct AgentDesk : Plant {
  AdminAgent agent{*loop, events};
  std::string session;

  AgentDesk() : Plant(two_colors(100, 0)) { bring_up(); }
  std::shared_ptr<JsonReply> send(const std::string& line) {
    auto reply = std::make_shared<JsonReply>();
    auto command = parse_command(line);
    if (!command) {
      reply->finish(error_json(command.error()));
      return reply;
    }
    auto done = agent.run(*command, reply);
    if (!done) reply->finish(error_json(done.error()));
    return reply;
  }
  Json ask(const std::string& line) { return send(line)->answer.value_or(Json()); }
  void hello() {
    const Json answer = ask("agent hello journal=j1 pid=17 cpus=4 workers=blue:4,green:2");
    session = "session=" + answer.at("session").dump();
  }
  uint64_t deploy(const std::string& color = "green") {
    return loop->actions().ask({ActionKind::deploy, color, {{"workers", "6"}}, 300s});
  }
  std::string error_of(const std::string& line) {
    const Json answer = ask(line);
    return answer.contains("error") ? answer.at("error").at("code").get<std::string>() : "";
  }
};

TEST(AdminAgent, TakesWaitAndAreAnsweredWhenThereIsWork) {
  AgentDesk desk;
  desk.hello();
  auto reply = desk.send("actions take wait=30s " + desk.session);
  EXPECT_FALSE(reply->answer.has_value());
  const uint64_t id = desk.deploy();
  desk.agent.tick();
  ASSERT_TRUE(reply->answer.has_value());
  const Json action = reply->answer->at("action");
  EXPECT_EQ(action.at("id"), id);
  EXPECT_EQ(action.at("kind"), "deploy");
  EXPECT_EQ(action.at("color"), "green");
  EXPECT_EQ(action.at("arguments").at("workers"), "6");
  EXPECT_EQ(action.at("deadline_s"), 300);
  EXPECT_EQ(action.at("asked_ms"), desk.loop->actions().find(id)->asked.time_since_epoch().count());
  EXPECT_EQ(desk.loop->actions().find(id)->state, ActionState::taken);
}

TEST(AdminAgent, TakesEndWithNothingAfterTheirTime) {
  AgentDesk desk;
  desk.hello();
  auto reply = desk.send("actions take wait=5s " + desk.session);
  desk.clock.advance(5s);
  desk.agent.tick();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_TRUE(reply->answer->at("action").is_null());
}

// What is not on disk is not handed out: its id could be given again after a crash.
TEST(AdminAgent, HandsNothingOutThatCouldNotBeSaved) {
  AgentDesk desk;
  desk.hello();
  const uint64_t id = desk.deploy();
  desk.forbid_writing(true);
  auto reply = desk.send("actions take wait=30s " + desk.session);
  EXPECT_FALSE(reply->answer.has_value());
  EXPECT_EQ(desk.loop->actions().find(id)->state, ActionState::pending);
  desk.forbid_writing(false);
  desk.agent.tick();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ(reply->answer->at("action").at("id"), id);
}

TEST(AdminAgent, ReportsKeepTheTailAndWhatWasSeen) {  // R47
  AgentDesk desk;
  desk.hello();
  const uint64_t id = desk.deploy();
  desk.ask("actions take " + desk.session);
  const std::string report = "actions report " + std::to_string(id) + " " + desk.session;
  EXPECT_EQ(desk.ask(report + " state=started").at("ok"), true);
  EXPECT_EQ(desk.loop->actions().find(id)->state, ActionState::started);
  const Json answer = desk.ask(report +
                               " state=failed message=\"observed 4, wanted 6\" workers=4 "
                               "digest=sha256:ab tail=\"one%0Atwo 100%25%0A\"");
  EXPECT_EQ(answer.at("saved"), true);
  const Action& action = *desk.loop->actions().find(id);
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.message, "observed 4, wanted 6");
  EXPECT_EQ(action.tail, (std::vector<std::string>{"one", "two 100%"}));
  EXPECT_EQ(action.result.at("workers"), "4");
  EXPECT_EQ(action.result.at("digest"), "sha256:ab");
  ControlMetrics metrics;
  desk.loop->fill(metrics);
  EXPECT_EQ(metrics.agent.hook_failures.at("deploy"), 1);
  EXPECT_EQ(metrics.agent.by_state[static_cast<size_t>(ActionState::failed)], 1);
}

TEST(AdminAgent, FiguresAreTakenWithHelloAndWithEveryTake) {
  AgentDesk desk;
  desk.hello();
  EXPECT_EQ(desk.loop->actions().figures().workers.at("blue"), 4);
  EXPECT_EQ(desk.loop->actions().figures().cpus, 4);
  EXPECT_FALSE(desk.loop->actions().figures().memory_bytes.has_value());
  desk.send("actions take " + desk.session +
            " cpus=4 memory=8589934592 memory_free=1073741824 connections=88 connections_max=100");
  EXPECT_EQ(desk.loop->actions().figures().memory_free_bytes, 1073741824);
  EXPECT_EQ(desk.loop->actions().figures().connections, 88);
  const Json list = desk.ask("actions");
  EXPECT_EQ(list.at("agent").at("connected"), true);
  EXPECT_EQ(list.at("agent").at("figures").at("connections_max"), 100);
}

TEST(AdminAgent, RefusesWhatIsNotItsGrammar) {
  AgentDesk desk;
  desk.hello();
  EXPECT_EQ(desk.error_of("agent goodbye"), "usage");
  EXPECT_EQ(desk.error_of("agent hello pid=1"), "usage");
  EXPECT_EQ(desk.error_of("agent hello journal=j1"), "usage");
  EXPECT_EQ(desk.error_of("agent hello journal=j1 pid=1 workers=blue:x"), "usage");
  EXPECT_EQ(desk.error_of("agent hello journal=j2 pid=1"), "conflict");
  EXPECT_EQ(desk.error_of("actions take"), "usage");
  EXPECT_EQ(desk.error_of("actions take session=99"), "conflict");
  EXPECT_EQ(desk.error_of("actions take wait=10m " + desk.session), "usage");
  EXPECT_EQ(desk.error_of("actions report 1"), "usage");
  EXPECT_EQ(desk.error_of("actions report x state=done " + desk.session), "usage");
  EXPECT_EQ(desk.error_of("actions report 1 state=perhaps " + desk.session), "usage");
  EXPECT_EQ(desk.error_of("actions report 1 state=done " + desk.session), "not_found");
  const uint64_t id = desk.deploy();
  EXPECT_EQ(desk.error_of("actions report " + std::to_string(id) + " state=done " + desk.session),
            "refused");
}

TEST(AdminAgent, AnAgentWhoseWaitingConnectionClosesIsGone) {
  AgentDesk desk;
  desk.hello();
  auto reply = desk.send("actions take " + desk.session);
  EXPECT_TRUE(desk.loop->actions().has_agent());
  reply->gone = true;
  desk.agent.tick();
  EXPECT_FALSE(desk.loop->actions().has_agent());
  desk.deploy();
  desk.agent.tick();
  EXPECT_FALSE(reply->answer.has_value());
}

TEST(AdminAgent, AnOpenActionMustBeReportedBeforeTheNextIsTaken) {
  AgentDesk desk;
  desk.hello();
  const uint64_t id = desk.deploy();
  desk.ask("actions take " + desk.session);
  const Json again = desk.ask("agent hello journal=j1 pid=18");
  const int64_t asked = desk.loop->actions().find(id)->asked.time_since_epoch().count();
  EXPECT_EQ(again.at("open"), Json::array({Json{{"id", id}, {"asked_ms", asked}}}));
  EXPECT_EQ(desk.error_of("actions take session=" + again.at("session").dump()), "conflict");
}

TEST(AdminAgent, WhatServesIsNeitherStoppedNorDeployed) {
  AgentDesk desk;
  desk.hello();
  const uint64_t stop = desk.loop->actions().ask({ActionKind::stop, "green", {}, 60s});
  const uint64_t hook =
      desk.loop->actions().ask({ActionKind::custom, "green", {{"hook", "stop"}}, 60s});
  const uint64_t live = desk.deploy("blue");
  const uint64_t cold = desk.deploy("green");
  EXPECT_EQ(desk.ask("actions take " + desk.session).at("action").at("id"), cold);
  const Actions& actions = desk.loop->actions();
  EXPECT_EQ(actions.find(stop)->state, ActionState::failed);
  EXPECT_EQ(actions.find(stop)->message, "green is ready now, only what is empty is stopped");
  EXPECT_EQ(actions.find(hook)->state, ActionState::failed);
  EXPECT_EQ(actions.find(live)->state, ActionState::failed);
}

TEST(AdminAgent, EachOfTheTwoListsOfUidsAllowsItsOwnCommands) {
  AdminConfig config;
  config.allow_uids = {0, 1000};
  config.agent_uids = {0, 2000};
  const auto may = [&](const std::string& line, uint32_t uid) {
    return AdminAgent::may(config, *parse_command(line), uid);
  };
  EXPECT_TRUE(may("agent hello journal=j pid=1", 2000));
  EXPECT_TRUE(may("actions take session=1", 2000));
  EXPECT_FALSE(may("weights blue=1 green=0", 2000));
  EXPECT_FALSE(may("status", 2000));
  EXPECT_FALSE(may("agent hello journal=j pid=1", 1000));
  EXPECT_FALSE(may("actions report 1 session=1 state=done", 1000));
  EXPECT_TRUE(may("actions", 1000));
  EXPECT_TRUE(may("weights blue=1 green=0", 0));
  EXPECT_TRUE(may("actions take session=1", 0));
}

}  // namespace
}  // namespace control
