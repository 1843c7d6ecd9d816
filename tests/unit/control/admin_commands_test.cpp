#include "shifter/control/admin_commands.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

using Json = nlohmann::json;
using routing::Kind;

class FakeReply final : public Reply {
 public:
  const Caller& caller() const override { return caller_; }
  bool is_gone() const override { return gone; }
  void stream(std::string json) override { streamed.push_back(std::move(json)); }
  void finish(std::string json) override {
    EXPECT_FALSE(answer.has_value()) << "answered twice";
    answer = Json::parse(json);
  }

  bool gone = false;
  std::optional<Json> answer;
  std::vector<std::string> streamed;

 private:
  Caller caller_{1000, 4711};
};

struct Desk : Plant {
  std::unique_ptr<AuditLog> audit = *AuditLog::open(folder.file("audit"));
  AdminCommands::Reloaded reloaded;
  AdminCommands commands{
      *loop, plane, events, *audit,
      AdminCommands::Hooks{
          [] { return ProcessView{}; },
          [] {
            return std::vector<std::pair<std::string, std::string>>{{"listen", "127.0.0.1:8080"}};
          },
          [this] { return reloaded; }}};

  explicit Desk(routing::RoutingConfig routing = two_colors(90, 10)) : Plant(routing) {
    bring_up();
  }
  std::shared_ptr<FakeReply> send(const std::string& line) {
    auto reply = std::make_shared<FakeReply>();
    commands.run(line, reply);
    return reply;
  }
  // Sent, applied, and answered.
  Json ask(const std::string& line) {
    auto reply = send(line);
    plane.apply();
    plane.answer_lists();
    return reply->answer.value_or(Json());
  }
  void turn(base::Millis time = 100ms) {
    tick(time);
    commands.tick();
    plane.answer_lists();
  }
};

TEST(AdminCommands, AnswersWeightsOnlyOnceEveryWorkerAppliedThem) {
  Desk desk;
  auto reply = desk.send("weights blue=9 green=1");
  EXPECT_FALSE(reply->answer.has_value());
  desk.plane.apply();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["ok"], true);
  EXPECT_EQ((*reply->answer)["epoch"], 2);
  EXPECT_EQ((*reply->answer)["weights"]["blue"], 9);
  EXPECT_EQ(desk.plane.last().colors[0].weight, 9);
}

// C4, as the socket says it.
TEST(AdminCommands, NamesTheFieldOfImpossibleWeightsAndChangesNothing) {
  Desk desk;
  const size_t tables = desk.plane.tables.size();
  for (const char* line : {"weights blue=0 green=0", "weights blue=-1 green=1",
                           "weights blue=x green=1", "weights blue=1 red=1", "weights"}) {
    const Json answer = desk.ask(line);
    EXPECT_EQ(answer["ok"], false) << line;
    EXPECT_EQ(answer["error"]["code"], "usage");
    EXPECT_NE(answer["error"]["field"].get<std::string>(), "") << line;
  }
  EXPECT_EQ(desk.loop->fleet().epoch, 1u);
  EXPECT_EQ(desk.plane.tables.size(), tables);
}

// C51.
TEST(AdminCommands, LetsOneOfTwoOperatorsWinAndAuditsBoth) {
  Desk desk;
  EXPECT_EQ(desk.ask("weights blue=9 green=1 if-epoch=1 reason=\"first one\"")["epoch"], 2);
  const Json second = desk.ask("weights blue=1 green=9 if-epoch=1");
  EXPECT_EQ(second["error"]["code"], "conflict");
  EXPECT_EQ(second["error"]["field"], "if-epoch");
  EXPECT_EQ(desk.loop->fleet().colors[0].weight, 9);
  const Json entries = desk.ask("audit")["entries"];
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0]["uid"], 1000);
  EXPECT_EQ(entries[0]["pid"], 4711);
  EXPECT_EQ(entries[0]["reason"], "first one");
  EXPECT_EQ(entries[0]["before"], "blue=90(ready) green=10(ready) hold=off");
  EXPECT_EQ(entries[0]["after"], "blue=9(ready) green=1(ready) hold=off");
  EXPECT_EQ(entries[0]["result"], "done");
  EXPECT_EQ(entries[1]["result"], "conflict");
}

TEST(AdminCommands, RefusesAChangeThatCannotBeSaved) {
  Desk desk;
  desk.forbid_writing(true);
  for (const char* line : {"weights blue=1 green=1", "ready blue"}) {
    EXPECT_EQ(desk.ask(line)["error"]["code"], "state_unwritable") << line;
  }
  EXPECT_EQ(desk.loop->fleet().epoch, 1u);
  const Json hold = desk.ask("hold on");
  EXPECT_EQ(hold["ok"], true);
  EXPECT_EQ(hold["saved"], false);
  EXPECT_TRUE(desk.plane.last().held);
}

