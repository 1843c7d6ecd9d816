#include "shifter/control/rollout_config.h"

#include <gtest/gtest.h>

#include <ctime>

namespace control {
namespace {

using namespace std::chrono_literals;

struct RolloutConfigRead {
  RolloutConfig config;
  std::string faults;
};

RolloutConfigRead read_rollout(const std::string& text) {
  RolloutConfigRead read;
  base::YamlFile file = base::YamlFile::from_text("sidecar.yaml", text);
  {
    base::Section top = file.top();
    read.config = read_rollout_config(top.section("rollout"));
  }
  for (const base::ConfigFault& fault : file.faults()) read.faults += fault.text() + "\n";
  return read;
}

TEST(RolloutConfigFile, HasTheDefaultsOfItsStruct) {
  const RolloutConfigRead read = read_rollout("rollout: {}\n");
  EXPECT_EQ(read.faults, "");
  EXPECT_EQ(read.config.steps, (std::vector<int>{5, 10, 25, 50, 100}));
  EXPECT_EQ(read.config.step_min, 5min);
  EXPECT_EQ(read.config.hold_max, 4h);
  EXPECT_EQ(read.config.bake, 30min);
  EXPECT_EQ(read.config.on_no_evidence, OnNoEvidence::keep);
}

TEST(RolloutConfigFile, ReadsEveryKey) {
  const RolloutConfigRead read = read_rollout(
      "rollout:\n  steps: [1, 50, 100]\n  step_min: 1m\n  hold_max: 1h\n  bake: 2m\n"
      "  bake_hold_max: 3h\n  on_no_evidence: rollback\n  warm_for: 4s\n  prepare_max: 5m\n"
      "  look: 2s\n  rollback_step: 6s\n  scale_bake: 7m\n  pre_canary: on\n  post_switch: on\n"
      "  window: { from: \"22:30\", to: \"06:00\", weekdays: [mon, fri],"
      " except_month_days: [12, 20] }\n"
      "  notify: { webhook: \"http://127.0.0.1:9/x\", exec: on, timeout: 2s }\n");
  EXPECT_EQ(read.faults, "");
  const RolloutConfig& config = read.config;
  EXPECT_EQ(config.steps, (std::vector<int>{1, 50, 100}));
  EXPECT_EQ(config.bake_hold_max, 3h);
  EXPECT_EQ(config.on_no_evidence, OnNoEvidence::rollback);
  EXPECT_EQ(config.rollback_step, 6s);
  EXPECT_EQ(config.scale_bake, 7min);
  EXPECT_TRUE(config.pre_canary && config.post_switch);
  EXPECT_EQ(config.window.from_minute, 22 * 60 + 30);
  EXPECT_EQ(text_of(config.window), "22:30-06:00 mon fri but on the 12 20");
  EXPECT_EQ(config.notify.webhook, "http://127.0.0.1:9/x");
  EXPECT_TRUE(config.notify.exec);
  EXPECT_EQ(config.notify.timeout, 2s);
}

// R5: what is misspelt does not pass in silence, here as in the policy of the scaler.
TEST(RolloutConfigFile, NamesTheLineAndTheNearestNameOfAKeyThatIsNone) {
  EXPECT_EQ(read_rollout("rollout:\n  setps: [5, 100]\n").faults,
            "sidecar.yaml:2: rollout.setps: unknown key; did you mean steps?\n");
  EXPECT_EQ(read_rollout("rollout:\n  notify:\n    webhok: x\n").faults,
            "sidecar.yaml:3: rollout.notify.webhok: unknown key; did you mean webhook?\n");
}

TEST(RolloutConfigFile, RefusesWhatMakesNoSense) {
  const std::pair<const char*, const char*> cases[] = {
      {"steps: [5, 5, 100]", "rollout.steps"},
      {"steps: [5, 50]", "rollout.steps"},
      {"steps: [0, 100]", "rollout.steps"},
      {"bake: -1s", "rollout.bake"},
      {"on_no_evidence: hope", "rollout.on_no_evidence"},
      {"window: { from: \"8:30\" }", "rollout.window.from"},
      {"window: { to: \"24:01\" }", "rollout.window.to"},
      {"window: { from: \"08:00\", to: \"08:00\" }", "rollout.window.to"},
      {"window: { weekdays: [monday] }", "rollout.window.weekdays"},
      {"window: { except_month_days: [32] }", "rollout.window.except_month_days"},
      {"notify: { webhook: \"https://x/\" }", "rollout.notify.webhook"},
      {"notify: { timeout: 0s }", "rollout.notify.timeout"},
  };
  for (const auto& [line, key] : cases) {
    const std::string faults = read_rollout("rollout:\n  " + std::string(line) + "\n").faults;
    EXPECT_NE(faults.find(std::string("sidecar.yaml:2: ") + key), std::string::npos)
        << line << " → " << faults;
  }
}

TEST(RolloutSteps, AreWordsAndBack) {
  EXPECT_EQ(text_of_steps(parse_steps("1,2,100")), "1,2,100");
  for (const char* text :
       {"", "100,", "5,10", "10,5,100", "5,5,100", "0,100", "101", "x", "5;100"}) {
    EXPECT_TRUE(parse_steps(text).empty()) << text;
  }
  std::string many;
  for (int i = 1; i <= 20; ++i) many += std::to_string(i) + ",";
  EXPECT_TRUE(parse_steps(many + "100").empty()) << "21 steps";
}

// A moment of the machine's local time.
base::WallTime local(int day, int hour, int minute) {
  std::tm time{};
  time.tm_year = 126;
  time.tm_mon = 5;  // June 2026; the 1st is a Monday
  time.tm_mday = day;
  time.tm_hour = hour;
  time.tm_min = minute;
  time.tm_isdst = -1;
  return std::chrono::time_point_cast<base::Millis>(
      std::chrono::system_clock::from_time_t(std::mktime(&time)));
}

TEST(RolloutWindowTimes, IsOpenFromUntilAndNotAtItsEnd) {
  RolloutWindow window;
  EXPECT_TRUE(window.is_open(local(1, 0, 0)));
  EXPECT_TRUE(window.is_open(local(1, 23, 59)));
  window.from_minute = 8 * 60 + 30;
  window.to_minute = 18 * 60;
  EXPECT_FALSE(window.is_open(local(1, 8, 29)));
  EXPECT_TRUE(window.is_open(local(1, 8, 30)));
  EXPECT_TRUE(window.is_open(local(1, 17, 59)));
  EXPECT_FALSE(window.is_open(local(1, 18, 0)));
}

TEST(RolloutWindowTimes, MayGoOverMidnight) {
  RolloutWindow window;
  window.from_minute = 22 * 60;
  window.to_minute = 6 * 60;
  EXPECT_TRUE(window.is_open(local(1, 23, 0)));
  EXPECT_TRUE(window.is_open(local(2, 5, 59)));
  EXPECT_FALSE(window.is_open(local(2, 6, 0)));
  EXPECT_FALSE(window.is_open(local(2, 12, 0)));
}

TEST(RolloutWindowTimes, KnowsWeekdaysAndTheDaysOnWhichReturnsAreFiled) {
  RolloutWindow window;
  window.weekdays = {1, 5};
  window.except_month_days = {12};
  EXPECT_TRUE(window.is_open(local(1, 12, 0))) << "a Monday";
  EXPECT_FALSE(window.is_open(local(2, 12, 0))) << "a Tuesday";
  EXPECT_TRUE(window.is_open(local(5, 12, 0))) << "a Friday";
  EXPECT_FALSE(window.is_open(local(12, 12, 0))) << "a Friday, but the 12th";
}

}  // namespace
}  // namespace control
