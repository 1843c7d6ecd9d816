#include "shifter/cli/guard.h"

#include "shifter/cli/plan.h"
#include "tests/unit/cli/fake_daemon.h"

namespace cli {
namespace {

Snapshot seen_of(const FakeStatus& status) { return *parse_snapshot(status.json()); }
Arguments words(const std::vector<std::string>& given) { return *parse_arguments(given); }

std::string guarded(const std::vector<std::string>& given, const FakeStatus& status) {
  auto guard = guard_of(words(given), seen_of(status));
  return guard ? guard->color : "";
}

TEST(Guard, AsksBeforeUsersAreThrownOutOrSentNowhere) {
  FakeStatus both_up, green_down, blue_drains, blue_idle, blue_out;
  green_down.green.health = "down(refused)";
  blue_drains.blue.state = "draining";
  blue_idle.blue.weight = 0;
  blue_out.blue.state = "maint";
  struct Case {
    std::vector<std::string> given;
    const FakeStatus& status;
    std::string color;
  };
  const std::vector<Case> cases = {
      {{"drain", "blue"}, both_up, "blue"},
      {{"maint", "blue"}, both_up, "blue"},
      {{"drain", "blue"}, blue_idle, ""},
      {{"maint", "blue"}, blue_idle, ""},
      {{"drain", "blue"}, blue_drains, ""},  // joins the drain that runs
      {{"maint", "blue"}, blue_drains, "blue"},
      {{"drain", "blue", "force=yes"}, blue_drains, "blue"},
      {{"drain", "blue", "force=yes"}, blue_idle, "blue"},
      {{"drain", "blue", "force=no"}, blue_idle, ""},
      {{"drain", "blue", "force=yes"}, blue_out, ""},       // nothing is there to be cut
      {{"weights", "blue=0", "green=1"}, both_up, "blue"},  // R99: 10 to 1 means 9 deleted
      {{"weights", "blue=1", "green=0"}, both_up, ""},
      {{"weights", "blue=0", "green=1"}, green_down, "green"},
      {{"weights", "blue=1", "green=9"}, green_down, ""},
      {{"weights", "blue=1", "green=0"}, blue_drains, "blue"},
      {{"weights", "blue=0", "green=0"}, both_up, ""},  // the daemon refuses that
      {{"ready", "blue"}, green_down, ""},
      {{"hold", "on"}, both_up, ""},
      {{"drain", "red"}, both_up, ""},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(guarded(one.given, one.status), one.color) << words(one.given).line;
  }
}

TEST(Plan, ShowsWeightsNowAndWanted) {
  auto plan = plan_of(words({"weights", "blue=1", "green=3"}), seen_of({}));
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->lines.size(), 2u);
  EXPECT_EQ(plan->lines[0].what, "weight of blue");
  EXPECT_EQ(plan->lines[0].current, "90 (90 % of new users)");
  EXPECT_EQ(plan->lines[0].wanted, "1 (25 % of new users)");
}

TEST(Plan, ShowsWhoGetsTheUsersOfADrainedColor) {
  auto plan = plan_of(words({"drain", "blue", "deadline=5m"}), seen_of({}));
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->lines[0].wanted, "draining for at most 5m, then closing, then maint");
  EXPECT_EQ(plan->lines[1].what, "running on blue");
  EXPECT_EQ(plan->lines[3].wanted, "10 (100 % of new users)");
  EXPECT_EQ(plan->guard->color, "blue");
  EXPECT_EQ(plan->refusal, "");
}

TEST(Plan, KnowsTheLastColorThatTakesUsers) {
  FakeStatus status;
  status.green.health = "down(timeout)";
  EXPECT_NE(plan_of(words({"maint", "blue"}), seen_of(status))->refusal, "");
  EXPECT_EQ(plan_of(words({"maint", "blue", "last=yes"}), seen_of(status))->refusal, "");
  status.green.health = "up";
  status.green.weight = 0;
  EXPECT_EQ(plan_of(words({"maint", "blue"}), seen_of(status))->refusal, "");
  status.fallback = "deny";
  EXPECT_NE(plan_of(words({"maint", "blue"}), seen_of(status))->refusal, "");
}

TEST(Plan, RefusesWhatTheDaemonWouldNotTake) {
  for (const std::vector<std::string>& given :
       std::vector<std::vector<std::string>>{{"weights", "blue=1"},
                                             {"weights", "blue=x", "green=1"},
                                             {"weights", "blue=-1", "green=1"},
                                             {"weights", "blue=0", "green=0"},
                                             {"weights", "blue=1", "green=1", "red=1"},
                                             {"drain", "red"},
                                             {"drain"},
                                             {"hold", "maybe"}}) {
    EXPECT_FALSE(plan_of(words(given), seen_of({})).has_value()) << words(given).line;
  }
}

TEST(Reached, IsToldFromTheStatus) {
  FakeStatus status;
  const auto tell = [&](const std::vector<std::string>& given) {
    return reached(words(given), seen_of(status));
  };
  EXPECT_EQ(tell({"ready", "blue"}), Reached::yes);
  EXPECT_EQ(tell({"maint", "blue"}), Reached::never) << "somebody made it ready";
  EXPECT_EQ(tell({"weights", "blue=90", "green=10"}), Reached::yes);
  EXPECT_EQ(tell({"weights", "blue=9", "green=10"}), Reached::never) << "others are set";
  EXPECT_EQ(tell({"status"}), Reached::yes);
  status.blue.state = "closing";
  status.green.health = "down(starting)";
  status.degraded = R"(["no color is up"])";
  EXPECT_EQ(tell({"maint", "blue"}), Reached::not_yet);
  EXPECT_EQ(tell({"ready", "blue"}), Reached::never);
  EXPECT_EQ(tell({"ready", "green"}), Reached::not_yet);
  EXPECT_EQ(tell({"weights", "blue=90", "green=10"}), Reached::not_yet);
  EXPECT_EQ(tell({"status"}), Reached::not_yet);
  status.blue.state = "maint";
  EXPECT_EQ(tell({"maint", "blue"}), Reached::yes);
}

}  // namespace
}  // namespace cli
