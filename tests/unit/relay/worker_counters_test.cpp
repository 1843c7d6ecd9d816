#include "proxy/relay/worker_counters.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

int64_t in_flight(const WorkerCounters& counters, ColorIndex color, Kind kind) {
  return counters.colors[color].in_flight[static_cast<size_t>(kind)].read();
}

TEST(InFlight, CountsWhileItLives) {
  WorkerCounters counters;
  {
    const InFlight guard(counters, 1, Kind::http);
    EXPECT_EQ(in_flight(counters, 1, Kind::http), 1);
  }
  EXPECT_EQ(in_flight(counters, 1, Kind::http), 0);
}

TEST(InFlight, MovesFromOneKindToAnother) {
  WorkerCounters counters;
  InFlight guard(counters, 0, Kind::queued);
  guard = InFlight(counters, 0, Kind::http);
  EXPECT_EQ(in_flight(counters, 0, Kind::queued), 0);
  EXPECT_EQ(in_flight(counters, 0, Kind::http), 1);
  guard.end();
  guard.end();
  EXPECT_EQ(in_flight(counters, 0, Kind::http), 0);
}

TEST(InFlight, IsCountedOnceWhenItMoves) {
  WorkerCounters counters;
  InFlight one(counters, 0, Kind::websocket);
  InFlight two(std::move(one));
  InFlight three;
  three = std::move(two);
  EXPECT_EQ(in_flight(counters, 0, Kind::websocket), 1);
}

TEST(InFlight, WithoutAColorHasACellOfItsOwn) {
  WorkerCounters counters;
  const InFlight guard(counters, routing::kNoColor, Kind::held);
  EXPECT_EQ(in_flight(counters, routing::kColorsMax, Kind::held), 1);
  EXPECT_EQ(in_flight(counters, 0, Kind::held), 0);
}

TEST(WorkerCounters, AreSummedOverWorkers) {
  WorkerCounters one;
  WorkerCounters two;
  const InFlight first(one, 0, Kind::http);
  const InFlight second(two, 0, Kind::http);
  two.color(1).routes[3].requests[static_cast<size_t>(routing::code_slot(200))].add(4);
  two.color(1).routes[3].latency.observe(1'000);
  one.backends[5].finished.add(2);
  two.backends[5].finished.add(1);
  two.tally(routing::Tally::retries, 2);
  one.errors[static_cast<size_t>(base::ErrorCode::client_gone)].add(1);
  two.client_connections.add(7);
  routing::Totals totals;
  one.add_to(totals);
  two.add_to(totals);
  EXPECT_EQ(totals.colors[0].in_flight[static_cast<size_t>(Kind::http)], 2);
  EXPECT_EQ(totals.colors[1].routes[3].requests[static_cast<size_t>(routing::code_slot(200))], 4);
  EXPECT_EQ(totals.colors[1].routes[3].latency.count(), 1);
  EXPECT_EQ(totals.backends[5].finished, 3);
  EXPECT_EQ(totals.tallies[static_cast<size_t>(routing::Tally::retries)], 2);
  EXPECT_EQ(totals.errors[static_cast<size_t>(base::ErrorCode::client_gone)], 1);
  EXPECT_EQ(totals.client_connections, 7);
  EXPECT_EQ(totals.colors.size(), routing::kColorsMax + 1u);
}

}  // namespace
}  // namespace relay
