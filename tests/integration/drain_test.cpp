// Emptying a color: when it is safe to stop it. Under load: operating_test.cpp.
#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

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

}  // namespace
