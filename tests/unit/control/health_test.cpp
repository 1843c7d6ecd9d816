#include "shifter/control/health.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using routing::Port;
using support::FakeClock;

constexpr ProbeOutcome kPass = ProbeOutcome::pass;
constexpr ProbeOutcome kTimeOut = ProbeOutcome::time_out;
constexpr ProbeOutcome kRefused = ProbeOutcome::refused;

// Ids: blue 0 http, 1 websocket; green 2 http, 3 websocket.
struct Colors {
  FakeClock clock;
  HealthConfig limits;
  Health health{limits, {"blue", "green"}};
  routing::Totals totals;

  Colors() {
    totals.backends.resize(routing::kBackendsMax);
    resolve();
  }
  void resolve() {
    for (size_t color : {0u, 1u}) {
      const auto id = static_cast<routing::BackendId>(2 * color);
      health.set_addresses(color, {address(id, Port::http), address(id + 1, Port::websocket)}, true,
                           false, clock.now());
    }
  }
  static HealthAddress address(int id, Port port) {
    auto at = *base::parse_address("127.0.0.1:" + std::to_string(8000 + id));
    return {static_cast<routing::BackendId>(id), port, at};
  }
  void probe(int id, ProbeOutcome outcome, int times = 1) {
    for (int i = 0; i < times; ++i) {
      clock.advance(2s);
      health.observe(totals, clock.now());
      health.on_probe(static_cast<routing::BackendId>(id), outcome, clock.now());
    }
  }
  void bring_up(size_t color) {
    probe(static_cast<int>(2 * color), kPass, 2);
    probe(static_cast<int>(2 * color) + 1, kPass, 2);
  }
  std::string blue() const { return text_of(health.color(0)); }
  std::string green() const { return text_of(health.color(1)); }
};

// C24: none of its requests reach an address before `rise` probes passed.
TEST(Health, StartsANewAddressAsDown) {
  Colors colors;
  EXPECT_FALSE(colors.health.usable(0));
  EXPECT_EQ(colors.blue(), "down(starting)");
  colors.probe(0, kPass);
  EXPECT_FALSE(colors.health.usable(0));
  colors.probe(0, kPass);
  EXPECT_TRUE(colors.health.usable(0));
}

TEST(Health, NeedsBothPortsForAColorThatStarts) {
  Colors colors;
  colors.probe(0, kPass, 2);
  EXPECT_EQ(colors.blue(), "down(websocket)");
  colors.probe(1, kPass, 2);
  EXPECT_EQ(colors.blue(), "up");
}

TEST(Health, KeepsAColorUpWithoutWebsocketsButSaysSo) {
  Colors colors;
  colors.bring_up(0);
  colors.probe(1, kRefused, 3);
  EXPECT_EQ(colors.blue(), "up");
  EXPECT_TRUE(colors.health.color(0).no_websocket);
  colors.probe(0, kRefused, 3);
  colors.probe(0, kPass, 2);
  EXPECT_EQ(colors.blue(), "down(websocket)") << "it starts again, and then needs both";
}

// C25: fall=3 rise=2.
TEST(Health, IsNotMovedByOneLostProbeInThree) {
  Colors colors;
  colors.bring_up(0);
  const uint64_t changes = colors.health.changes();
  for (int i = 0; i < 600; ++i) {  // an hour of probes
    colors.probe(0, kRefused);
    colors.probe(0, kPass, 2);
  }
  EXPECT_EQ(colors.health.changes(), changes);
  colors.probe(0, kRefused, 2);
  EXPECT_EQ(colors.blue(), "up");
  colors.probe(0, kRefused);
  EXPECT_EQ(colors.blue(), "down(refused)");
  colors.probe(0, kPass);
  EXPECT_EQ(colors.blue(), "down(refused)");
  colors.probe(0, kPass);
  EXPECT_EQ(colors.blue(), "up");
}

TEST(Health, NeedsPassesInARow) {
  Colors colors;
  colors.probe(1, kPass, 2);
  for (int i = 0; i < 5; ++i) {
    colors.probe(0, kPass);
    colors.probe(0, kRefused);
  }
  EXPECT_FALSE(colors.health.usable(0));
}

