#include "shifter/control/scaling.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "shifter/control/state_file.h"
#include "tests/unit/control/plant.h"

namespace control {
namespace {

using namespace std::chrono_literals;

// What a test says of rollouts and actions; what was begun is kept.
class TestHands final : public ScaleHands {
 public:
  bool is_held() const override { return held; }
  std::optional<size_t> stable() const override { return stable_color; }
  Answer<uint64_t> begin(const ScaleOrder& order) override {
    if (refuses) return deny(AdminCode::conflict, {}, "another was faster");
    orders.push_back(order);
    seen = {State::running, {}};
    return orders.size();
  }
  Seen look(policy::Apply, uint64_t) const override { return seen; }
  std::optional<uint64_t> forgotten() const override { return known; }

  bool held = false;
  bool refuses = false;
  std::optional<size_t> stable_color;
  std::optional<uint64_t> known;
  Seen seen{State::running, {}};
  std::vector<ScaleOrder> orders;
};

struct ScalePlant {
  Plant plant;
  TestHands hands;
  std::unique_ptr<Scaling> scaling;
  uint64_t session = 0;
  std::map<std::string, int> workers{{"blue", 4}, {"green", 4}};

  ScalePlant() { start(); }
  void start() {
    scaling = std::make_unique<Scaling>(plant.clock, *plant.loop, plant.plane, plant.events, hands);
    scaling->start();
    connect();
    plant.bring_up();
  }
  void restart() {
    scaling.reset();
    plant.start(two_colors(100, 0));
    start();
  }
  // The machine was away for so long: only the wall clock knows.
  void reboot(base::Millis away) {
    StateFile file(plant.folder.file("state.json"));
    TimeBase time = time_base(plant.clock);
    auto loaded = file.load(time);
    ASSERT_TRUE(loaded.has_value()) << loaded.error().detail;
    time.boot_id = "of another life";
    ASSERT_TRUE(file.save(loaded->state, time).has_value());
    plant.clock.jump_wall(away);
    restart();
  }
  void connect() {
    AgentHello hello;
    hello.journal = "j";
    auto answer = plant.loop->actions().hello(hello, figures());
    ASSERT_TRUE(answer.has_value());
    session = *answer;
  }
  AgentFigures figures() const {
    AgentFigures figures;
    figures.workers = workers;
    figures.seen = plant.clock.now();
    return figures;
  }
  // A second at a time: so many requests of this latency, and so much in flight.
  void pass(base::Millis time, size_t color, int64_t us, int64_t requests, int64_t in_flight) {
    size_t bucket = 0;
    while (bucket < base::kLatencyEdgesUs.size() && us > base::kLatencyEdgesUs[bucket]) ++bucket;
    const routing::RouteIndex route = plant.loop->routes().back().index;
    for (; time > 0ms; time -= 1s) {
      auto& totals = plant.plane.now.colors[color];
      totals.routes[route].latency.counts[bucket] += requests;
      plant.plane.in_flight(color, routing::Kind::http) = in_flight;
      (void)plant.loop->actions().heard(session);
      plant.loop->actions().set_figures(figures());
      if (plant.clock.now() - probed > 10s) {
        plant.probe(0, ProbeOutcome::pass, 1);
        plant.probe(1, ProbeOutcome::pass, 1);
        probed = plant.clock.now();
      }
      plant.tick(1s);
      scaling->tick();
    }
  }
  void overload(base::Millis time, size_t color = 0) { pass(time, color, 2'000'000, 2, 8); }
  void idle(base::Millis time, size_t color = 0) { pass(time, color, 0, 0, 0); }
  std::string decision() const { return text_of(scaling->decision()); }
  bool saw(const std::string& event) const {
    for (const std::string& line : plant.events.kept()) {
      if (line.find("\"event\":\"" + event + "\"") != std::string::npos) return true;
    }
    return false;
  }
  base::Instant probed{};
};

TEST(Scaling, BeginsOnceAndGoesOnAfterTheEnd) {
  ScalePlant plant;
  plant.overload(5min + 10s);
  ASSERT_EQ(plant.hands.orders.size(), 1u);
  EXPECT_EQ(plant.hands.orders[0].from, 4);
  EXPECT_EQ(plant.hands.orders[0].to, 6);
  EXPECT_EQ(plant.hands.orders[0].color, 0u);  // R60: the one that serves; the other is deployed
  EXPECT_TRUE(plant.saw("scale_begun"));
  plant.overload(10min);
  EXPECT_EQ(plant.hands.orders.size(), 1u);
  EXPECT_EQ(plant.decision(), "hold(acting)");
  plant.hands.seen.state = ScaleHands::State::done;
  plant.workers["blue"] = 6;
  plant.overload(9min + 50s);
  EXPECT_EQ(plant.hands.orders.size(), 1u) << plant.decision();
  plant.overload(20s);
  ASSERT_EQ(plant.hands.orders.size(), 2u) << plant.decision();
  EXPECT_EQ(plant.hands.orders[1].to, 8);
}

// R42: the pause goes on over a restart, what has to last begins anew.
TEST(Scaling, KeepsItsPauseOverARestartAndCountsItsWindowsAnew) {
  ScalePlant plant;
  plant.overload(5min + 10s);
  ASSERT_EQ(plant.hands.orders.size(), 1u);
  plant.hands.seen.state = ScaleHands::State::done;
  plant.overload(3min + 1s);  // the pause is 10 minutes
  ASSERT_TRUE(plant.scaling->state().changed.has_value());
  ScaleMetrics metrics;
  plant.scaling->fill(metrics);
  EXPECT_NEAR(metrics.cooldown_up_s, 7 * 60, 2);
  plant.plant.clock.advance(5min);
  plant.restart();
  plant.overload(1s);
  plant.scaling->fill(metrics);
  EXPECT_NEAR(metrics.cooldown_up_s, 2 * 60, 3);
  // Slow for longer than the pause is left, but not yet for five minutes since the start.
  plant.overload(4min + 40s);
  EXPECT_EQ(plant.hands.orders.size(), 1u) << plant.decision();
  EXPECT_EQ(plant.decision(), "hold(collecting)");
  plant.overload(30s);
  EXPECT_EQ(plant.hands.orders.size(), 2u) << plant.decision();
}

TEST(Scaling, KeepsItsPauseOverAJumpOfTheWallClock) {
  ScalePlant plant;
  plant.overload(5min + 10s);
  plant.hands.seen.state = ScaleHands::State::done;
  plant.overload(10s);
  ScaleMetrics before;
  plant.scaling->fill(before);
  plant.plant.clock.jump_wall(-48h);
  plant.overload(5s);
  plant.restart();
  ScaleMetrics after;
  plant.scaling->fill(after);
  EXPECT_NEAR(before.cooldown_down_s - after.cooldown_down_s, 5, 2);
}

// R42: after a reboot the steady clock begins anew, so the wall clock tells how long it took.
TEST(Scaling, KeepsItsPauseItsFreezeAndItsBackOffOverAReboot) {
  ScalePlant plant;
  plant.overload(5min + 10s);
  ASSERT_EQ(plant.hands.orders.size(), 1u);
  plant.hands.seen.state = ScaleHands::State::done;
  plant.overload(3min + 1s);
  plant.plant.loop->scale() = plant.scaling->ask_freeze(1h, "filing");
  ASSERT_TRUE(plant.plant.loop->save_now());
  plant.reboot(5min);
  plant.overload(1s);
  ScaleMetrics metrics;
  plant.scaling->fill(metrics);
  EXPECT_NEAR(metrics.cooldown_up_s, 2 * 60, 3);
  EXPECT_EQ(plant.scaling->state().mode, ScaleMode::freeze);
  ASSERT_TRUE(plant.scaling->state().until.has_value());
  EXPECT_NEAR(std::chrono::duration<double>(*plant.scaling->state().until - plant.plant.clock.now())
                  .count(),
              55 * 60, 3);
  // What has to last begins anew: the pause is over in two minutes, five are needed.
  plant.plant.loop->scale() = set_automatic(plant.scaling->state());
  plant.overload(4min + 40s);
  EXPECT_EQ(plant.decision(), "hold(collecting)");
  plant.overload(30s);
  ASSERT_EQ(plant.hands.orders.size(), 2u) << plant.decision();
  // It fails, and the machine goes again: the next try is when it was to be.
  plant.hands.seen = {ScaleHands::State::failed, "no"};
  plant.overload(10s);
  const auto left = *plant.scaling->state().retry_at - plant.plant.clock.now();
  EXPECT_GT(left, 45s);
  plant.reboot(20s);
  const auto after = *plant.scaling->state().retry_at - plant.plant.clock.now();
  EXPECT_NEAR(std::chrono::duration<double>(left - after).count(), 20, 2);
  EXPECT_EQ(plant.scaling->state().failures, 1);
}

// R58
TEST(Scaling, FreezesAfterThreeFailuresUntilAPersonSaysSo) {
  ScalePlant plant;
  plant.overload(5min + 10s);
  for (size_t i = 1; i <= 3; ++i) {
    ASSERT_EQ(plant.hands.orders.size(), i);
    EXPECT_EQ(plant.hands.orders.back().to, 6);  // never above start + 2
    plant.hands.seen = {ScaleHands::State::failed, "it never got healthy"};
    plant.overload(2s);
    if (i == 3) break;
    EXPECT_EQ(plant.decision(), "hold(backing_off)");
    plant.overload(i == 1 ? 50s : 1min + 50s);
    EXPECT_EQ(plant.hands.orders.size(), i);
    plant.overload(10s);
  }
  plant.overload(2h);
  EXPECT_EQ(plant.hands.orders.size(), 3u);
  EXPECT_EQ(plant.decision(), "hold(frozen_failures)");
  EXPECT_TRUE(plant.saw("scale_frozen"));
  ASSERT_EQ(plant.scaling->degraded().size(), 1u);
  plant.restart();  // the freeze survives
  plant.overload(6min);
  EXPECT_EQ(plant.hands.orders.size(), 3u);
  plant.plant.loop->scale() = plant.scaling->ask_auto();
  plant.overload(10s);
  EXPECT_EQ(plant.hands.orders.size(), 4u);
}

// R59
TEST(Scaling, RefusesDuringARolloutAndCountsAnewAfterIt) {
  ScalePlant plant;
  plant.hands.held = true;
  plant.hands.stable_color = 0;
  plant.overload(30min);
  EXPECT_TRUE(plant.hands.orders.empty());
  EXPECT_EQ(plant.decision(), "refused(rollout)");
  ScaleMetrics metrics;
  plant.scaling->fill(metrics);
  EXPECT_NEAR(static_cast<double>(metrics.decisions[static_cast<size_t>(ScaleKind::refused)]), 25,
              2);
  plant.hands.held = false;
  plant.hands.stable_color.reset();
  plant.overload(4min + 50s);
  EXPECT_TRUE(plant.hands.orders.empty());
  plant.overload(20s);
  EXPECT_EQ(plant.hands.orders.size(), 1u);
}

TEST(Scaling, AnotherActorsTurnIsNoFailure) {
  ScalePlant plant;
  plant.hands.refuses = true;
  plant.overload(5min + 30s);
  EXPECT_EQ(plant.scaling->state().failures, 0);
  EXPECT_FALSE(plant.scaling->state().under_way.has_value());
  plant.hands.refuses = false;
  plant.overload(1min);
  EXPECT_EQ(plant.hands.orders.size(), 1u);
}

TEST(Scaling, FindsItsChangeAgainAfterACrash) {
  ScalePlant plant;
  plant.hands.known = 7;
  plant.idle(1s);
  ASSERT_TRUE(plant.scaling->state().under_way.has_value());
  EXPECT_EQ(plant.scaling->state().under_way->id, 7u);
  plant.hands.known.reset();
  plant.hands.seen.state = ScaleHands::State::done;
  plant.idle(1s);
  EXPECT_TRUE(plant.scaling->state().changed.has_value());
}

// R52: the color is down: what it answers (fast errors) tells nothing.
TEST(Scaling, IsBlindWhileTheColorIsDown) {
  ScalePlant plant;
  plant.overload(1min + 30s);
  plant.plant.probe(0, ProbeOutcome::refused);
  plant.plant.probe(1, ProbeOutcome::refused);
  plant.probed = plant.plant.clock.now() + 100h;  // and stays so
  plant.pass(2min, 0, 1'000, 100, 0);
  ScaleMetrics metrics;
  plant.scaling->fill(metrics);
  EXPECT_TRUE(metrics.blind) << plant.decision();
  EXPECT_TRUE(plant.hands.orders.empty());
}

// R61
TEST(Scaling, DoesNotSeeAColorWithoutUsers) {
  ScalePlant plant;
  plant.workers["blue"] = 2;  // it has the users and is idle
  plant.overload(20min, 1);
  EXPECT_TRUE(plant.hands.orders.empty()) << plant.decision();
}

// R66
TEST(Scaling, HoldsAnOperatorsNumberAndResumesByItself) {
  ScalePlant plant;
  plant.idle(10s);
  EXPECT_FALSE(plant.scaling->ask_number(17, 2h, {}).has_value());
  EXPECT_FALSE(plant.scaling->ask_number(1, 2h, {}).has_value());
  auto asked = plant.scaling->ask_number(6, 2h, "filing days");
  ASSERT_TRUE(asked.has_value());
  plant.plant.loop->scale() = *asked;
  plant.scaling->decide_now();
  ASSERT_EQ(plant.hands.orders.size(), 1u);
  EXPECT_EQ(plant.hands.orders[0].to, 6);
  plant.hands.seen.state = ScaleHands::State::done;
  plant.workers["blue"] = 6;
  plant.restart();
  plant.idle(1h + 59min);
  EXPECT_EQ(plant.hands.orders.size(), 1u);
  auto shown = nlohmann::json::parse(plant.scaling->json());
  EXPECT_EQ(shown.at("mode"), "number");
  EXPECT_NEAR(shown.at("for_s").get<int>(), 50, 12);
  EXPECT_EQ(shown.at("reason"), "filing days");
  plant.idle(2min);
  shown = nlohmann::json::parse(plant.scaling->json());
  EXPECT_EQ(shown.at("mode"), "auto");
  ASSERT_EQ(plant.hands.orders.size(), 2u) << plant.decision();
  EXPECT_EQ(plant.hands.orders[1].to, 5);
}

TEST(Scaling, EverySeriesExistsFromTheFirstScrape) {
  std::vector<base::MetricFamily> families;
  ScaleMetrics metrics;
  metrics.colors = {{"blue", false, 0, 0, 0, 0, 0}};
  add_scale_families(metrics, families);
  const std::string text = base::metrics_text(families);
  for (const char* line : {"shifter_scaler_blind 0", "shifter_policy_load_failed 0",
                           "shifter_scaler_decisions_total{decision=\"blind\"} 0",
                           "shifter_scaler_changes_total{direction=\"down\",result=\"failed\"} 0",
                           "shifter_scaler_reason{reason=\"capacity\"} 0",
                           "shifter_scaler_cooldown_seconds{direction=\"up\"} 0",
                           "shifter_scaler_waiting_share{color=\"blue\"} Nan"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

// R65: who waits is seen though the mean is low; streams and websockets are no worker's work.
TEST(ScaleWindows, CountsWhatWorkersDoAndWhoWaits) {
  support::FakeDataPlane plane;
  ScaleWindows windows(1);
  std::vector<bool> counted(routing::kRoutesMax, false);
  counted[0] = true;
  base::Instant now{100h};
  const std::vector<ScaleWindows::Sight> up = {{true, 4}};
  windows.observe(plane.now, up, counted, now);
  for (int i = 0; i < 100; ++i) {  // 10 s
    now += 100ms;
    plane.in_flight(0, routing::Kind::http) = i % 10 == 0 ? 6 : 0;
    plane.in_flight(0, routing::Kind::queued) = i % 10 == 0 ? 4 : 0;
    plane.in_flight(0, routing::Kind::websocket) = 50;
    plane.now.colors[0].routes[0].latency.counts[11] += 2;  // up to 1.2 s
    plane.now.colors[0].routes[0].latency.counts[12] += 1;  // above
    plane.now.colors[0].routes[1].latency.counts[12] += 9;  // a stream
    plane.now.colors[0].queue.counts[0] += 2;
    plane.now.colors[0].queue.counts[8] += 1;
    windows.observe(plane.now, up, counted, now);
  }
  ASSERT_EQ(windows.slices(0).size(), 1u);
  const ScaleSlice& slice = windows.slices(0).front();
  EXPECT_TRUE(slice.usable);
  EXPECT_EQ(slice.requests(), 300);
  EXPECT_EQ(slice.slow(1'200'000), 100);
  EXPECT_EQ(slice.slow(900'000), 300);
  EXPECT_EQ(slice.in_flight_max, 10);
  EXPECT_EQ(slice.queue_max, 6);
  EXPECT_EQ(slice.waiting, 10);
  EXPECT_EQ(slice.waited, 100);
  ScaleSpan span;
  span.add(slice);
  EXPECT_DOUBLE_EQ(span.in_flight_mean(), 1);
  EXPECT_NEAR(span.waiting_share(), 1.0 / 3, 0.001);
}

TEST(ScaleWindows, AGapOrCountersThatBeginAnewAreNotUsable) {
  support::FakeDataPlane plane;
  ScaleWindows windows(1);
  const std::vector<bool> counted(routing::kRoutesMax, true);
  base::Instant now{100h};
  const std::vector<ScaleWindows::Sight> up = {{true, 4}};
  windows.observe(plane.now, up, counted, now);
  now += 25s;  // nobody looked
  windows.observe(plane.now, up, counted, now);
  plane.now.colors[0].routes[0].latency.counts[3] = 100;
  now += 10s;
  windows.observe(plane.now, up, counted, now);
  plane.now.colors[0].routes[0].latency.counts[3] = 5;
  now += 10s;
  windows.observe(plane.now, up, counted, now);
  ASSERT_EQ(windows.slices(0).size(), 3u);
  EXPECT_FALSE(windows.slices(0)[0].usable);
  EXPECT_TRUE(windows.slices(0)[1].usable);
  EXPECT_FALSE(windows.slices(0)[2].usable);
  EXPECT_EQ(windows.slices(0)[1].end, windows.slices(0)[2].begin);
}

}  // namespace
}  // namespace control
