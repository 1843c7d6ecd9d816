// What a weight means, on every worker, from the moment that its command was answered.
#include <algorithm>
#include <set>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;

struct TwoStandins {
  TempFolder folder;
  Standin blue{"blue", {"--workers", "8"}, folder / "nonces"};
  Standin green{"green", {"--workers", "8"}, folder / "nonces"};
};

SidecarSetup setup_of(const TwoStandins& colors, int blue, int green, int workers = 2) {
  SidecarSetup setup;
  setup.workers = workers;
  setup.colors = {colors.blue.as_color(blue, "8"), colors.green.as_color(green, "8")};
  return setup;
}

// One probing request, written after the reply to a command was read: on a connection made before
// the command, so that every worker is asked in turn.
struct AskedAfter {
  std::string nonce, wanted;
};

// C2: 4 workers under full load; whatever is written after the acknowledgement obeys it.
TEST(Weights, AreTrueOnEveryWorkerWhenTheCommandAnswers) {
  constexpr int kFlips = kSlowness > 1 ? 50 : 200;
  const TwoStandins colors;
  SidecarProcess sidecar(setup_of(colors, 100, 0, 4));
  sidecar.wait_until_up({"blue", "green"});
  LoadSetup load_setup;
  load_setup.port = sidecar.port();
  load_setup.threads = 12;
  load_setup.cookies = false;
  load_setup.nonce_prefix = "load";
  Load load(load_setup);

  constexpr int kProbers = 16;  // kept connections, spread over the workers by the kernel
  std::vector<RawClient> probers;
  for (int i = 0; i < kProbers; ++i) probers.emplace_back(sidecar.port());
  AdminClient admin(sidecar.socket_path());
  std::vector<AskedAfter> asked;
  for (int flip = 0; flip < kFlips; ++flip) {
    const bool to_green = flip % 2 == 0;
    const std::string reply =
        admin.ask(to_green ? "weights blue=0 green=100" : "weights blue=100 green=0");
    ASSERT_NE(reply.find("\"ok\":true"), std::string::npos) << reply;
    for (int i = 0; i < kProbers; ++i) {
      const std::string nonce = "ask-" + std::to_string(flip) + "-" + std::to_string(i);
      asked.push_back({nonce, to_green ? "green" : "blue"});
      probers[static_cast<size_t>(i)].send("GET /nonce?n=" + nonce +
                                           " HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for (RawClient& prober : probers) ASSERT_EQ(prober.read_answer().status, 200);
  }
  const LoadFigures figures = load.stop();
  EXPECT_EQ(figures.errors(), 0) << (figures.complaints.empty() ? "" : figures.complaints.front());
  EXPECT_EQ(figures.resets, 0);

  std::map<std::string, std::string> served;
  std::set<std::string> doubled;
  for (const Executed& one : colors.blue.executed()) {
    if (!served.emplace(one.nonce, one.color).second) doubled.insert(one.nonce);
  }
  EXPECT_TRUE(doubled.empty()) << *doubled.begin() << " was executed twice";
  for (const AskedAfter& one : asked) {
    ASSERT_EQ(served[one.nonce], one.wanted) << one.nonce << " went to the color just left";
  }
  std::printf("%d flips, %zu requests after an acknowledgement, %lld under load, %zu executed\n",
              kFlips, asked.size(), static_cast<long long>(figures.sent), served.size());
}

// C3: weights are the operator's; health only suspends them.
TEST(Weights, SurviveADownAndUpCycle) {
  ScriptedBackend blue, green;
  SidecarSetup setup;
  setup.colors = {{"blue", 100, {blue.address()}, {blue.address()}, "auto", false},
                  {"green", 0, {green.address()}, {green.address()}, "auto", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  blue.set_probe_status(500);
  await("blue to be down", [&] { return !sidecar.is_up("blue"); });
  EXPECT_EQ(get(sidecar.port(), "/a").status, 200);  // fallback: allow
  EXPECT_EQ(green.heads().size(), 1u);
  blue.set_probe_status(200);
  sidecar.wait_until_up({"blue"});
  for (int i = 0; i < 50; ++i) EXPECT_EQ(get(sidecar.port(), "/b").status, 200);
  EXPECT_EQ(blue.heads().size(), 50u);
  EXPECT_EQ(green.heads().size(), 1u);
  const auto metrics = sidecar.scrape();
  EXPECT_EQ(metrics.sum("sidecar_color_weight", "color=\"blue\""), 100);
  EXPECT_EQ(metrics.sum("sidecar_color_weight", "color=\"green\""), 0);
}

// C6: the share is of users, and nobody ever changes color.
TEST(Weights, AreAShareOfUsersThatDoesNotDrift) {
  const TwoStandins colors;
  SidecarProcess sidecar(setup_of(colors, 90, 10));
  sidecar.wait_until_up({"blue", "green"});
  constexpr int kUsers = 1000, kVisits = kSlowness > 1 ? 5 : 10;
  std::vector<std::string> cookies(kUsers), home(kUsers);
  int changed = 0;
  RawClient client(sidecar.port(), Millis{30'000});
  for (int visit = 0; visit < kVisits; ++visit) {
    for (size_t user = 0; user < kUsers; ++user) {
      const std::string cookie =
          cookies[user].empty() ? "" : "Cookie: color=" + cookies[user] + "\r\n";
      client.send("GET /nonce?n=u HTTP/1.1\r\nHost: t\r\n" + cookie + "\r\n");
      const Answer answer = client.read_answer();
      ASSERT_EQ(answer.status, 200);
      const std::string color = harness::color_of(answer);
      ASSERT_FALSE(color.empty()) << answer.head;
      if (visit == 0) {
        home[user] = color;
        cookies[user] = answer.set_cookie("color");
        ASSERT_FALSE(cookies[user].empty()) << answer.head;
      } else {
        EXPECT_EQ(answer.set_cookie("color"), "") << "a holder gets no new cookie";
        if (color != home[user]) ++changed;
      }
    }
  }
  EXPECT_EQ(changed, 0);
  const auto on_green = std::count(home.begin(), home.end(), "green");
  EXPECT_GE(on_green, 70);
  EXPECT_LE(on_green, 130);
  std::printf("%lld of %d users on green, none moved over %d visits\n",
              static_cast<long long>(on_green), kUsers, kVisits);
}

// C26: with green down, everybody is served by blue; no share of 503.
TEST(Weights, TheSplitKnowsThatAColorIsDown) {
  const ScriptedBackend blue;
  const std::string nobody = "127.0.0.1:" + std::to_string(unused_port());
  SidecarSetup setup;
  setup.colors = {{"blue", 90, {blue.address()}, {blue.address()}, "auto", false},
                  {"green", 10, {nobody}, {nobody}, "auto", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  int good = 0;
  for (int i = 0; i < 1000; ++i) {
    client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
    if (client.read_answer().status == 200) ++good;
  }
  EXPECT_EQ(good, 1000);
}

// C11 and C20: a cookie names a color; its addresses come and go.
TEST(Weights, AHolderStaysOnTheColorWhenItsAddressIsAnotherOne) {
  const ScriptedBackend blue_before, blue_after, blue_beside, green;
  SidecarSetup setup;
  setup.colors = {{"blue", 50, {blue_before.address()}, {blue_before.address()}, "auto", false},
                  {"green", 50, {green.address()}, {green.address()}, "auto", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  std::string cookie;
  while (blue_before.heads().empty()) cookie = get(sidecar.port(), "/a").set_cookie("color");
  ASSERT_FALSE(cookie.empty());
  const std::string holder = "Cookie: color=" + cookie + "\r\n";
  const size_t green_before = green.heads().size();

  // Recreated elsewhere, with two addresses now.
  sidecar.setup().colors[0].http = {blue_after.address(), blue_beside.address()};
  sidecar.setup().colors[0].websocket = {blue_after.address()};
  sidecar.write_config();
  sidecar.command("reload");
  await("both addresses of blue to be up", [&] {
    const Scrape metrics = sidecar.scrape();
    return metrics.sum("sidecar_color_addresses_up", "color=\"blue\",port=\"http\"") == 2;
  });
  const size_t old_requests = blue_before.heads().size();
  for (int round = 0; round < 20; ++round) {
    std::vector<RawClient> together;  // the address with most free slots is taken
    for (int i = 0; i < 2; ++i) {
      together.emplace_back(sidecar.port());
      together.back().send("GET /again HTTP/1.1\r\nHost: t\r\n" + holder + "\r\n");
    }
    for (RawClient& client : together) {
      const Answer answer = client.read_answer();
      ASSERT_EQ(answer.status, 200);
      EXPECT_EQ(answer.set_cookie("color"), "") << "the cookie is as good as before";
    }
  }
  EXPECT_EQ(green.heads().size(), green_before);
  EXPECT_EQ(blue_before.heads().size(), old_requests);
  EXPECT_EQ(blue_after.heads().size() + blue_beside.heads().size(), 40u);
  EXPECT_GT(blue_after.heads().size(), 0u);
  EXPECT_GT(blue_beside.heads().size(), 0u);
}

}  // namespace
