// Two processes of one upgrade, here two ends of one link: decisions go one way, counts the other.
#include <sys/socket.h>

#include <nlohmann/json.hpp>

#include "proxy/base/descriptors.h"
#include "proxy/base/uv_loop.h"
#include "shifter/control/follower.h"
#include "shifter/control/joined_plane.h"
#include "shifter/control/plane_text.h"
#include "tests/unit/control/plant.h"

namespace control {
namespace {

using routing::Kind;
using routing::RoutingTable;
using routing::Tally;

RoutingTable table_of(int blue, int green, bool swapped = false) {
  RoutingTable table;
  table.version = 1;
  for (const char* name : {"blue", "green"}) {
    routing::ColorEntry color;
    color.name = name;
    color.up = true;
    const bool is_blue = color.name == "blue";
    color.weight = is_blue ? blue : green;
    const auto id = static_cast<routing::BackendId>((is_blue != swapped) ? 0 : 1);
    color.http.push_back(
        {id, *base::parse_address(is_blue ? "127.0.0.1:8069" : "127.0.0.1:8169"), true, nullptr});
    table.colors.push_back(color);
  }
  if (swapped) std::swap(table.colors[0], table.colors[1]);
  for (const char* name : {"rpc", "web"}) {
    routing::Route route;
    route.name = name;
    route.prefixes = {"/"};
    table.routes.push_back(route);
  }
  if (swapped) std::swap(table.routes[0], table.routes[1]);
  for (size_t i = 0; i < 2; ++i) table.routes[i].index = static_cast<routing::RouteIndex>(i);
  return table;
}

TEST(PlaneText, DecisionsReachATableOfAnotherOrderByName) {
  RoutingTable from = table_of(9, 1);
  from.epoch = 77;
  from.colors[0].state = routing::ColorState::closing;
  from.colors[0].valid_from = 77;
  from.colors[1].http[0].usable = false;
  from.held = true;
  RoutingTable to = table_of(5, 5, /*swapped=*/true);
  read_decisions(write_decisions(from), to);
  EXPECT_EQ(to.epoch, 77u);
  EXPECT_TRUE(to.held);
  EXPECT_EQ(to.colors[1].name, "blue");
  EXPECT_EQ(to.colors[1].state, routing::ColorState::closing);
  EXPECT_EQ(to.colors[1].weight, 9);
  EXPECT_EQ(to.colors[1].valid_from, 77u);
  EXPECT_TRUE(to.colors[1].http[0].usable);
  EXPECT_FALSE(to.colors[0].http[0].usable);
  from.colors[0].http.clear();
  read_decisions(write_decisions(from), to);
  EXPECT_FALSE(to.colors[1].http[0].usable) << "an address that the other does not know";
}

TEST(PlaneText, CountsReachTotalsOfAnotherOrderByName) {
  routing::Totals totals = support::FakeDataPlane().totals();
  totals.colors[0].in_flight[static_cast<size_t>(Kind::http)] = 3;
  totals.colors[1].routes[1].requests[static_cast<size_t>(routing::code_slot(200))] = 4;
  totals.colors[1].routes[1].latency.counts[2] = 4;
  totals.colors[2].in_flight[static_cast<size_t>(Kind::held)] = 5;
  totals.backends[0].finished = 6;
  totals.tallies[static_cast<size_t>(Tally::retries)] = 7;
  totals.client_connections = 8;
  const routing::Totals read =
      read_totals(write_totals(totals, table_of(1, 1)), table_of(1, 1, /*swapped=*/true));
  EXPECT_EQ(read.colors[1].in_flight[static_cast<size_t>(Kind::http)], 3);
  EXPECT_EQ(read.colors[0].routes[0].requests[static_cast<size_t>(routing::code_slot(200))], 4);
  EXPECT_EQ(read.colors[0].routes[0].latency.counts[2], 4);
  EXPECT_EQ(read.colors[2].in_flight[static_cast<size_t>(Kind::held)], 5);
  EXPECT_EQ(read.backends[0].finished, 0);
  EXPECT_EQ(read.backends[1].finished, 6) << "by its address";
  routing::Totals sum = totals;
  add_totals(totals, sum);
  EXPECT_EQ(sum.tallies[static_cast<size_t>(Tally::retries)], 14);
  end_gauges(sum);
  EXPECT_EQ(sum.tallies[static_cast<size_t>(Tally::retries)], 14);
  EXPECT_EQ(sum.client_connections, 0);
  EXPECT_EQ(sum.colors[0].in_flight[static_cast<size_t>(Kind::http)], 0);
}

struct Linked : testing::Test {
  base::UvLoop loop;
  support::FakeDataPlane own, other;
  std::unique_ptr<JoinedPlane> plane = std::make_unique<JoinedPlane>(loop, own);
  JoinedPlane& joined = *plane;
  std::unique_ptr<Follower> follower;
  std::string parted, alone;
  uint64_t version = 0;

