#include "shifter/control/fleet.h"

#include <gtest/gtest.h>

#include "tests/unit/control/fixtures.h"

namespace control {
namespace {

using Words = std::vector<std::pair<std::string, std::string>>;

Fleet fleet_of(int blue, int green) { return initial_fleet(two_colors(blue, green)); }

const base::Instant kNow{std::chrono::hours(5)};

TEST(Fleet, RaisesTheEpochByOneForEachAcceptedIntention) {
  Fleet fleet = fleet_of(90, 10);
  const uint64_t epoch = fleet.epoch;
  fleet = *set_weights(fleet, {{"blue", "90"}, {"green", "10"}});
  EXPECT_EQ(fleet.epoch, epoch + 1);
  fleet = *set_ready(fleet, 1);
  EXPECT_EQ(fleet.epoch, epoch + 2);
  fleet = *ask_drain(fleet, 0, {}, kNow, all_up(), true);
  EXPECT_EQ(fleet.epoch, epoch + 3);
  fleet = *ask_maint(fleet, 1, /*last=*/true, all_up(), true);
  EXPECT_EQ(fleet.epoch, epoch + 4);
  fleet = set_hold(fleet, {true, 5, base::Millis{1}});
  EXPECT_EQ(fleet.epoch, epoch + 5);
}

// C4: the reply names the field; state and epoch do not change.
TEST(Fleet, RefusesImpossibleWeightsAndNamesTheField) {
  struct Case {
    Words words;
    std::string field;
  };
  const std::vector<Case> cases = {
      {{{"blue", "0"}, {"green", "0"}}, "blue"},
      {{{"blue", "-1"}, {"green", "10"}}, "blue"},
      {{{"blue", "90"}, {"green", "ten"}}, "green"},
      {{{"blue", "90"}, {"green", ""}}, "green"},
      {{{"blue", "90"}, {"green", "1.5"}}, "green"},
      {{{"blue", "90"}, {"green", "10 "}}, "green"},
      {{{"blue", "90"}, {"red", "10"}}, "red"},
      {{{"blue", "90"}}, "green"},
      {{{"blue", "1"}, {"blue", "2"}}, "blue"},
      {{{"blue", "1000001"}, {"green", "0"}}, "blue"},
      {{{"blue", "99999999999999999999"}, {"green", "0"}}, "blue"},
  };
  for (const Case& one : cases) {
    const Fleet fleet = fleet_of(90, 10);
    auto next = set_weights(fleet, one.words);
    ASSERT_FALSE(next.has_value()) << one.field;
    EXPECT_EQ(next.error().code, AdminCode::usage);
    EXPECT_EQ(next.error().field, one.field) << next.error().message;
  }
}

TEST(Fleet, TakesWeightsInAnyOrder) {
  Fleet next = *set_weights(fleet_of(90, 10), {{"green", "1000000"}, {"blue", "0"}});
  EXPECT_EQ(next.colors[0].weight, 0);
  EXPECT_EQ(next.colors[1].weight, 1'000'000);
}

TEST(Fleet, VoidsCookiesOfAColorThatLeavesServiceAndOfNoOther) {
  Fleet fleet = fleet_of(90, 10);
  fleet.epoch = 7;
  DrainAsk ask;
  fleet = *ask_drain(fleet, 0, ask, kNow, all_up(), true);
  EXPECT_EQ(fleet.colors[0].state, ColorState::draining);
  EXPECT_EQ(fleet.colors[0].valid_from, 0u) << "a draining color serves its holders";
  fleet = *apply_event(fleet, 0, ColorEvent::deadline_passed);
  EXPECT_EQ(fleet.epoch, 8u) << "no operator asked for this";
  EXPECT_EQ(fleet.colors[0].valid_from, 9u) << "cookies of epoch 8 and before are void";
  EXPECT_EQ(fleet.colors[1].valid_from, 0u);
  fleet = *apply_event(fleet, 0, ColorEvent::emptied);
  EXPECT_EQ(fleet.colors[0].valid_from, 9u);
  fleet = *set_ready(fleet, 0);
  EXPECT_EQ(fleet.epoch, 9u) << "cookies issued from now on are valid";
  EXPECT_EQ(fleet.colors[0].valid_from, 9u);
}

TEST(Fleet, SendsHoldersAwayAtOnceWithDeadlineZero) {
  DrainAsk ask;
  ask.deadline = base::Millis{0};
  Fleet fleet = *ask_drain(fleet_of(90, 10), 0, ask, kNow, all_up(), true);
  EXPECT_EQ(fleet.colors[0].state, ColorState::closing);
}

TEST(Fleet, JoinsARunningDrainInsteadOfExtendingIt) {
  Fleet fleet = *ask_drain(fleet_of(90, 10), 0, {}, kNow, all_up(), true);
  const uint64_t epoch = fleet.epoch;
  const base::Instant deadline = fleet.colors[0].drain->deadline;
  Fleet again = *ask_drain(fleet, 0, {}, kNow + std::chrono::minutes(5), all_up(), true);
  EXPECT_EQ(again.epoch, epoch);
  EXPECT_EQ(again.colors[0].drain->deadline, deadline);
  DrainAsk sooner;
  sooner.deadline = base::Millis{60'000};
  again = *ask_drain(fleet, 0, sooner, kNow + std::chrono::minutes(5), all_up(), true);
  EXPECT_EQ(again.epoch, epoch + 1);
  EXPECT_EQ(again.colors[0].drain->deadline, kNow + std::chrono::minutes(6));
  EXPECT_EQ(again.colors[0].drain->since, kNow);
}

TEST(Fleet, DoesNotDrainTheLastColorThatTakesUsersUnlessTold) {
  struct Case {
    ColorState green;
    int green_weight;
    bool green_up;
    bool fallback;
    bool refused;
  };
  const Case cases[] = {
      {ColorState::ready, 10, true, false, false},
      {ColorState::ready, 0, true, true, false},  // by fallback
      {ColorState::ready, 0, true, false, true},
      {ColorState::ready, 10, false, true, true},
      {ColorState::draining, 10, true, true, true},
      {ColorState::maint, 10, true, true, true},
  };
  for (const Case& one : cases) {
    Fleet fleet = fleet_of(90, one.green_weight);
    fleet.colors[1].state = one.green;
    const IsUp is_up = [&](size_t color) { return color == 0 || one.green_up; };
    auto drained = ask_drain(fleet, 0, {}, kNow, is_up, one.fallback);
    EXPECT_EQ(drained.has_value(), !one.refused);
    auto maint = ask_maint(fleet, 0, false, is_up, one.fallback);
    EXPECT_EQ(maint.has_value(), !one.refused);
    if (!one.refused) continue;
    EXPECT_EQ(drained.error().code, AdminCode::refused);
    DrainAsk ask;
    ask.last = true;
    EXPECT_TRUE(ask_drain(fleet, 0, ask, kNow, is_up, one.fallback).has_value());
    EXPECT_TRUE(ask_maint(fleet, 0, true, is_up, one.fallback).has_value());
  }
}

TEST(Fleet, DrainsAColorThatTakesNobodyWhateverTheOtherDoes) {
  Fleet fleet = fleet_of(90, 10);
  fleet.colors[1].state = ColorState::maint;
  const IsUp is_up = [](size_t color) { return color != 0; };
  EXPECT_TRUE(ask_drain(fleet, 0, {}, kNow, is_up, true).has_value()) << "blue is down anyway";
}

TEST(Fleet, MaintLetsRunningWorkGoOn) {
  Fleet fleet = *ask_maint(fleet_of(90, 10), 0, false, all_up(), true);
  EXPECT_EQ(fleet.colors[0].state, ColorState::closing);
  EXPECT_EQ(fleet.colors[0].valid_from, fleet.epoch + 1);
}

TEST(Fleet, KnowsNoMoveThatIsNotInTheTable) {
  const Fleet fleet = fleet_of(90, 10);
  for (ColorEvent event :
       {ColorEvent::emptied, ColorEvent::holders_quiet, ColorEvent::deadline_passed}) {
    EXPECT_FALSE(apply_event(fleet, 0, event).has_value());
  }
}

TEST(Fleet, SavedWeightsAndStatesWinOverTheConfig) {
  Fleet saved = fleet_of(0, 100);
  saved.epoch = 40;
  saved.colors[0].state = ColorState::maint;
  saved.colors[0].valid_from = 39;
  const Fleet merged = merge_fleet(saved, two_colors(50, 50));
  EXPECT_EQ(merged.epoch, 40u);
  EXPECT_EQ(merged.colors[0].weight, 0);
  EXPECT_EQ(merged.colors[0].state, ColorState::maint);
  EXPECT_EQ(merged.colors[0].valid_from, 39u);
  EXPECT_EQ(merged.colors[1].weight, 100);
}

// C36: a config without green still starts; and green comes back as it went.
TEST(Fleet, ParksAColorThatLeftTheConfig) {
  Fleet saved = fleet_of(100, 0);
  saved.colors[1].state = ColorState::maint;
  routing::RoutingConfig only_blue = two_colors();
  only_blue.colors.pop_back();
  Fleet merged = merge_fleet(saved, only_blue);
  ASSERT_EQ(merged.colors.size(), 1u);
  EXPECT_EQ(merged.colors[0].weight, 100);
  merged = merge_fleet(merged, two_colors(50, 50));
  ASSERT_EQ(merged.colors.size(), 2u);
  EXPECT_EQ(merged.colors[1].state, ColorState::maint);
  EXPECT_EQ(merged.colors[1].weight, 0);
  EXPECT_TRUE(merged.parked.empty());
}

TEST(Fleet, ServesWithWhatIsLeftWhenTheWeightedColorLeftTheConfig) {
  routing::RoutingConfig only_blue = two_colors(0, 100);
  only_blue.colors.pop_back();
  const Fleet merged = merge_fleet(fleet_of(0, 100), only_blue);
  EXPECT_GT(merged.colors[0].weight, 0);
}

}  // namespace
}  // namespace control
