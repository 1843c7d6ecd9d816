#include "proxy/routing/choose.h"

#include <gtest/gtest.h>

#include <random>

#include "proxy/routing/pick.h"
#include "tests/unit/routing/table_for_tests.h"

namespace routing {
namespace {

const Route kPlain = {};

RequestFacts anybody(const Route& route = kPlain) {
  RequestFacts facts;
  facts.route = &route;
  return facts;
}

RequestFacts holder(ColorIndex color, uint64_t epoch = 10, ColorIndex home = kNoColor) {
  RequestFacts facts = anybody();
  facts.cookie = Affinity{color, /*nonce=*/0x1234, /*issued=*/0, epoch, home};
  return facts;
}

RequestFacts navigating(RequestFacts facts) {
  facts.navigation = true;
  return facts;
}

std::mt19937 seeded_random() {
  const uint32_t seed = std::random_device{}();
  ::testing::Test::RecordProperty("seed", std::to_string(seed));
  printf("seed %u\n", seed);
  return std::mt19937(seed);
}

// The answer in one word for tables of cases: color, reason and what goes with them.
std::string text_of(const Choice& choice) {
  std::string text = choice.color == kBlue ? "blue" : choice.color == kGreen ? "green" : "nobody";
  text.append(" ").append(text_of(choice.reason));
  if (choice.fallback) text += " fallback";
  if (choice.void_cookie) text += " void";
  if (choice.set_cookie) text += " set";
  if (choice.home == kBlue) text += " home=blue";
  if (choice.home == kGreen) text += " home=green";
  return text;
}

std::string chosen(const RequestFacts& facts, const RoutingTable& table, uint32_t draw = 0) {
  return text_of(choose(facts, table, draw));
}

TEST(Choose, TakesNewUsersInSequenceAndGivesThemACookie) {
  EXPECT_EQ(chosen(anybody(), two_colors(50, 50), 0), "blue sequence set");
  EXPECT_EQ(chosen(anybody(), two_colors(50, 50), 0xffffffff), "green sequence set");
}

TEST(Choose, DrawsByTheSessionKeyWhateverTheSequenceSays) {
  RequestFacts facts = anybody();
  facts.session = 0xffffffff00000000;
  EXPECT_EQ(chosen(facts, two_colors(50, 50), 0), "green session set");
  facts.session = 0x00000000ffffffff;
  EXPECT_EQ(chosen(facts, two_colors(50, 50), 0xffffffff), "blue session set");
}

TEST(Choose, UsesTheAddressOnlyOnRoutesThatAskForIt) {
  Route rpc;
  rpc.identity = Identity::address;
  RequestFacts facts = anybody(rpc);
  facts.address = 0xffffffff00000000;
  EXPECT_EQ(chosen(facts, two_colors(50, 50), 0), "green address");
  facts.route = &kPlain;
  EXPECT_EQ(chosen(facts, two_colors(50, 50), 0), "blue sequence set");
}

TEST(Choose, PrefersTheSessionKeyToTheAddress) {
  Route rpc;
  rpc.identity = Identity::address;
  RequestFacts facts = anybody(rpc);
  facts.address = 0;
  facts.session = 0xffffffff00000000;
  EXPECT_EQ(chosen(facts, two_colors(50, 50)), "green session set");
}

// C1: a small share does not starve while its weights are sent again and again.
TEST(Choose, GivesOnePercentItsShareWhileTheTableIsReplacedEveryFiftyDraws) {
  auto random = seeded_random();
  Sequence sequence(static_cast<uint32_t>(random()));
  RoutingTable table = two_colors(99, 1);
  int green = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (i % 50 == 0) {
      table = two_colors(99, 1);
      table.version = static_cast<uint64_t>(i);
    }
    green += choose(anybody(), table, sequence.next()).color == kGreen ? 1 : 0;
  }
  EXPECT_NEAR(green, 100, 5);
}

// C3: weights outlive a failure.
TEST(Choose, DrawsByTheSameWeightsAfterAColorWasDownAndUp) {
  RoutingTable table = two_colors(100, 0);
  take_down(table, kBlue);
  EXPECT_EQ(chosen(anybody(), table, 77), "green sequence fallback set");
  table.colors[kBlue].up = true;
  Sequence sequence(1);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(choose(anybody(), table, sequence.next()).color, kBlue);
  }
}