  Linked() {
    publish(9, 1);
    own.apply();
    auto last = std::make_shared<RoutingTable>(table_of(9, 1));
    last->version = 40;
    other.publish(last, {});
    other.apply();
    int numbers[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, numbers), 0);
    auto link = std::make_unique<LineLink>(
        loop, *loop.adopt_stream(numbers[0], base::Side::proxy), [](const std::string&) {},
        [](std::string_view) {});
    follower = std::make_unique<Follower>(loop, other, last, std::move(link),
                                          [this](std::string_view why) { alone = why; });
    joined.join(*loop.adopt_stream(numbers[1], base::Side::proxy),
                [this](std::string_view why) { parted = why; });
  }
  bool applied = false;
  void publish(int blue, int green) {
    auto table = std::make_shared<RoutingTable>(table_of(blue, green));
    table->version = ++version;
    applied = false;
    joined.publish(table, [this] { applied = true; });
  }
  template <class Condition>
  void turn_until(Condition condition) {
    for (int i = 0; i < 10'000 && !condition(); ++i) loop.run_turn();
    EXPECT_TRUE(condition());
  }
};

TEST_F(Linked, ATableIsAppliedWhenItIsTrueOnBothSides) {
  turn_until([&] { return other.tables.size() == 2; });  // the first, at once
  other.apply();
  publish(0, 1);
  own.apply();
  turn_until([&] { return other.tables.size() == 3; });
  EXPECT_FALSE(applied);
  EXPECT_LT(joined.applied_version(), version);
  EXPECT_EQ(other.last().colors[0].weight, 0);
  EXPECT_EQ(other.last().version, 42u) << "its own numbers";
  EXPECT_EQ(other.last().colors[0].slots, 1) << "a part of six";
  other.apply();
  turn_until([&] { return applied; });
  EXPECT_EQ(joined.applied_version(), version);
}

TEST_F(Linked, WhatIsInFlightThereIsCountedHereAndItsCountersStay) {
  other.in_flight(0, Kind::http) = 2;
  other.now.tallies[static_cast<size_t>(Tally::retries)] = 3;
  own.in_flight(0, Kind::http) = 1;
  const auto both = [&] {
    return joined.totals().colors[0].in_flight[static_cast<size_t>(Kind::http)];
  };
  turn_until([&] { return both() == 3; });
  other.in_flight(0, Kind::http) = 0;
  other.now.tallies[static_cast<size_t>(Tally::retries)] = 5;
  follower->finish();
  follower.reset();
  turn_until([&] { return !joined.is_joined(); });
  EXPECT_FALSE(parted.empty());
  EXPECT_EQ(both(), 1);
  EXPECT_EQ(joined.totals().tallies[static_cast<size_t>(Tally::retries)], 5);
  publish(1, 1);
  own.apply();
  EXPECT_TRUE(applied) << "alone again";
}

TEST_F(Linked, OrdersAndListsReachBoth) {
  turn_until([&] { return other.tables.size() == 2; });
  joined.close_idle(1);
  joined.close_websockets(0, base::Millis{3'000});
  joined.cut(0);
  turn_until([&] { return !other.cuts.empty(); });
  EXPECT_EQ(other.idle_closed, std::vector<routing::ColorIndex>{1});
  EXPECT_EQ(other.websockets_closed.front().second, base::Millis{3'000});
  EXPECT_EQ(own.cuts.size(), 1u);
  std::vector<routing::InFlightEntry> listed;
  joined.list(0, 10, [&](auto entries) { listed = std::move(entries); });
  routing::InFlightEntry old, young;
  old.color = young.color = 0;
  old.age = base::Millis{9'000};
  old.peer = "198.51.100.7";
  own.answer_lists({young});
  for (int i = 0; i < 10'000 && listed.empty(); ++i) {
    loop.run_turn();
    other.answer_lists({old});
  }
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[0].peer, "198.51.100.7") << "the oldest first";
}

TEST_F(Linked, TheOldProcessKeepsTheLastDecisionsWhenItIsLeftAlone) {
  publish(0, 1);
  turn_until([&] { return other.tables.size() == 3; });
  other.apply();
  plane.reset();
  turn_until([&] { return !alone.empty(); });
  EXPECT_EQ(other.last().colors[0].weight, 0);
}

}  // namespace
}  // namespace control
