#include "shifter/control/publisher.h"

#include <gtest/gtest.h>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

routing::Route route_named(const std::string& name) {
  routing::Route route;
  route.name = name;
  return route;
}

TEST(Publisher, GivesTheTableWhatTheConfigSays) {
  routing::RoutingConfig config = two_colors(70, 30);
  config.colors[1].slots = 12;
  config.colors[1].reuse = true;
  config.fallback_allow = false;
  config.affinity.cookie = "which";
  config.affinity.session_keys = {"sid"};
  Plant plant(config);
  plant.bring_up();
  const routing::RoutingTable& table = plant.plane.last();
  EXPECT_EQ(table.colors[0].slots, 6) << "auto, without an agent";
  EXPECT_EQ(table.colors[1].slots, 12);
  EXPECT_TRUE(table.colors[1].reuse);
  EXPECT_FALSE(table.fallback_allow);
  EXPECT_EQ(table.cookie_name, "which");
  EXPECT_EQ(table.session_keys.names, std::vector<std::string>{"sid"});
  EXPECT_EQ(table.cookie_keys.size(), 1u);
  EXPECT_NE(table.hash_key, (std::array<uint8_t, 16>{}));
  EXPECT_EQ(table.colors[1].http[0].address.text(), "127.0.0.1:8169");
  EXPECT_TRUE(table.colors[1].http[0].usable);
}

TEST(Publisher, KeepsTheKeyOfTheDrawsOverARestart) {
  Plant plant;
  const auto before = plant.plane.last().hash_key;
  plant.start(two_colors());
  EXPECT_EQ(plant.plane.last().hash_key, before) << "else every session would be drawn again";
}

TEST(Publisher, RaisesTheVersionWithEachTable) {
  Plant plant;
  plant.bring_up();
  plant.weights(1, 2);
  for (size_t i = 1; i < plant.plane.tables.size(); ++i) {
    EXPECT_EQ(plant.plane.tables[i]->version, plant.plane.tables[i - 1]->version + 1);
  }
}

TEST(Publisher, FindsWhatNoTableMayBe) {
  Plant plant;
  const routing::RoutingTable good = plant.plane.last();
  ASSERT_EQ(check_table(good), "");
  auto faulty = [&](auto spoil) {
    routing::RoutingTable table = good;
    spoil(table);
    return check_table(table);
  };
  EXPECT_NE(faulty([](auto& t) { t.colors.clear(); }), "");
  EXPECT_NE(faulty([](auto& t) { t.colors.push_back(t.colors[0]); }), "");
  EXPECT_NE(faulty([](auto& t) { t.colors[0].weight = t.colors[1].weight = 0; }), "");
  EXPECT_NE(faulty([](auto& t) { t.colors[0].weight = -1; }), "");
  EXPECT_NE(faulty([](auto& t) { t.colors[0].slots = 0; }), "");
  EXPECT_NE(faulty([](auto& t) { t.cookie_keys.clear(); }), "");
  EXPECT_NE(faulty([](auto& t) { t.routes[0].pin = 2; }), "");
  EXPECT_NE(faulty([](auto& t) { t.routes[0].index = 31; }), "");
  EXPECT_NE(faulty([](auto& t) { t.colors[0].http[0].id = 200; }), "");
}

TEST(RouteNumbers, StayWithTheirNames) {
  RouteNumbers numbers;
  std::vector<routing::Route> routes = {route_named("rpc"), route_named("web")};
  ASSERT_TRUE(numbers.number(routes));
  EXPECT_EQ(routes[1].index, 1);
  routes = {route_named("assets"), route_named("web")};
  ASSERT_TRUE(numbers.number(routes));
  EXPECT_EQ(routes[0].index, 2);
  EXPECT_EQ(routes[1].index, 1);
  EXPECT_EQ(numbers.names(), (std::vector<std::string>{"rpc", "web", "assets"}));
}

TEST(RouteNumbers, RefuseMoreNamesThanThereAreNumbers) {
  RouteNumbers numbers;
  std::vector<routing::Route> routes;
  for (int i = 0; i < 31; ++i) routes.push_back(route_named("r" + std::to_string(i)));
  ASSERT_TRUE(numbers.number(routes));
  std::vector<routing::Route> one = {route_named("new")};
  EXPECT_FALSE(numbers.number(one));
  EXPECT_EQ(numbers.names().size(), 31u);
  EXPECT_TRUE(numbers.number(routes));
}

}  // namespace
}  // namespace control
