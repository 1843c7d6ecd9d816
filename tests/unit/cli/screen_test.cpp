#include "shifter/cli/screen.h"

#include <fstream>
#include <sstream>

#include "shifter/cli/event_line.h"
#include "shifter/cli/units.h"
#include "shifter/cli/watch.h"
#include "tests/unit/cli/fake_daemon.h"

namespace cli {
namespace {

std::string totals(int requests, int errors, const std::string& latency) {
  return R"({"requests":)" + std::to_string(requests) + R"(,"errors":)" + std::to_string(errors) +
         R"(,"latency":[)" + latency + "]}";
}

std::string event(const std::string& time, const std::string& rest) {
  return event_line(R"({"time":"2026-06-30T)" + time + R"(.000Z",)" + rest + "}");
}

Moment moment_of(const FakeStatus& before, const FakeStatus& now) {
  Moment moment;
  moment.before = *parse_snapshot(before.json());
  moment.now = *parse_snapshot(now.json());
  moment.seconds_between = 10;
  moment.clock = "12:00:10";
  return moment;
}

Moment idle() {
  FakeStatus status;
  status.blue.weight = 100;
  status.green.weight = 0;
  return moment_of(status, status);
}

Moment canary() {
  FakeStatus before, now;
  now.blue.flight = R"({"queued":1,"http":7,"longpoll":2,"websocket":118})";
  now.green.flight = R"({"queued":0,"http":1,"longpoll":0,"websocket":9})";
  before.blue.totals = totals(1000, 3, "500,480,20,0");
  now.blue.totals = totals(1460, 4, "800,620,40,0");
  before.green.totals = totals(40, 0, "40,0,0,0");
  now.green.totals = totals(90, 1, "80,8,2,0");
  now.none = R"({"receiving":1,"held":0,"delivering":2})";
  now.epoch = 13;
  now.rollout =
      R"j({"state":"canary(10)","number":8,"purpose":"canary","canary":"green","stable":"blue",)j"
      R"j("steps":"5,10,25,50,100","share":10,"since_s":240,"waits_for_window":false,)j"
      R"j("would_roll_back":"evidence at its limit, a hard limit, the canary down, abort",)j"
      R"j("verdict":{"kind":"not_enough","reason":"no_evidence","text":"","signals":[)j"
      R"j({"signal":"error","canary_bad":3,"canary_exposed":41,"control_bad":2,)j"
      R"j("control_exposed":380,"e_value":12.25,"limit":66.67,"enough":false,"missing":"41/100"},)j"
      R"j({"signal":"slow","canary_bad":1,"canary_exposed":41,"control_bad":9,)j"
      R"j("control_exposed":380,"e_value":0.61,"limit":40,"enough":false,"missing":"41/100"}]}})j";
  Moment moment = moment_of(before, now);
  moment.events = {event("11:59:40", R"("event":"color_health","color":"green","health":"up")"),
                   event("11:59:58", R"j("event":"rollout","state":"canary(10)","color":"green",)j"
                                     R"j("share":10,"epoch":13)j")};
  return moment;
}

Moment drain() {
  FakeStatus before, now;
  now.blue.state = "draining";
  now.blue.drain = R"({"since_s":60,"deadline_in_s":1140,"quiet":"5m"})";
  now.blue.flight = R"({"queued":0,"http":3,"longpoll":1,"websocket":96})";
  before.blue.totals = totals(1000, 3, "500,480,20,0");
  now.blue.totals = totals(1100, 3, "590,490,20,0");
  now.green.weight = 100;
  now.blue.weight = 0;
  before.green.totals = totals(100, 0, "100,0,0,0");
  now.green.totals = totals(520, 0, "400,120,0,0");
  Moment moment = moment_of(before, now);
  moment.events = {
      event("11:59:10", R"("event":"command","command":"drain blue reason=\"release 42\"",)"
                        R"("uid":1000,"result":"done","epoch":14)"),
      event("11:59:10", R"("event":"color_state","color":"blue","from":"ready",)"
                        R"("to":"draining","epoch":14)")};
  return moment;
}

Moment color_down() {
  FakeStatus before, now;
  now.green.health = "down(refused)";
  now.degraded = R"j(["green has weight and is down(refused)"])j";
  now.hold = R"({"on":true,"max":200,"timeout":"15s"})";
  now.none = R"({"receiving":0,"held":4,"delivering":0})";
  before.green.totals = totals(90, 0, "90,0,0,0");
  now.green.totals = totals(110, 20, "90,0,0,20");
  Moment moment = moment_of(before, now);
  moment.events = {
      event("12:00:05", R"j("event":"color_health","color":"green","health":"down(refused)")j")};
  return moment;
}

std::string text_of(const std::vector<ScreenLine>& lines) {
  std::string text;
  for (const ScreenLine& line : lines) text += line.text + "\n";
  return text;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::vector<std::pair<std::string, Moment (*)()>> kScreens = {
    {"idle", idle}, {"canary", canary}, {"drain", drain}, {"color_down", color_down}};

// The same screens stand in docs/shifter.md.
TEST(Screen, IsTheGoldenOne) {
  const std::string guide = read("docs/shifter.md");
  for (const auto& [name, moment] : kScreens) {
    const std::string drawn_text = text_of(screen_of(moment(), {}));
    EXPECT_EQ(drawn_text, read("tests/unit/cli/screens/" + name + ".txt")) << name;
    EXPECT_NE(guide.find("```\n" + drawn_text + "```\n"), std::string::npos)
        << "docs/shifter.md does not show " << name;
  }
}

TEST(Screen, FitsEverySize) {
  for (const auto& [name, moment] : kScreens) {
    Moment long_one = moment();
    for (int i = 0; i < 60; ++i) long_one.events.push_back(std::string(300, 'x'));
    for (int columns = 1; columns <= 140; ++columns) {
      for (int rows : {1, 2, 5, 10, 24, 70}) {
        const auto lines = screen_of(long_one, {columns, rows});
        ASSERT_LE(lines.size(), static_cast<size_t>(rows));
        ASSERT_FALSE(lines.empty());
        for (const ScreenLine& line : lines) {
          ASSERT_LE(width_of(line.text), static_cast<size_t>(columns)) << line.text;
        }
      }
    }
  }
}

TEST(Screen, ShowsAllColumnsInEightyAndTheLastEvents) {
  Moment moment = color_down();
  moment.events.clear();
  for (int i = 0; i < 100; ++i) moment.events.push_back("event " + std::to_string(i));
  const auto lines = screen_of(moment, {80, 24});
  EXPECT_EQ(lines.size(), 24u);
  EXPECT_EQ(lines.back().text, "event 99");
  const std::string& heading = lines[2].text;
  EXPECT_EQ(heading.substr(heading.size() - 2), "ws") << heading;
}

TEST(Screen, ShowsNoRateUntilItHasLookedTwice) {
  Moment moment = canary();
  moment.before.reset();
  EXPECT_EQ(text_of(screen_of(moment, {})).find("/s"), std::string::npos);
  moment = canary();
  std::swap(*moment.before, moment.now);  // the daemon was started anew and counts from 0
  EXPECT_EQ(
      text_of(screen_of(moment, {})).find("blue   ready        90 90 %  up                  -"),
      std::string::npos);
  EXPECT_EQ(text_of(screen_of(moment, {})).find("-4"), std::string::npos);
}

TEST(Screen, TellsLatencyWithinItsBucket) {
  const std::vector<int64_t> edges = {100, 200, 400};
  const auto p = [&](std::vector<int64_t> before, std::vector<int64_t> now, double share) {
    return latency_between({0, 0, std::move(before)}, {0, 0, std::move(now)}, edges, share);
  };
  EXPECT_EQ(p({0, 0, 0, 0}, {0, 10, 0, 0}, 0.5), 150);
  EXPECT_EQ(p({0, 0, 0, 0}, {90, 10, 0, 0}, 0.95), 150);
  EXPECT_EQ(p({90, 0, 0, 0}, {90, 0, 4, 0}, 0.5), 300) << "only what came between";
  EXPECT_EQ(p({0, 0, 0, 0}, {0, 0, 0, 5}, 0.95), 400) << "more than the last edge is not known";
  EXPECT_EQ(p({1, 1, 1, 1}, {1, 1, 1, 1}, 0.95), std::nullopt);
  EXPECT_EQ(p({0, 0}, {1, 1}, 0.95), std::nullopt) << "counts that fit no edges";
}

TEST(Screen, HasTonesOnlyWithColors) {
  const auto lines = screen_of(color_down(), {});
  const std::string with = drawn(lines, true);
  const std::string without = drawn(lines, false);
  EXPECT_NE(with.find("\x1b[31mgreen"), std::string::npos);
  for (const char* code : {"\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"}) {
    EXPECT_EQ(without.find(code), std::string::npos);
  }
}

TEST(EventLine, ShowsEventsThatItDoesNotKnowToo) {
  EXPECT_EQ(event_line(R"({"time":"2026-06-30T12:00:01.123Z","event":"new","a":1,"b":"x y"})"),
            "12:00:01 new          a=1 b=x y");
  EXPECT_EQ(event_line("no\x1bjson"), "no?json");
  EXPECT_EQ(event_line("7"), "7");
}

}  // namespace
}  // namespace cli