// C5
TEST(Choose, ServesWithWeightZeroAsALastResortOnlyWhereAllowed) {
  RoutingTable table = two_colors(100, 0);
  take_down(table, kBlue);
  EXPECT_EQ(chosen(anybody(), table), "green sequence fallback set");
  table.fallback_allow = false;
  EXPECT_EQ(chosen(anybody(), table), "nobody sequence");
}

// C6: the share is one of users, and nobody ever moves.
TEST(Choose, SplitsUsersAndKeepsEachOnItsColor) {
  auto random = seeded_random();
  Sequence sequence(static_cast<uint32_t>(random()));
  const RoutingTable table = two_colors(90, 10);
  std::vector<std::optional<Affinity>> jars(1'000);
  int moved = 0;
  for (int request = 0; request < 50; ++request) {
    for (auto& jar : jars) {
      RequestFacts facts = anybody();
      facts.cookie = jar;
      facts.navigation = random() % 4 == 0;
      const Choice choice = choose(facts, table, sequence.next());
      if (jar && jar->color != choice.color) ++moved;
      if (choice.set_cookie) jar = Affinity{choice.color, random(), 0, table.epoch, choice.home};
    }
  }
  int green = 0;
  for (const auto& jar : jars) green += jar->color == kGreen ? 1 : 0;
  EXPECT_EQ(moved, 0);
  EXPECT_NEAR(green, 100, 10);
}

// C8
TEST(Choose, PinsARouteToItsColorWithoutACookie) {
  Route pinned;
  pinned.pin = kBlue;
  RequestFacts facts = anybody(pinned);
  EXPECT_EQ(chosen(facts, two_colors(0, 100), 0xffffffff), "blue pinned");
  facts.cookie = Affinity{kGreen, 1, 0, 10, kNoColor};
  EXPECT_EQ(chosen(facts, two_colors(50, 50)), "blue pinned");
}

TEST(Choose, GivesAPinnedRouteNobodyRatherThanTheOtherVersion) {
  Route pinned;
  pinned.pin = kBlue;
  RoutingTable table = two_colors(50, 50);
  take_down(table, kBlue);
  EXPECT_EQ(chosen(anybody(pinned), table), "nobody pinned");
  table = two_colors(50, 50);
  table.colors[kBlue].state = ColorState::draining;
  EXPECT_EQ(chosen(anybody(pinned), table), "blue pinned");
  table.colors[kBlue].state = ColorState::closing;
  EXPECT_EQ(chosen(anybody(pinned), table), "nobody pinned");
}

// C9: weight 0 throws nobody out.
TEST(Choose, KeepsAHolderOnAColorOfWeightZero) {
  const RoutingTable table = two_colors(0, 100);
  EXPECT_EQ(chosen(holder(kBlue), table), "blue cookie");
  EXPECT_EQ(chosen(navigating(holder(kBlue)), table), "blue cookie");
  EXPECT_EQ(chosen(anybody(), table, 0), "green sequence set");
}

TEST(Choose, KeepsAHolderOnADrainingColorButSendsNobodyNewThere) {
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].state = ColorState::draining;
  EXPECT_EQ(chosen(holder(kBlue), table), "blue cookie");
  EXPECT_EQ(chosen(anybody(), table, 0), "green sequence set");
}

// C10: a closed color's holders are drawn again.
TEST(Choose, DrawsAHolderAgainWhenItsColorClosesOrLeavesService) {
  for (ColorState state : {ColorState::closing, ColorState::maint}) {
    RoutingTable table = two_colors(50, 50);
    table.colors[kBlue].state = state;
    EXPECT_EQ(chosen(holder(kBlue), table, 0), "green sequence void set");
    RequestFacts facts = holder(kBlue);
    facts.session = 0;
    EXPECT_EQ(chosen(facts, table, 0), "green session void set");
  }
}

TEST(Choose, GivesAVoidedHolderItsCookieEvenWhereTheAddressDecides) {
  Route rpc;
  rpc.identity = Identity::address;
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].state = ColorState::closing;
  RequestFacts facts = holder(kBlue);
  facts.route = &rpc;
  facts.address = 0;
  EXPECT_EQ(chosen(facts, table, 0), "green address void set");
}

// C11: addresses come and go behind a color.
TEST(Choose, KeepsAHolderWhenItsColorsAddressesChange) {
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].http.push_back(Backend{0, {}, true});
  EXPECT_EQ(chosen(holder(kBlue), table), "blue cookie");
  table.colors[kBlue].http = {Backend{7, {}, true}, Backend{8, {}, false}};
  ++table.version;
  EXPECT_EQ(chosen(holder(kBlue), table), "blue cookie");
}

