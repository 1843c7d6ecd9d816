// The rollout commands as the socket sees them: what is read, what is refused and with which code.
#include "shifter/control/admin_rollout.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "shifter/control/judge.h"
#include "shifter/control/views.h"
#include "tests/integration/harness/json_schema.h"
#include "tests/unit/control/json_reply.h"
#include "tests/unit/control/rollout_plant.h"

namespace control {
namespace {

using Json = nlohmann::json;

struct RolloutDesk : RolloutPlant {
  TrafficRecord record;
  AdminRollout commands{*plant.loop, *rollouts, record};

  std::shared_ptr<JsonReply> send(const std::string& line, uint32_t uid = 1000) {
    auto reply = std::make_shared<JsonReply>(uid);
    auto command = parse_command(line);
    EXPECT_TRUE(command.has_value()) << line;
    if (auto done = commands.run(*command, reply); !done) reply->finish(error_json(done.error()));
    plant.plane.apply();
    return reply;
  }
  Json ask(const std::string& line, uint32_t uid = 1000) {
    return send(line, uid)->answer.value_or(Json());
  }
  // "refused accept-weak": the code and the field of an error; empty if it was taken.
  std::string fault(const std::string& line, uint32_t uid = 1000) {
    const Json answer = ask(line, uid);
    if (answer.at("ok").get<bool>()) return {};
    const Json& error = answer.at("error");
    return error.at("code").get<std::string>() + " " + error.value("field", "");
  }
  // A day of 600 sessions an hour, one in ten with an error.
  void record_a_day() {
    for (int64_t at = 300; at <= 86'400; at += 300) {
      TrafficEntry entry;
      entry.wall_s = at;
      entry.segment = 1;
      entry.color = 0;
      entry.sessions = static_cast<uint64_t>(at / 6);
      entry.faulty = {entry.sessions / 10, 0, 0};
      entry.requests = at;
      record.add(entry);
    }
  }
};

TEST(AdminRollout, ArgumentsThatMakeNoSenseAreUsage) {
  RolloutDesk desk;
  const std::pair<const char*, const char*> cases[] = {
      {"canary green steps=10,5,100", "usage steps"},
      {"canary green schema=drop", "usage schema"},
      {"canary green aa=perhaps", "usage aa"},
      {"switch green bake=no", "usage reason"},
      {"rollback x", "usage RELEASE"},
      {"rollback 1 old-code-breaks=yes", "usage reason"},
      {"explain x", "usage EPOCH"},
      {"simulate 50", "usage POLICY"},
      {"simulate 5,100 runs=0", "usage runs"},
      {"simulate 5,100 worse=31", "usage worse"},
  };
  for (const auto& [line, fault] : cases) EXPECT_EQ(desk.fault(line), fault) << line;
  EXPECT_EQ(desk.fault("canary green label=" + std::string(101, 'x')), "usage label");
  EXPECT_EQ(desk.fault("canary green image=" + std::string(301, 'x')), "usage image");
  EXPECT_TRUE(desk.rollouts->is_idle());
}

TEST(AdminRollout, ADryRunSaysWhatWouldBeFoundAndChangesNothing) {
  RolloutDesk desk;
  desk.judge.found.text = "finds 2 % against 0.5 % in 3 hours";
  const Json answer = desk.ask("canary green dry-run=yes");
  EXPECT_EQ(answer.at("dry_run"), true);
  EXPECT_EQ(answer.at("text"), desk.judge.found.text);
  EXPECT_TRUE(desk.rollouts->is_idle());
  desk.judge.found.weak = desk.judge.found.recorded = true;
  EXPECT_EQ(desk.fault("canary green"), "refused accept-weak");
  EXPECT_EQ(desk.fault("canary green accept-weak=yes"), "");
  EXPECT_FALSE(desk.rollouts->is_idle());
}

// R37, R38: others are told who it is; looking is free.
TEST(AdminRollout, OthersAreKeptOutWhileItRuns) {
  RolloutDesk desk;
  EXPECT_EQ(desk.fault("canary green reason=\"17.0-2\""), "");
  EXPECT_EQ(desk.fault("canary green", 1001), "conflict lock");
  const std::string message = desk.ask("switch green", 1001).at("error").at("message");
  EXPECT_NE(message.find(actor_of(1000).user), std::string::npos) << message;
  EXPECT_NE(message.find("17.0-2"), std::string::npos) << message;
  for (Verb verb : {Verb::weights, Verb::ready, Verb::maint, Verb::drain}) {
    EXPECT_FALSE(desk.commands.may_run(verb, 1000)) << "also for who began it";
  }
  EXPECT_TRUE(desk.commands.may_run(Verb::status, 1001));
  EXPECT_EQ(desk.fault("history", 1001), "");
  EXPECT_EQ(desk.fault("explain", 1001), "");
  EXPECT_EQ(desk.fault("abort", 1001), "") << "harm may be ended by anybody";
}

TEST(AdminRollout, ALockIsGivenBackByItsHolderOrTakenAwayAloud) {
  RolloutDesk desk;
  EXPECT_EQ(desk.fault("unlock"), "refused ");
  const Json locked = desk.ask("lock reason=filing");
  EXPECT_EQ(locked.at("lock").at("reason"), "filing");
  EXPECT_EQ(locked.at("lock").at("who").at("uid"), 1000);
  EXPECT_TRUE(desk.commands.may_run(Verb::weights, 1000));
  EXPECT_FALSE(desk.commands.may_run(Verb::weights, 1001));
  EXPECT_EQ(desk.fault("canary green", 1001), "conflict lock");
  EXPECT_EQ(desk.fault("unlock", 1001), "conflict lock");
  EXPECT_TRUE(desk.ask("unlock force=yes", 1001).at("lock").is_null());
}

// R34: a hold is ended by a person who says why.
TEST(AdminRollout, WithoutEvidenceItGoesOnOnlyWithAReason) {
  RolloutDesk desk;
  ASSERT_EQ(desk.fault("canary green"), "");
  ASSERT_TRUE(desk.run_to_share(5));
  ASSERT_TRUE(desk.run_until(RolloutState::holding));
  EXPECT_EQ(desk.fault("resume accept-no-evidence=yes"), "usage reason");
  EXPECT_EQ(desk.state(), "holding(no_evidence)");
  EXPECT_EQ(desk.fault("resume accept-no-evidence=yes reason=quiet"), "");
  EXPECT_EQ(desk.weight(1), 10);
}

TEST(AdminRollout, OrdersThatDoNotFitAreRefused) {
  RolloutDesk desk;
  for (const char* line : {"pause", "resume", "promote", "abort"}) {
    EXPECT_TRUE(desk.fault(line).starts_with("refused")) << line;
  }
  EXPECT_TRUE(desk.fault("rollback").starts_with("refused"));
  EXPECT_EQ(desk.fault("explain"), "not_found EPOCH");
}

// The verdict is made again from what was stored, also after a restart.
TEST(AdminRollout, ExplainMakesTheVerdictAgainFromItsInputs) {
  RolloutDesk desk;
  JudgeInputs inputs;
  inputs.share = 10;
  inputs.has_stable = true;
  inputs.day_sessions = 10'000;
  inputs.counts.canary.groups[0].exposed = 200;
  inputs.counts.stable.groups[0].exposed = 1'800;
  inputs.counts.canary.groups[0].faulty[0] = 20;
  FaultEvents events;
  events.canary_at_risk = 200;
  events.stable_at_risk = 1'800;
  events.canary = 20;
  inputs.evidence[0].add(events);
  ASSERT_EQ(desk.fault("canary green"), "");
  ASSERT_TRUE(desk.run_to_share(5));
  EXPECT_TRUE(desk.ask("explain").at("replay").is_null()) << "nothing is stored of a test's judge";
  desk.judge.verdict = verdict_of(inputs);
  desk.judge.made_of = text_of(inputs);
  ASSERT_TRUE(desk.run_until(RolloutState::idle));
  for (int round = 0; round < 2; ++round) {
    AdminRollout fresh(*desk.plant.loop, *desk.rollouts, desk.record);
    auto reply = std::make_shared<JsonReply>(1000);
    ASSERT_TRUE(fresh.run(*parse_command("explain"), reply));
    const Json answer = *reply->answer;
    EXPECT_EQ(answer.at("rollout").at("end"), "rolled_back(error)");
    const Json& replay = answer.at("replay");
    EXPECT_EQ(replay.at("same"), true);
    EXPECT_EQ(replay.at("verdict"), answer.at("rollout").at("verdict"));
    EXPECT_EQ(replay.at("verdict").at("kind"), "worse");
    EXPECT_EQ(replay.at("inputs").at("canary").at("groups").at(0).at("exposed"), 200);
    desk.restart();
  }
}

TEST(AdminRollout, TheInputsOfTheLastTenAreKept) {
  RolloutDesk desk;
  JudgeInputs inputs;
  inputs.has_stable = true;
  desk.judge.made_of = text_of(inputs);
  for (size_t i = 0; i <= SavedRollout::kInputsMax; ++i) {
    ASSERT_EQ(desk.fault("canary green"), "");
    ASSERT_TRUE(desk.run_to_share(5));
    desk.run(2s);  // it is looked at
    ASSERT_EQ(desk.fault("abort"), "");
    ASSERT_TRUE(desk.run_until(RolloutState::idle));
  }
  const auto& past = desk.rollouts->saved().past;
  ASSERT_EQ(past.size(), SavedRollout::kInputsMax + 1);
  EXPECT_EQ(past[0].verdict.inputs, "");
  EXPECT_EQ(past[1].verdict.inputs, desk.judge.made_of);
}

TEST(AdminRollout, SimulateReplaysTheRecordedDayLittleByLittle) {
  RolloutDesk desk;
  EXPECT_EQ(desk.fault("simulate 5,100"), "refused color") << "nothing is recorded";
  desk.record_a_day();
  auto reply = desk.send("simulate 10,50,100 runs=50 worse=5");
  int ticks = 0;
  while (!reply->answer && ticks < 10) {
    desk.commands.tick();
    ++ticks;
  }
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ(ticks, 3) << "twenty a tick";
  const Json& answer = *reply->answer;
  std::ifstream schema("docs/schema/simulate.json");
  EXPECT_EQ(harness::JsonSchema(Json::parse(schema)).faults(answer), std::vector<std::string>());
  EXPECT_EQ(answer.at("color"), "blue");
  EXPECT_EQ(answer.at("policy"), "10,50,100");
  EXPECT_NEAR(answer.at("recorded_hours").get<double>(), 24, 0.1);
  EXPECT_EQ(answer.at("steps").size(), 2u);
  EXPECT_NEAR(answer.at("steps").at(0).at("hours").get<double>(), 100.0 / 60, 0.1);
  EXPECT_EQ(answer.at("runs"), 50);
  EXPECT_LE(answer.at("false_rollbacks").get<int>(), 5);
  EXPECT_GE(answer.at("found").get<int>(), 45);
  EXPECT_EQ(desk.fault("simulate 5,100 color=red"), "not_found color");
  EXPECT_EQ(desk.fault("simulate 5,100 color=green"), "refused color");
}

TEST(AdminRollout, SimulationsAreFewAndEndWithWhoeverAsked) {
  RolloutDesk desk;
  desk.record_a_day();
  std::vector<std::shared_ptr<JsonReply>> replies;
  for (int i = 0; i < 4; ++i) replies.push_back(desk.send("simulate 5,100"));
  EXPECT_EQ(desk.fault("simulate 5,100"), "busy ");
  for (const auto& reply : replies) reply->gone = true;
  desk.commands.tick();
  EXPECT_FALSE(replies[0]->answer.has_value());
  EXPECT_FALSE(desk.send("simulate 5,100")->answer.has_value()) << "there is room again";
}

}  // namespace
}  // namespace control