TEST(AdminCommands, AnswersADrainWhenTheColorIsEmpty) {
  Desk desk;
  desk.plane.in_flight(0, Kind::http) = 3;
  auto reply = desk.send("drain blue deadline=0 wait=60s");
  for (int left : {2, 1, 0}) {
    desk.turn();
    EXPECT_FALSE(reply->answer.has_value()) << left;
    desk.plane.in_flight(0, Kind::http) = left;
  }
  desk.turn();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["empty"], true);
  EXPECT_EQ((*reply->answer)["state"], "maint");
  EXPECT_TRUE(desk.plane.cuts.empty());
}

// C33.
TEST(AdminCommands, ReportsWhatIsLeftAfterItsWaitAndCutsNothing) {
  Desk desk;
  desk.plane.in_flight(0, Kind::http) = 1;
  auto reply = desk.send("drain blue deadline=0 wait=60s");
  desk.turn(30s);
  EXPECT_FALSE(reply->answer.has_value());
  desk.tick(30s);
  desk.commands.tick();
  routing::InFlightEntry entry;
  entry.color = 0;
  entry.age = 600s;
  entry.peer = "198.51.100.7";
  desk.plane.answer_lists({entry});
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["ok"], true);
  EXPECT_EQ((*reply->answer)["empty"], false);
  EXPECT_EQ((*reply->answer)["state"], "closing");
  ASSERT_EQ((*reply->answer)["left"].size(), 1u);
  EXPECT_EQ((*reply->answer)["left"][0]["peer"], "198.51.100.7");
  EXPECT_EQ((*reply->answer)["left"][0]["route"], "web");
  EXPECT_EQ((*reply->answer)["left"][0]["age_s"], 600);
  EXPECT_TRUE(desk.plane.cuts.empty());
}

TEST(AdminCommands, CutsAfterItsWaitWhenForced) {
  Desk desk;
  desk.plane.in_flight(0, Kind::http) = 1;
  auto reply = desk.send("drain blue wait=10s force=yes");
  desk.turn(10s);
  EXPECT_EQ(desk.loop->fleet().colors[0].state, ColorState::closing);
  desk.turn();
  desk.turn();
  ASSERT_EQ(desk.plane.cuts.size(), 1u);
  EXPECT_FALSE(reply->answer.has_value());
  desk.plane.in_flight(0, Kind::http) = 0;
  desk.turn();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["empty"], true);
  EXPECT_EQ((*reply->answer)["cut"], true);
}

TEST(AdminCommands, UsesTheDefaultsOfTheConfigForADrain) {
  Desk desk;
  auto reply = desk.send("drain blue");
  ASSERT_TRUE(desk.loop->fleet().colors[0].drain.has_value());
  EXPECT_EQ(desk.loop->fleet().colors[0].drain->deadline, desk.clock.now() + 20min);
  EXPECT_EQ(desk.loop->fleet().colors[0].drain->quiet, 5min);
  desk.turn(60s);
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["state"], "draining");
}

TEST(AdminCommands, StopsWaitingWhenItsClientLeaves) {
  Desk desk;
  desk.plane.in_flight(0, Kind::http) = 1;
  auto reply = desk.send("drain blue deadline=0 wait=10s force=yes");
  reply->gone = true;
  desk.turn(20s);
  desk.turn(20s);
  EXPECT_TRUE(desk.plane.cuts.empty()) << "nobody is there who asked for it";
  EXPECT_FALSE(reply->answer.has_value());
}

TEST(AdminCommands, EndsAWaitingDrainWhenTheColorIsMadeReady) {
  Desk desk;
  auto reply = desk.send("drain blue");
  desk.ask("ready blue");
  desk.turn();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["error"]["code"], "conflict");
}

TEST(AdminCommands, RefusesTheLastColorUnlessTold) {
  Desk desk;
  EXPECT_EQ(desk.ask("maint green")["error"], Json());
  desk.turn();
  const Json refused = desk.ask("drain blue");
  EXPECT_EQ(refused["error"]["code"], "refused");
  EXPECT_EQ(refused["error"]["field"], "last");
  desk.send("drain blue last=yes");
  EXPECT_EQ(desk.loop->fleet().colors[0].state, ColorState::draining);
}