// C14
TEST(Choose, MovesAHolderOnceWhenItsColorIsDownAndRemembersHome) {
  RoutingTable table = two_colors(100, 0);
  take_down(table, kBlue);
  EXPECT_EQ(chosen(holder(kBlue), table), "green failover set home=blue");
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "green cookie");
  EXPECT_EQ(chosen(navigating(holder(kGreen, 10, kBlue)), table), "green cookie");
}

TEST(Choose, FailsOverOnlyToAColorThatTakesNewUsers) {
  RoutingTable table = two_colors(50, 50);
  take_down(table, kBlue);
  table.colors[kGreen].state = ColorState::draining;
  EXPECT_EQ(chosen(holder(kBlue), table), "nobody failover");
  table.colors[kGreen].state = ColorState::ready;
  take_down(table, kGreen);
  EXPECT_EQ(chosen(holder(kBlue), table), "nobody failover");
}

TEST(Choose, FailsOverFromADrainingColorThatIsDown) {
  RoutingTable table = two_colors(50, 50);
  take_down(table, kBlue);
  table.colors[kBlue].state = ColorState::draining;
  EXPECT_EQ(chosen(holder(kBlue), table), "green failover set home=blue");
}

TEST(Choose, BringsAUserHomeOnANavigationOnceHomeHasSettled) {
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].settled = false;
  EXPECT_EQ(chosen(navigating(holder(kGreen, 10, kBlue)), table), "green cookie");
  table.colors[kBlue].settled = true;
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "green cookie");
  EXPECT_EQ(chosen(navigating(holder(kGreen, 10, kBlue)), table), "blue home set");
}

TEST(Choose, ForgetsAHomeThatWasVoidedOrClosed) {
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].valid_from = 11;
  EXPECT_EQ(chosen(navigating(holder(kGreen, 10, kBlue)), table), "green cookie");
  table.colors[kBlue].valid_from = 0;
  table.colors[kBlue].state = ColorState::maint;
  EXPECT_EQ(chosen(navigating(holder(kGreen, 10, kBlue)), table), "green cookie");
}

TEST(Choose, SendsAUserHomeAtOnceWhenTheColorItFailedOverToLeaves) {
  RoutingTable table = two_colors(50, 50);
  table.colors[kBlue].settled = false;
  table.colors[kGreen].state = ColorState::closing;
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "blue home void set");
  table.colors[kGreen].state = ColorState::ready;
  table.colors[kGreen].valid_from = 11;
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "blue home void set");
  table.colors[kGreen].valid_from = 0;
  take_down(table, kGreen);
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "blue home set");
}

TEST(Choose, HoldsAUserWhoseColorsAreBothGone) {
  RoutingTable table = two_colors(50, 50);
  take_down(table, kBlue);
  table.colors[kGreen].state = ColorState::closing;
  EXPECT_EQ(chosen(holder(kGreen, 10, kBlue), table), "nobody sequence void");
}

// C18: a rollback frees its users at once; nothing else does.
TEST(Choose, VoidsCookiesThatAreOlderThanTheirColorsEpoch) {
  RoutingTable table = two_colors(100, 0);
  table.epoch = 8;
  table.colors[kGreen].valid_from = 8;
  EXPECT_EQ(chosen(holder(kGreen, 7), table), "blue sequence void set");
  EXPECT_EQ(chosen(holder(kGreen, 8), table), "green cookie");
  EXPECT_EQ(chosen(holder(kBlue, 7), table), "blue cookie");
}

// C19
TEST(Choose, ObeysATesterBeforeCookiePinAndWeight) {
  Route pinned;
  pinned.pin = kBlue;
  RequestFacts facts = holder(kBlue);
  facts.route = &pinned;
  facts.forced = kGreen;
  EXPECT_EQ(chosen(facts, two_colors(100, 0)), "green forced");
}

TEST(Choose, ForcesOnlyOntoAColorThatIsUpAndNotClosed) {
  RequestFacts facts = anybody();
  facts.forced = kGreen;
  RoutingTable table = two_colors(100, 0);
  table.colors[kGreen].state = ColorState::draining;
  EXPECT_EQ(chosen(facts, table), "green forced");
  for (ColorState state : {ColorState::closing, ColorState::maint}) {
    table.colors[kGreen].state = state;
    EXPECT_EQ(chosen(facts, table), "nobody forced");
  }
  table.colors[kGreen].state = ColorState::ready;
  take_down(table, kGreen);
  EXPECT_EQ(chosen(facts, table), "nobody forced");
  facts.forced = 5;
  EXPECT_EQ(chosen(facts, table), "nobody forced");
}