TEST(Health, CallsABackendBusyThatTimesOutWhileItFinishesWork) {
  Colors colors;
  colors.bring_up(0);
  colors.totals.backends[0].in_flight = 2;
  for (int i = 0; i < 100; ++i) {  // 200 s; something finishes every 10 s
    if (i % 5 == 0) ++colors.totals.backends[0].finished;
    colors.probe(0, kTimeOut);
    ASSERT_EQ(colors.blue(), "up(busy)") << i;
  }
  colors.probe(0, kPass);
  EXPECT_EQ(colors.blue(), "up");
}

TEST(Health, CountsTimeOutsOfABackendThatHasNothingToDo) {
  Colors colors;
  colors.bring_up(0);
  colors.probe(0, kTimeOut, 3);
  EXPECT_EQ(colors.blue(), "down(timeout)");
}

// busy_max is 130 s, above Odoo's limit_time_real.
TEST(Health, CountsTimeOutsOnceNothingFinishedForBusyMax) {
  Colors colors;
  colors.bring_up(0);
  colors.clock.advance(1h);  // idle for long: that is no sign of a hang
  colors.totals.backends[0].in_flight = 1;
  colors.probe(0, kTimeOut);
  const base::Instant busy_since = colors.clock.now();
  while (colors.blue() == "up(busy)") colors.probe(0, kTimeOut);
  EXPECT_EQ(colors.blue(), "up") << "the first that counts is one of three";
  EXPECT_GE(colors.clock.now() - busy_since, 130s);
  EXPECT_LE(colors.clock.now() - busy_since, 134s);
  colors.probe(0, kTimeOut, 2);
  EXPECT_EQ(colors.blue(), "down(timeout)");
}

TEST(Health, AlwaysCountsRefusedAndReset) {
  for (ProbeOutcome outcome : {kRefused, ProbeOutcome::reset}) {
    Colors colors;
    colors.bring_up(0);
    colors.totals.backends[0].in_flight = 2;
    colors.probe(0, outcome, 3);
    EXPECT_FALSE(colors.health.color(0).up);
  }
}

TEST(Health, ServesWithOneOfTwoAddresses) {
  Colors colors;
  colors.health.set_addresses(0,
                              {Colors::address(0, Port::http), Colors::address(8, Port::http),
                               Colors::address(1, Port::websocket)},
                              true, false, colors.clock.now());
  colors.bring_up(0);
  EXPECT_EQ(colors.blue(), "up");
  EXPECT_FALSE(colors.health.usable(8));
  colors.probe(8, kPass, 2);
  colors.probe(0, kRefused, 3);
  EXPECT_EQ(colors.blue(), "up");
  EXPECT_TRUE(colors.health.usable(8));
}

// C23: no setting that is applied again revives a dead color.
TEST(Health, KeepsWhatItKnowsWhenAddressesAreSetAgain) {
  Colors colors;
  colors.bring_up(0);
  colors.bring_up(1);
  colors.probe(2, kRefused, 3);
  for (int i = 0; i < 10; ++i) {
    colors.clock.advance(6min);
    colors.resolve();
    EXPECT_EQ(colors.blue(), "up");
    EXPECT_EQ(colors.green(), "down(refused)");
  }
}

// C36.
TEST(Health, SaysDnsWhenAColorsNameDoesNotResolve) {
  Colors colors;
  colors.bring_up(0);
  colors.bring_up(1);
  colors.health.set_addresses(1, {}, true, /*dns_failed=*/true, colors.clock.now());
  EXPECT_EQ(colors.green(), "down(dns)");
  EXPECT_EQ(colors.blue(), "up");
}

TEST(Health, TrustsSavedHealthForAMinuteAndEndsItWithOneFailure) {
  struct Case {
    base::Millis age;
    std::string expected;
  };
  for (const Case& one : {Case{59s, "up(unproven)"}, Case{61s, "down(starting)"},
                          Case{-5s, "down(starting)"}}) {  // seen in the future: the wall jumped
    FakeClock clock;
    Health health(HealthConfig{}, {"blue"});
    const base::WallTime seen = clock.wall() - one.age;
    health.restore({{"blue", Port::http, "127.0.0.1:8000", seen},
                    {"blue", Port::websocket, "127.0.0.1:8001", seen}},
                   clock.wall(), clock.now());
    health.set_addresses(0, {Colors::address(0, Port::http), Colors::address(1, Port::websocket)},
                         true, false, clock.now());
    EXPECT_EQ(text_of(health.color(0)), one.expected);
    if (one.expected != "up(unproven)") continue;
    health.on_probe(0, kRefused, clock.now());
    EXPECT_EQ(text_of(health.color(0)), "down(refused)");
  }
}