TEST(AdminCommands, AnswersMaintOnceNobodyIsSentThere) {
  Desk desk;
  auto empty = desk.send("maint green");
  EXPECT_FALSE(empty->answer.has_value());
  desk.turn();
  desk.turn();
  ASSERT_TRUE(empty->answer.has_value());
  EXPECT_EQ((*empty->answer)["state"], "maint");

  Desk busy;
  busy.plane.in_flight(1, Kind::http) = 2;
  auto reply = busy.send("maint green");
  busy.turn();
  busy.turn();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["state"], "closing");
  EXPECT_EQ((*reply->answer)["in_flight"]["http"], 2);
}

TEST(AdminCommands, HoldsWithTheConfigsBoundsUnlessTold) {
  Desk desk;
  desk.ask("hold on");
  EXPECT_EQ(desk.plane.last().hold_max, 200);
  EXPECT_EQ(desk.plane.last().hold_timeout, 15s);
  desk.ask("hold on max=7 timeout=3s");
  EXPECT_EQ(desk.plane.last().hold_max, 7);
  EXPECT_EQ(desk.plane.last().hold_timeout, 3s);
  desk.ask("hold off");
  EXPECT_FALSE(desk.plane.last().held);
  EXPECT_EQ(desk.plane.last().hold_max, 200);
}

TEST(AdminCommands, WarnsOfWeightThatNobodyWillSee) {
  Desk desk;
  desk.probe(1, ProbeOutcome::refused);
  const Json answer = desk.ask("weights blue=0 green=100");
  ASSERT_EQ(answer["warnings"].size(), 1u);
  EXPECT_EQ(answer["warnings"][0], "green has weight but is down(refused)");
}

TEST(AdminCommands, ShowsStatusInOneObject) {
  Desk desk;
  desk.plane.in_flight(0, Kind::http) = 5;
  desk.plane.in_flight(0, Kind::websocket) = 7;
  desk.plane.in_flight(2, Kind::held) = 2;
  const Json status = desk.ask("status");
  EXPECT_EQ(status["schema"], 1);
  EXPECT_EQ(status["epoch"], 1);
  EXPECT_EQ(status["table_version"], status["applied_version"]);
  EXPECT_EQ(status["colors"]["blue"]["state"], "ready");
  EXPECT_EQ(status["colors"]["blue"]["weight"], 90);
  EXPECT_EQ(status["colors"]["blue"]["health"], "up");
  EXPECT_EQ(status["colors"]["blue"]["in_flight"]["http"], 5);
  EXPECT_EQ(status["colors"]["blue"]["in_flight"]["websocket"], 7);
  EXPECT_EQ(status["colors"]["blue"]["addresses"].size(), 2u);
  EXPECT_EQ(status["no_color"]["held"], 2);
  EXPECT_TRUE(status["degraded"].empty());
  desk.probe(1, ProbeOutcome::refused);
  EXPECT_EQ(desk.ask("status")["degraded"][0], "green has weight and is down(refused)");
}

