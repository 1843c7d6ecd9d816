#include "shifter/control/drain.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using routing::Kind;
using support::FakeClock;

struct Draining {
  FakeClock clock;
  DrainView view;
  explicit Draining(base::Millis deadline = 20min, base::Millis quiet = 5min) {
    view.state = ColorState::draining;
    view.drain = DrainFacts{clock.now(), clock.now() + deadline, quiet};
    view.now = clock.now();
    view.in_flight = 1;
  }
  std::optional<ColorEvent> after(std::chrono::nanoseconds time) {
    clock.advance(time);
    view.now = clock.now();
    return look(view);
  }
};

TEST(Drain, ClosesTheColorWhenItsTimeIsOver) {
  Draining drain(20min, 24h);
  EXPECT_EQ(drain.after(20min - 1ms), std::nullopt);
  EXPECT_EQ(drain.after(1ms), ColorEvent::deadline_passed);
}

TEST(Drain, ClosesTheColorWhenNobodyCameForAWhile) {
  Draining drain;
  drain.after(2min);
  drain.view.last_visit = drain.clock.now();
  EXPECT_EQ(drain.after(5min - 1ms), std::nullopt);
  EXPECT_EQ(drain.after(1ms), ColorEvent::holders_quiet);
}

TEST(Drain, CountsQuietFromItsBeginningNotFromTheLastVisitBefore) {
  Draining drain;
  drain.view.last_visit = drain.clock.now() - 1h;
  EXPECT_EQ(look(drain.view), std::nullopt);
  EXPECT_EQ(drain.after(5min - 1ms), std::nullopt);
  EXPECT_EQ(drain.after(1ms), ColorEvent::holders_quiet);
}

TEST(Drain, TakesAZeroForFinalOnlyOnceClosingIsAppliedEverywhere) {
  DrainView view;
  view.state = ColorState::closing;
  view.in_flight = 0;
  view.closing_applied = false;
  EXPECT_EQ(look(view), std::nullopt);
  view.closing_applied = true;
  EXPECT_EQ(look(view), ColorEvent::emptied);
  view.in_flight = 1;
  EXPECT_EQ(look(view), std::nullopt);
}

TEST(Drain, LeavesColorsAloneThatDoNotDrain) {
  DrainView view;
  view.closing_applied = true;
  for (ColorState state : {ColorState::ready, ColorState::maint}) {
    view.state = state;
    EXPECT_EQ(look(view), std::nullopt);
  }
}

TEST(Drain, WaitsForEveryKindOfTheColorButMirrors) {
  for (int kind = 0; kind < routing::kKinds; ++kind) {
    routing::ColorTotals totals;
    totals.in_flight[static_cast<size_t>(kind)] = 1;
    const bool waits = kind < routing::kColorKinds && static_cast<Kind>(kind) != Kind::mirror;
    EXPECT_EQ(in_flight_of(totals), waits ? 1 : 0) << routing::text_of(static_cast<Kind>(kind));
  }
}

TEST(Drain, SeesVisitsInAnswersAndInRunningRequestsButNotInWebsockets) {
  FakeClock clock;
  routing::ColorTotals totals;
  totals.routes.resize(1);
  Visits visits;
  visits.observe(totals, clock.now());
  const base::Instant start = clock.now();

  clock.advance(1min);
  totals.in_flight[static_cast<size_t>(Kind::websocket)] = 7;
  totals.routes[0].requests[static_cast<size_t>(routing::code_slot(101))] = 3;
  visits.observe(totals, clock.now());
  EXPECT_EQ(visits.last(), start);

  clock.advance(1min);
  totals.routes[0].requests[static_cast<size_t>(routing::code_slot(200))] = 1;
  visits.observe(totals, clock.now());
  EXPECT_EQ(visits.last(), clock.now());

  clock.advance(1min);
  totals.in_flight[static_cast<size_t>(Kind::http)] = 1;
  visits.observe(totals, clock.now());
  EXPECT_EQ(visits.last(), clock.now());
}

}  // namespace
}  // namespace control
