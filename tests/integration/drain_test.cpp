// Emptying a color: when it is safe to stop it, and that nobody notices.
#include <signal.h>

#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/websocket.h"

namespace {

using namespace harness;
using nlohmann::json;

SidecarSetup two_colors(const std::string& blue, const std::string& green) {
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {blue}, {blue}, "auto", false},
                  {"green", 0, {green}, {green}, "auto", false}};
  return setup;
}

// C30: three requests at work, forty idle clients; the answer comes as the third request ends.
TEST(Drain, AnswersWhenTheLastRequestEndsAndIdleClientsDoNotCount) {
  Gatekeeper gate;
  const ScriptedBackend blue([&gate](Peer& peer, const std::string& head) {
    if (head.find("/slow") != std::string::npos) gate.wait_for_turn();
    peer.send(plain_answer(200, "ok"));
  });
  const ScriptedBackend green;
  SidecarProcess sidecar(two_colors(blue.address(), green.address()));
  sidecar.wait_until_up({"blue", "green"});
  std::vector<RawClient> idle;
  for (int i = 0; i < 40; ++i) {
    idle.emplace_back(sidecar.port());
    idle.back().send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(idle.back().read_answer().status, 200);
  }
  std::vector<RawClient> slow;
  for (int i = 0; i < 3; ++i) {
    slow.emplace_back(sidecar.port());
    slow.back().send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  await("three at work", [&] { return sidecar.in_flight("color", "blue") == 3; });
  AdminClient admin(sidecar.socket_path());
  admin.send("drain blue deadline=0 wait=60s");
  for (int i = 0; i < 2; ++i) {
    gate.let_one_through();
    await("one less", [&] { return sidecar.in_flight("color", "blue") == 2 - i; });
  }
  std::string early;
  EXPECT_EQ(admin.socket().receive(early, 4096, Millis{300}), -2) << early;
  gate.let_one_through();
  const json answer = json::parse(admin.read_line(Millis{5'000}));
  EXPECT_TRUE(answer.at("ok").get<bool>());
  EXPECT_TRUE(answer.at("empty").get<bool>());
  for (RawClient& client : slow) EXPECT_EQ(client.read_answer().status, 200);
  idle[7].send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(idle[7].read_answer().status, 200);  // the same connection, the other color
  EXPECT_FALSE(green.heads().empty());
}

// C33: what is left is said, and still finished.
TEST(Drain, TellsWhatIsLeftAfterItsWaitAndCutsNothing) {
  Gatekeeper gate;
  const ScriptedBackend blue([&gate](Peer& peer, const std::string&) {
    gate.wait_for_turn();
    peer.send(plain_answer(200, "report"));
  });
  const ScriptedBackend green;
  SidecarProcess sidecar(two_colors(blue.address(), green.address()));
  sidecar.wait_until_up({"blue", "green"});
  RawClient report(sidecar.port());
  report.send("GET /report HTTP/1.1\r\nHost: t\r\n\r\n");
  await("it at work", [&] { return sidecar.in_flight("color", "blue") == 1; });
  const json answer = json::parse(sidecar.ask("drain blue deadline=0 wait=1s"));
  EXPECT_FALSE(answer.at("empty").get<bool>()) << answer.dump();
  ASSERT_EQ(answer.at("left").size(), 1u) << answer.dump();
  EXPECT_EQ(answer.at("left").at(0).at("route"), "web") << answer.dump();
  gate.open();
  const Answer finished = report.read_answer();
  EXPECT_EQ(finished.status, 200);
  EXPECT_EQ(finished.body, "report");
  await("the color to be empty", [&] {
    return json::parse(sidecar.ask("status")).at("colors").at("blue").at("state") == "maint";
  });
}

// C31: blue is drained, stopped, started and made ready again and again under load.
TEST(Drain, ReplacingAColorUnderLoadLosesNoRequest) {
  constexpr int kTimes = 20;
  const TempFolder folder;
  Standin blue("blue", {"--workers", "4"}, folder / "nonces");
  Standin green("green", {"--workers", "4"}, folder / "nonces");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(1)};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  LoadSetup load_setup;
  load_setup.port = sidecar.port();
  load_setup.users = 40;
  load_setup.rate = 200;
  Load readers(load_setup);
  load_setup.method = "POST";
  load_setup.body = std::string(2'000, 'b');
  load_setup.nonce_prefix = "post";
  Load writers(load_setup);
  for (int i = 0; i < kTimes; ++i) {
    Standin& color = i % 2 == 0 ? blue : green;
    const std::string name = i % 2 == 0 ? "blue" : "green";
    const json drained = json::parse(sidecar.command("drain " + name + " deadline=0 wait=20s"));
    ASSERT_TRUE(drained.at("empty").get<bool>()) << drained.dump();
    color.process().signal(SIGTERM);
    ASSERT_TRUE(color.process().wait(Millis{20'000}).has_value());
    color.start();
    sidecar.command("ready " + name);
    sidecar.wait_until_up({name});
  }
  LoadFigures figures = readers.stop();
  EXPECT_EQ(figures.errors(), 0) << (figures.complaints.empty() ? "" : figures.complaints.front());
  const LoadFigures posts = writers.stop();
  EXPECT_EQ(posts.errors(), 0) << (posts.complaints.empty() ? "" : posts.complaints.front());
  std::map<std::string, int> times;
  for (const Executed& one : read_nonce_log(folder / "nonces")) ++times[one.nonce];
  for (const auto& [nonce, count] : times) EXPECT_EQ(count, 1) << nonce;
  EXPECT_EQ(static_cast<int64_t>(times.size()), figures.sent + posts.sent);
  std::printf("%d replacements, %lld GET and %lld POST, each executed once\n", kTimes,
              static_cast<long long>(figures.sent), static_cast<long long>(posts.sent));
}

// C37: open websockets do not notice what an operator does.
TEST(Drain, WebsocketsSurviveEveryCommandThatDoesNotCloseThem) {
  constexpr int kSockets = 100;
  const Standin blue("blue"), green("green");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(1)};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  std::vector<WebsocketClient> sockets;
  for (int i = 0; i < kSockets; ++i) sockets.emplace_back(sidecar.port());
  for (int i = 1; i <= 50; ++i) {
    sidecar.command("weights blue=" + std::to_string(i % 5) + " green=1");
    if (i % 10 == 0) sidecar.command("reload");
  }
  for (int i = 0; i < kSockets; ++i) {
    const std::string text = "hello " + std::to_string(i);
    EXPECT_EQ(sockets[static_cast<size_t>(i)].echo(text), text);
  }
  EXPECT_EQ(sidecar.scrape().sum("odoo_active_requests", "kind=\"websocket\""), kSockets);
}

// C38: they are closed politely, with 1012, and come back on the other color.
TEST(Drain, WebsocketsOfAClosingColorGet1012AndReturnToTheOther) {
  constexpr int kSockets = 30;
  const Standin blue("blue"), green("green");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(0)};
  setup.keys["drain"] = "{ ws_close_over: 1s }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  std::vector<WebsocketClient> sockets;
  for (int i = 0; i < kSockets; ++i) sockets.emplace_back(sidecar.port());
  AdminClient admin(sidecar.socket_path());
  admin.send("drain blue deadline=0 wait=30s");
  for (WebsocketClient& each : sockets) EXPECT_EQ(each.wait_for_close(), 1012);
  const json drained = json::parse(admin.read_line(Millis{20'000}));
  EXPECT_TRUE(drained.at("empty").get<bool>()) << drained.dump();
  WebsocketClient again(sidecar.port());
  EXPECT_EQ(again.echo("back"), "back");
  const Scrape after = sidecar.scrape();
  EXPECT_EQ(after.sum("odoo_active_requests", "color=\"green\"", "websocket"), 1);
}

}  // namespace
