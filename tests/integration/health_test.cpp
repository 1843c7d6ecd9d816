// Who is up, from outside: a busy color is not a dead one, one lost probe moves nobody.
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;

SidecarSetup with_colors(std::vector<ColorSetup> colors) {
  SidecarSetup setup;
  setup.colors = std::move(colors);
  return setup;
}

// C24: until its probes passed a new address gets nothing, and they begin at once.
TEST(Health, ANewAddressStartsDownAndIsProbedAtOnce) {
  const ScriptedBackend before, websocket;
  ScriptedBackend after;
  after.set_probe_status(500);
  SidecarSetup setup =
      with_colors({{"blue", 1, {before.address()}, {websocket.address()}, "auto", false}});
  setup.keys["health"] = "{ interval: 2s }";  // the first probe does not wait for it
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  sidecar.setup().colors[0].http = {before.address(), after.address()};
  sidecar.write_config();
  sidecar.command("reload");
  const auto asked = SteadyClock::now();
  await("the first probe", [&] { return after.probes() > 0; });
  EXPECT_LT(seconds_since(asked), 0.5 * kSlowness);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(get(sidecar.port(), "/a").status, 200);
  EXPECT_EQ(after.heads().size(), 0u);
  after.set_probe_status(200);
  await("its first request", [&] {
    std::vector<RawClient> together;  // the address with most free slots is taken
    for (int i = 0; i < 4; ++i) {
      together.emplace_back(sidecar.port());
      together.back().send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for (RawClient& client : together) EXPECT_EQ(client.read_answer().status, 200);
    return !after.heads().empty();
  });
}

// C25: fall 3, rise 2.
TEST(Health, OneLostProbeMovesNobodyThreeInARowDo) {
  ScriptedBackend blue, green;
  SidecarProcess sidecar(
      with_colors({{"blue", 1, {blue.address()}, {blue.address()}, "auto", false},
                   {"green", 0, {green.address()}, {green.address()}, "auto", false}}));
  sidecar.wait_until_up({"blue", "green"});
  for (int round = 0; round < 5; ++round) {
    const int before = blue.probes();
    blue.set_probe_status(500);
    await("a probe that fails", [&] { return blue.probes() > before; });
    blue.set_probe_status(200);
    const int after = blue.probes();
    await("good probes again", [&] { return blue.probes() >= after + 4; });
    EXPECT_TRUE(sidecar.is_up("blue")) << "after the single failure " << round;
  }
  blue.set_probe_status(500);
  await("blue to be down", [&] { return !sidecar.is_up("blue"); });
  EXPECT_NE(sidecar.ask("status").find("down"), std::string::npos);
  blue.set_probe_status(200);
  sidecar.wait_until_up({"blue"});
}

TEST(Health, ABusyColorStaysUp) {
  const Standin blue("blue", {"--workers", "2"});
  const Standin green("green");
  SidecarSetup setup = with_colors({blue.as_color(1, "4"), green.as_color(0)});
  setup.keys["health"] =
      "{ interval: 100ms, page_interval: 300ms, timeout: 200ms, page_timeout: 400ms, fall: 3 }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  RawClient first(sidecar.port(), Millis{30'000}), second(sidecar.port(), Millis{30'000});
  first.send("GET /web/report?ms=3000 HTTP/1.1\r\nHost: t\r\n\r\n");
  second.send("GET /web/report?ms=3000 HTTP/1.1\r\nHost: t\r\n\r\n");
  await("both reports at work", [&] {
    return sidecar.scrape().sum("odoo_active_requests", "color=\"blue\"", "http") == 2;
  });
  // Ten times as long as three probes take.
  EXPECT_TRUE(stays([&] { return sidecar.is_up("blue"); }, Millis{2'000}));
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_EQ(second.read_answer().status, 200);
  EXPECT_TRUE(sidecar.is_up("blue"));
}

TEST(Health, ADeadColorIsDownAfterFallProbesAndItsUsersAreServed) {
  Standin blue("blue");
  const Standin green("green");
  SidecarProcess sidecar(with_colors({blue.as_color(1), green.as_color(0)}));
  sidecar.wait_until_up({"blue", "green"});
  const Answer before = get(sidecar.port(), "/nonce?n=1");
  const std::string holder = "Cookie: color=" + before.set_cookie("color") + "\r\n";
  blue.kill();
  await(
      "blue to be down", [&] { return !sidecar.is_up("blue"); }, Millis{3'000});
  const Answer moved = get(sidecar.port(), "/nonce?n=2", holder);
  EXPECT_EQ(moved.status, 200);
  EXPECT_EQ(moved.all("Set-Cookie").size(), 1u + (moved.set_cookie("session_id").empty() ? 0u : 1u))
      << moved.head;
  EXPECT_FALSE(moved.set_cookie("color").empty());
}

// The database is gone for both: nobody is moved, nobody is down.
TEST(Health, APageThatFailsEverywhereIsNobodysFault) {
  Standin blue("blue"), green("green");
  SidecarProcess sidecar(with_colors({blue.as_color(1), green.as_color(1)}));
  sidecar.wait_until_up({"blue", "green"});
  blue.set("page=fail");
  green.set("page=fail");
  EXPECT_TRUE(
      stays([&] { return sidecar.is_up("blue") || sidecar.is_up("green"); }, Millis{2'500}));
  blue.set("page=ok");
  await("green alone to be down", [&] { return sidecar.is_up("blue") && !sidecar.is_up("green"); });
}

// C36: a name that does not resolve is one color's trouble.
TEST(Health, AColorWhoseNameDoesNotResolveIsDownAndTheRestServes) {
  const ScriptedBackend blue;
  SidecarProcess sidecar(
      with_colors({{"blue", 90, {blue.address()}, {blue.address()}, "auto", false},
                   {"green", 10, {"green.invalid:8069"}, {"green.invalid:8072"}, "auto", false}}));
  sidecar.wait_until_up({"blue"});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(get(sidecar.port(), "/a").status, 200);
  await("the reason", [&] { return sidecar.ask("status").find("dns") != std::string::npos; });
}

TEST(Health, AConfigOfOneColorStarts) {
  const ScriptedBackend blue;
  SidecarProcess sidecar(
      with_colors({{"blue", 1, {blue.address()}, {blue.address()}, "auto", false}}));
  sidecar.wait_until_up({"blue"});
  EXPECT_EQ(get(sidecar.port(), "/a").status, 200);
}

}  // namespace