TEST(AdminCommands, ShowsWhatEachColorAnsweredForRateErrorsAndLatency) {
  Desk desk;
  routing::RouteTotals& web = desk.plane.now.colors[0].routes[0];
  web.requests[static_cast<size_t>(routing::code_slot(200))] = 90;
  web.requests[static_cast<size_t>(routing::code_slot(499))] = 4;
  web.requests[static_cast<size_t>(routing::code_slot(502))] = 6;
  web.latency.counts[9] = 99;
  web.latency.counts[16] = 1;
  desk.plane.now.colors[0].routes[1].requests[static_cast<size_t>(routing::code_slot(504))] = 2;
  desk.plane.now.colors.back().routes[0].requests[static_cast<size_t>(routing::code_slot(503))] = 3;
  const Json status = desk.ask("status");
  const Json blue = status["colors"]["blue"]["totals"];
  EXPECT_EQ(blue["requests"], 102);
  EXPECT_EQ(blue["errors"], 8);
  ASSERT_EQ(blue["latency"].size(), 17u);
  EXPECT_EQ(blue["latency"][9], 99);
  EXPECT_EQ(blue["latency"][16], 1);
  ASSERT_EQ(status["latency_edges_us"].size(), 16u);
  EXPECT_EQ(status["latency_edges_us"][9], 600'000);
  EXPECT_EQ(status["colors"]["green"]["totals"]["requests"], 0);
  EXPECT_EQ(status["no_color_totals"]["requests"], 3);
  EXPECT_EQ(status["no_color_totals"]["errors"], 3);
}

// C29: never an answer that the workers do not yet live up to.
TEST(AdminCommands, ShowsHealthOnlyOnceTheWorkersRouteByIt) {
  Desk desk;
  desk.probe(1, ProbeOutcome::refused);
  EXPECT_TRUE(desk.plane.last().colors[1].up) << "the tick has not come";
  auto reply = desk.send("status");
  EXPECT_FALSE(desk.plane.last().colors[1].up);
  EXPECT_FALSE(reply->answer.has_value());
  desk.plane.apply();
  ASSERT_TRUE(reply->answer.has_value());
  EXPECT_EQ((*reply->answer)["colors"]["green"]["health"], "down(refused)");
  EXPECT_EQ((*reply->answer)["table_version"], (*reply->answer)["applied_version"]);
}

TEST(AdminCommands, AnswersEveryLook) {
  Desk desk;
  EXPECT_EQ(desk.ask("routes")["routes"][0]["name"], "web");
  EXPECT_EQ(desk.ask("connections")["backends"]["green"].size(), 2u);
  EXPECT_EQ(desk.ask("config")["config"]["listen"], "127.0.0.1:8080");
  EXPECT_EQ(desk.ask("help")["commands"].size(), command_table().size());
  EXPECT_EQ(desk.ask("inflight")["count"], 0);
  EXPECT_EQ(desk.ask("inflight blue")["ok"], true);
  EXPECT_EQ(desk.ask("inflight red")["error"]["field"], "red");
}

TEST(AdminCommands, StreamsEventsToThoseWhoFollow) {
  Desk desk;
  auto reply = desk.send("events follow");
  const size_t before = reply->streamed.size();
  EXPECT_GT(before, 0u) << "what is kept comes first";
  desk.probe(1, ProbeOutcome::refused);
  ASSERT_EQ(reply->streamed.size(), before + 1);
  const Json event = Json::parse(reply->streamed.back());
  EXPECT_EQ(event["event"], "color_health");
  EXPECT_EQ(event["color"], "green");
  EXPECT_EQ(event["health"], "down(refused)");
  reply->gone = true;
  desk.probe(1, ProbeOutcome::pass);
  EXPECT_EQ(reply->streamed.size(), before + 1);
  EXPECT_EQ(desk.ask("events list")["error"]["code"], "usage");
}

TEST(AdminCommands, TakesNothingOfAConfigWithAFault) {
  Desk desk;
  desk.reloaded.faults = {"sidecar.yaml:3: queue.lenght: unknown key"};
  const Json refused = desk.ask("reload");
  EXPECT_EQ(refused["error"]["code"], "bad_config");
  EXPECT_NE(refused["error"]["message"].get<std::string>().find("sidecar.yaml:3"),
            std::string::npos);
  EXPECT_EQ(desk.loop->fleet().epoch, 1u);
  int takes = 0;
  desk.reloaded = {{}, {"listen"}, [&] { ++takes; }};
  desk.forbid_writing(true);
  EXPECT_EQ(desk.ask("reload")["error"]["code"], "state_unwritable");
  EXPECT_EQ(takes, 0);
  desk.forbid_writing(false);
  const Json taken = desk.ask("reload");
  EXPECT_EQ(takes, 1);
  EXPECT_EQ(taken["needs_restart"], Json::array({"listen"}));
  EXPECT_EQ(taken["epoch"], 2);
}

TEST(AdminCommands, ChangesNothingWhileAnotherProcessTakesOver) {
  Desk desk;
  desk.commands.freeze(true);
  EXPECT_EQ(desk.ask("weights blue=1 green=1")["error"]["code"], "moved");
  EXPECT_EQ(desk.ask("actions")["error"]["code"], "moved") << "reports are saved";
  EXPECT_EQ(desk.ask("status")["ok"], true);
  desk.commands.freeze(false);
  EXPECT_EQ(desk.ask("weights blue=1 green=1")["ok"], true) << "it has left";
}

TEST(AdminCommands, SendsEverybodyToTheProcessThatHasTakenOver) {
  Desk desk;
  auto waits = desk.send("drain blue wait=60s");
  desk.turn();
  desk.commands.send_away();
  EXPECT_EQ(waits->answer.value_or(Json())["error"]["code"], "moved");
  EXPECT_EQ((*waits->answer)["error"]["field"], "wait") << "it was begun, and goes on there";
  EXPECT_EQ(desk.ask("status")["error"]["code"], "moved") << "what is shown here is old";
}

TEST(AdminCommands, ChangesNothingOnceTheProcessEnds) {
  Desk desk;
  desk.commands.refuse_changes();
  EXPECT_EQ(desk.ask("weights blue=1 green=1")["error"]["code"], "shutting_down");
  EXPECT_EQ(desk.ask("status")["ok"], true);
}

}  // namespace
}  // namespace control
