#include "shifter/control/control_loop.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using routing::Kind;

constexpr ProbeOutcome kPass = ProbeOutcome::pass;
constexpr ProbeOutcome kRefused = ProbeOutcome::refused;

TEST(ControlLoop, PublishesBeforeItsStartIsOver) {
  Plant plant;
  ASSERT_EQ(plant.plane.tables.size(), 1u);
  EXPECT_EQ(plant.plane.last().version, 1u);
  EXPECT_EQ(plant.plane.last().colors[0].weight, 100);
  EXPECT_FALSE(plant.plane.last().colors[0].up);
}

// C29: one truth; what status reads is what was published.
TEST(ControlLoop, ShowsWhatItPublishedThroughAThousandRandomChanges) {
  const unsigned seed = 20260630;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  Plant plant;
  plant.bring_up();
  for (int i = 0; i < 1000; ++i) {
    const size_t color = random() % 2;
    switch (random() % 6) {
      case 0:
        plant.weights(static_cast<int>(random() % 100), 1 + static_cast<int>(random() % 100));
        break;
      case 1:
        (void)plant.loop->change(*set_ready(plant.loop->fleet(), color), false, {});
        break;
      case 2:
        (void)plant.loop->change(plant.drained(color, base::Millis{random() % 200}), true, {});
        break;
      case 3:
        plant.probe(color, kRefused);
        break;
      case 4:
        plant.probe(color, kPass);
        break;
      default:
        plant.tick(base::Millis{random() % 5000});
    }
    plant.tick();
    const routing::RoutingTable& table = plant.plane.last();
    ASSERT_EQ(table.epoch, plant.loop->fleet().epoch);
    for (size_t j = 0; j < 2; ++j) {
      ASSERT_EQ(table.colors[j].weight, plant.loop->fleet().colors[j].weight);
      ASSERT_EQ(table.colors[j].state, plant.loop->fleet().colors[j].state);
      ASSERT_EQ(table.colors[j].valid_from, plant.loop->fleet().colors[j].valid_from);
      ASSERT_EQ(table.colors[j].up, plant.loop->health().color(j).up);
    }
  }
}

// C29, with a probe that ends between the table and its application.
TEST(ControlLoop, ShowsNoHealthThatTheWorkersDoNotRouteByYet) {
  Plant plant;
  plant.bring_up();
  plant.probe(0, kRefused);
  bool shown = false;
  plant.loop->when_true_everywhere([&] { shown = true; });  // the table that says down
  plant.probe(0, kPass);                                    // and up again, not yet published
  const size_t tables = plant.plane.tables.size();
  plant.plane.apply_next();
  EXPECT_FALSE(shown) << "up is true for us and not for the workers";
  ASSERT_EQ(plant.plane.tables.size(), tables + 1);
  EXPECT_TRUE(plant.plane.last().colors[0].up);
  plant.plane.apply_next();
  EXPECT_TRUE(shown);
}

// C3: weights survive a down and an up.
TEST(ControlLoop, KeepsWeightsWhenAColorFailsAndRecovers) {
  Plant plant;
  plant.bring_up();
  plant.probe(0, kRefused);
  plant.tick();
  EXPECT_FALSE(plant.plane.last().colors[0].up);
  EXPECT_EQ(plant.plane.last().colors[0].weight, 100);
  plant.probe(0, kPass);
  plant.tick();
  EXPECT_TRUE(plant.plane.last().colors[0].up);
  EXPECT_EQ(plant.plane.last().colors[0].weight, 100);
  EXPECT_EQ(plant.plane.last().colors[1].weight, 0);
}

TEST(ControlLoop, PublishesAtMostOnceATickAndOnlyWhatChanged) {
  Plant plant;
  plant.bring_up();
  const size_t before = plant.plane.tables.size();
  for (int i = 0; i < 20; ++i) plant.tick();
  EXPECT_EQ(plant.plane.tables.size(), before);
  plant.probe(0, kRefused);
  plant.probe(1, kRefused);
  plant.tick();
  EXPECT_EQ(plant.plane.tables.size(), before + 1);
}

TEST(ControlLoop, SavesBeforeItPublishes) {
  Plant plant;
  const size_t before = plant.plane.tables.size();
  plant.forbid_writing(true);
  EXPECT_FALSE(plant.weights(1, 99));
  EXPECT_EQ(plant.plane.tables.size(), before);
  EXPECT_EQ(plant.loop->fleet().colors[0].weight, 100);
  plant.forbid_writing(false);
  EXPECT_TRUE(plant.weights(1, 99));
}