// C20: stickiness is by version.
TEST(Choose, NeverMovesAHolderBetweenColorsWithSeveralAddresses) {
  auto random = seeded_random();
  RoutingTable table = two_colors(90, 10);
  table.colors[kGreen].http = {Backend{0, {}, true}, Backend{1, {}, true}};
  for (int i = 0; i < 1'000; ++i) {
    table.colors[kGreen].http[random() % 2].usable = random() % 2 == 0;
    ASSERT_EQ(choose(holder(kGreen), table, static_cast<uint32_t>(random())).color, kGreen);
  }
}

// C26: the share of a color that is down goes to the other, not to an error.
TEST(Choose, GivesTheShareOfAColorThatIsDownToTheOther) {
  RoutingTable table = two_colors(90, 10);
  take_down(table, kGreen);
  Sequence sequence(3);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(chosen(anybody(), table, sequence.next()), "blue sequence set");
  }
}

TEST(Choose, IgnoresACookieOfAColorThatIsNoMore) {
  RoutingTable table = two_colors(50, 50);
  table.colors.pop_back();
  EXPECT_EQ(chosen(holder(kGreen), table), "blue sequence void set");
  EXPECT_EQ(chosen(navigating(holder(kBlue, 10, kGreen)), table), "blue cookie");
}

RoutingTable in_rollout(int blue, int green) {
  RoutingTable table = two_colors(blue, green);
  table.redraw = Redraw{kBlue, 10};
  return table;
}

TEST(Redraw, DrawsOnlyOldHoldersOfTheStableColorAndOnlyOnNavigations) {
  const RoutingTable table = in_rollout(0, 100);
  EXPECT_EQ(chosen(navigating(holder(kBlue, 9)), table), "green redraw set");
  EXPECT_EQ(chosen(holder(kBlue, 9), table), "blue cookie");
  EXPECT_EQ(chosen(navigating(holder(kBlue, 10)), table), "blue cookie");
  EXPECT_EQ(chosen(navigating(holder(kGreen, 9)), table), "green cookie");
}

TEST(Redraw, LeavesTheCookieOfThoseWhoStay) {
  EXPECT_EQ(chosen(navigating(holder(kBlue, 9)), in_rollout(100, 0)), "blue redraw");
}

TEST(Redraw, KeepsHoldersWhenNobodyTakesNewUsers) {
  RoutingTable table = in_rollout(0, 100);
  take_down(table, kGreen);
  EXPECT_EQ(chosen(navigating(holder(kBlue, 9)), table), "blue cookie");
}

TEST(Redraw, MovesTheShareOfHoldersMonotonelyOverTheSteps) {
  auto random = seeded_random();
  std::vector<RequestFacts> holders;
  for (int i = 0; i < 10'000; ++i) {
    holders.push_back(navigating(holder(kBlue, 9)));
    holders.back().cookie->nonce = uint64_t{random()} << 32 | random();
  }
  std::vector<bool> moved(holders.size(), false);
  for (int step : {5, 10, 25, 50, 100}) {
    const RoutingTable table = in_rollout(100 - step, step);
    int count = 0;
    for (size_t i = 0; i < holders.size(); ++i) {
      const bool on_green = choose(holders[i], table, 0).color == kGreen;
      ASSERT_TRUE(on_green || !moved[i]) << "moved back at " << step;
      moved[i] = on_green;
      count += on_green ? 1 : 0;
    }
    EXPECT_NEAR(count, step * 100, 250);
  }
}

TEST(Redraw, DoesNotPickTheSameUsersFirstInEveryRollout) {
  auto random = seeded_random();
  int both = 0;
  for (int i = 0; i < 10'000; ++i) {
    RequestFacts facts = navigating(holder(kBlue, 9));
    facts.cookie->nonce = uint64_t{random()} << 32 | random();
    RoutingTable table = in_rollout(90, 10);
    const bool first = choose(facts, table, 0).color == kGreen;
    table.redraw->epoch = 11;
    both += first && choose(facts, table, 0).color == kGreen ? 1 : 0;
  }
  EXPECT_NEAR(both, 100, 60);
}

}  // namespace
}  // namespace routing