TEST(Health, ProvesSavedHealthByProbes) {
  FakeClock clock;
  Health health(HealthConfig{}, {"blue"});
  health.restore({{"blue", Port::http, "127.0.0.1:8000", clock.wall()}}, clock.wall(), clock.now());
  health.set_addresses(0, {Colors::address(0, Port::http)}, false, false, clock.now());
  ASSERT_EQ(text_of(health.color(0)), "up(unproven)");
  health.on_probe(0, kPass, clock.now());
  health.on_probe(0, kPass, clock.now());
  EXPECT_EQ(text_of(health.color(0)), "up");
}

TEST(Health, SavesUnprovenHealthWithTheTimeItWasSeen) {
  FakeClock clock;
  Health health(HealthConfig{}, {"blue"});
  const base::WallTime seen = clock.wall() - 30s;
  health.restore({{"blue", Port::http, "127.0.0.1:8000", seen}}, clock.wall(), clock.now());
  health.set_addresses(0, {Colors::address(0, Port::http)}, false, false, clock.now());
  const auto saved = health.save(clock.wall());
  ASSERT_EQ(saved.size(), 1u);
  EXPECT_EQ(saved[0].seen, seen) << "else a crash loop would keep a dead backend up";
}

using Round = std::vector<std::optional<ProbeOutcome>>;

TEST(PageHealth, TakesAColorDownWhosePageFailsHereOnly) {
  Colors colors;
  colors.bring_up(0);
  colors.bring_up(1);
  const Round round = {kPass, ProbeOutcome::bad_status};
  colors.health.on_pages(round, colors.clock.now());
  colors.health.on_pages(round, colors.clock.now());
  EXPECT_EQ(colors.green(), "up");
  colors.health.on_pages(round, colors.clock.now());
  EXPECT_EQ(colors.green(), "down(page)");
  EXPECT_EQ(colors.blue(), "up");
  EXPECT_FALSE(colors.health.dependency_down());
  colors.health.on_pages({kPass, kPass}, colors.clock.now());
  EXPECT_EQ(colors.green(), "down(page)");
  colors.health.on_pages({kPass, kPass}, colors.clock.now());
  EXPECT_EQ(colors.green(), "up");
}

TEST(PageHealth, MovesNobodyWhenThePageFailsEverywhere) {
  Colors colors;
  colors.bring_up(0);
  colors.bring_up(1);
  for (int i = 0; i < 20; ++i) {
    colors.health.on_pages({ProbeOutcome::bad_status, kTimeOut}, colors.clock.now());
    EXPECT_EQ(colors.blue(), "up");
    EXPECT_EQ(colors.green(), "up");
    EXPECT_EQ(colors.health.dependency_down(), i >= 2);
  }
  colors.health.on_pages({kPass, kPass}, colors.clock.now());
  EXPECT_FALSE(colors.health.dependency_down());
}

TEST(PageHealth, MovesNobodyWhenThereIsNowhereToGo) {
  Colors colors;
  colors.bring_up(0);
  for (int i = 0; i < 5; ++i) {
    colors.health.on_pages({ProbeOutcome::bad_status, std::nullopt}, colors.clock.now());
  }
  EXPECT_EQ(colors.blue(), "up");
  EXPECT_TRUE(colors.health.dependency_down());
}

TEST(PageHealth, DoesNotCountTimeOutsOfABusyColor) {
  Colors colors;
  colors.bring_up(0);
  colors.bring_up(1);
  colors.totals.backends[2].in_flight = 2;
  colors.health.observe(colors.totals, colors.clock.now());
  for (int i = 0; i < 5; ++i) colors.health.on_pages({kPass, kTimeOut}, colors.clock.now());
  EXPECT_EQ(colors.green(), "up");
  for (int i = 0; i < 3; ++i) {
    colors.health.on_pages({kPass, ProbeOutcome::bad_status}, colors.clock.now());
  }
  EXPECT_EQ(colors.green(), "down(page)");
}

}  // namespace
}  // namespace control