TEST(ControlLoop, ActsWithoutADiskWhereItMustAndSavesLater) {
  Plant plant;
  plant.bring_up();
  plant.forbid_writing(true);
  auto saved = plant.loop->change(plant.drained(0, 20min), /*must_act=*/true, {});
  ASSERT_TRUE(saved.has_value());
  EXPECT_FALSE(*saved);
  EXPECT_EQ(plant.plane.last().colors[0].state, ColorState::draining);
  EXPECT_FALSE(plant.loop->degraded().empty());
  plant.forbid_writing(false);
  plant.tick(1100ms);
  EXPECT_TRUE(plant.loop->is_saved());
  auto loaded = StateFile(plant.folder.file("state.json")).load(time_base(plant.clock));
  EXPECT_EQ(loaded->state.fleet.colors[0].state, ColorState::draining);
}

TEST(ControlLoop, StartsAgainWithTheLastAcknowledgedState) {
  Plant plant;
  plant.bring_up();
  ASSERT_TRUE(plant.weights(3, 97));
  (void)plant.loop->change(*ask_maint(plant.loop->fleet(), 0, true, all_up(), true), true, {});
  plant.tick();
  plant.tick();
  const Fleet before = plant.loop->fleet();
  ASSERT_EQ(before.colors[0].state, ColorState::maint);
  plant.start(two_colors(50, 50));
  EXPECT_EQ(text_of(plant.loop->fleet()), text_of(before));
  EXPECT_EQ(plant.loop->fleet().epoch, before.epoch);
}

TEST(ControlLoop, TrustsAColorThatWasUpAMomentAgo) {
  Plant plant;
  plant.bring_up();
  plant.tick(21s);  // health is saved now and then
  plant.clock.advance(20s);
  plant.start(two_colors());
  EXPECT_EQ(text_of(plant.loop->health().color(0)), "up(unproven)");
  EXPECT_TRUE(plant.plane.last().colors[0].up);
  plant.probe(0, kRefused, 1);
  plant.tick();
  EXPECT_FALSE(plant.plane.last().colors[0].up);
}

TEST(ControlLoop, HoldsRequestsFiveSecondsAtMostBeforeTheFirstVerdict) {
  Plant plant;
  EXPECT_EQ(plant.plane.last().hold_timeout, 5s);
  plant.bring_up();
  EXPECT_EQ(plant.plane.last().hold_timeout, 15s);

  Plant late;
  late.tick(5s);
  EXPECT_EQ(late.plane.last().hold_timeout, 15s) << "the normal bounds hold then";
}

TEST(ControlLoop, DrainsInOrderAndCallsAZeroFinalOnlyAfterClosingWasApplied) {
  Plant plant;
  plant.bring_up();
  plant.plane.in_flight(0, Kind::http) = 1;
  (void)plant.loop->change(plant.drained(0, 20min), true, {});
  plant.plane.apply();
  EXPECT_EQ(plant.plane.idle_closed.back(), 0) << "idle connections close at once";
  plant.tick(20min);
  EXPECT_EQ(plant.plane.last().colors[0].state, ColorState::closing);
  EXPECT_EQ(plant.plane.websockets_closed.size(), 1u);
  plant.tick();
  EXPECT_EQ(plant.plane.last().colors[0].state, ColorState::closing) << "one is in flight";
  plant.plane.in_flight(0, Kind::http) = 0;
  plant.tick();
  EXPECT_EQ(plant.plane.last().colors[0].state, ColorState::maint);
  EXPECT_EQ(plant.plane.websockets_closed.size(), 1u);
}

TEST(ControlLoop, DoesNotBelieveAZeroWhileAWorkerStillUsesTheOldTable) {
  Plant plant;
  plant.bring_up();
  (void)plant.loop->change(plant.drained(0, 0ms), true, {});
  plant.clock.advance(100ms);
  plant.loop->tick();
  plant.clock.advance(100ms);
  plant.loop->tick();
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::closing);
  plant.plane.in_flight(0, Kind::http) = 1;  // it was on its way
  plant.plane.apply();
  plant.tick();
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::closing);
  plant.plane.in_flight(0, Kind::http) = 0;
  plant.tick();
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::maint);
}

TEST(ControlLoop, EndsADrainWhenItsHoldersStayedAway) {
  Plant plant;
  plant.bring_up();
  (void)plant.loop->change(plant.drained(0, 20min), true, {});
  auto& answers = plant.plane.now.colors[0].routes[0].requests[1];
  for (int i = 0; i < 8; ++i) {  // somebody comes every minute
    ++answers;
    plant.tick(1min);
    ASSERT_EQ(plant.loop->fleet().colors[0].state, ColorState::draining);
  }
  plant.tick(5min - 1ms);
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::draining);
  plant.tick(1ms);
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::closing);
}

// C39
TEST(ControlLoop, AsksWebsocketsToLeaveFifteenMinutesIntoADrain) {
  Plant plant;
  plant.bring_up();
  (void)plant.loop->change(plant.drained(0, 60min), true, {});
  for (int i = 0; i < 14; ++i) {
    plant.plane.in_flight(0, Kind::http) = 1;  // not quiet
    plant.tick(1min);
  }
  EXPECT_TRUE(plant.plane.websockets_closed.empty());
  plant.tick(1min);
  ASSERT_EQ(plant.plane.websockets_closed.size(), 1u);
  EXPECT_EQ(plant.plane.websockets_closed[0].second, 30s);
}

TEST(ControlLoop, GoesOnWithADrainAfterARestart) {
  Plant plant;
  plant.bring_up();
  (void)plant.loop->change(plant.drained(0, 20min), true, {});
  plant.clock.advance(19min);
  plant.clock.jump_wall(-3h);
  plant.start(two_colors());
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::draining);
  plant.plane.in_flight(0, Kind::http) = 1;
  plant.tick(59s);
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::draining);
  plant.tick(1s);
  EXPECT_EQ(plant.loop->fleet().colors[0].state, ColorState::closing);
}

TEST(ControlLoop, CallsAColorSettledAfterFiveMinutesReadyAndUp) {
  Plant plant;
  plant.bring_up();
  plant.tick(5min - 1s);
  EXPECT_FALSE(plant.plane.last().colors[0].settled);
  plant.tick(2s);
  EXPECT_TRUE(plant.plane.last().colors[0].settled);
  plant.probe(0, kRefused);
  plant.tick();
  EXPECT_FALSE(plant.plane.last().colors[0].settled);
}

// C36.
TEST(ControlLoop, ServesWithOneColorWhenTheOthersNameDoesNotResolve) {
  routing::RoutingConfig config = two_colors(90, 10);
  config.colors[1].http = {{"odoo-green", 8069}};
  config.colors[1].websocket = {{"odoo-green", 8072}};
  Plant plant(config);
  plant.loop->on_name("odoo-green", base::fail(base::ErrorCode::io_failed, base::Side::proxy));
  plant.probe(0, kPass);
  plant.tick();
  EXPECT_TRUE(plant.plane.last().colors[0].up);
  EXPECT_EQ(text_of(plant.loop->health().color(1)), "down(dns)");
  plant.loop->on_name("odoo-green", std::vector<base::Address>{*base::parse_address("10.0.0.9:0")});
  plant.probe(1, kPass);
  plant.tick();
  EXPECT_TRUE(plant.plane.last().colors[1].up);
}

// C24: an address that a reload adds gets nothing before its probes passed.
TEST(ControlLoop, TakesANewAddressAsDown) {
  Plant plant;
  plant.bring_up();
  routing::RoutingConfig config = two_colors();
  config.colors[1].http.push_back({"10.0.0.9", 8069});
  int told = 0;
  plant.loop->set_on_addresses([&] { ++told; });
  plant.loop->take_config(plant.loop->config(), config);
  EXPECT_EQ(told, 1) << "probes begin at once";
  plant.tick();
  const auto& http = plant.plane.last().colors[1].http;
  ASSERT_EQ(http.size(), 2u);
  EXPECT_TRUE(http[0].usable);
  EXPECT_FALSE(http[1].usable);
}

TEST(ControlLoop, RefusesToStartFromStatesThatCannotBeRead) {
  Plant plant;
  plant.loop.reset();
  std::filesystem::remove(plant.folder.file("state.json"));
  std::filesystem::create_directories(plant.folder.file("state.json"));
  ControlConfig config;
  config.state.file = plant.folder.file("state.json");
  ControlLoop loop(plant.clock, plant.plane, plant.events, config, two_colors(50, 50),
                   std::vector<base::Key>(1));
  EXPECT_FALSE(loop.start().has_value());
}

}  // namespace
}  // namespace control
