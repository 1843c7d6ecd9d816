// The keys of `rollout`, with their defaults and limits.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/yaml.h"
#include "shifter/control/rollout.h"

namespace control {

// When steps may be taken without a person. By the machine's local time.
struct RolloutWindow {
  int from_minute = 0;                 // of the day
  int to_minute = 24 * 60;             // exclusive; before from: over midnight
  std::vector<int> weekdays;           // 0 is Sunday; empty: every day
  std::vector<int> except_month_days;  // 1 to 31: the days on which returns are filed

  bool is_open(base::WallTime at) const;
};

struct NotifyConfig {
  std::string webhook;  // http://ADDRESS:PORT/PATH; empty: none
  bool exec = false;    // the agent's hook `notify`
  base::Millis timeout{5'000};
};

struct RolloutConfig {
  std::vector<int> steps = {5, 10, 25, 50, 100};  // percent of new users
  base::Millis step_min{300'000};
  base::Millis hold_max{14'400'000};  // a step without evidence is aborted then
  base::Millis bake{1'800'000};
  base::Millis bake_hold_max{43'200'000};
  OnNoEvidence on_no_evidence = OnNoEvidence::keep;
  base::Millis warm_for{30'000};       // healthy for so long before the first user
  base::Millis prepare_max{900'000};   // to be deployed and healthy; to be warm
  base::Millis look{1'000};            // how often the judge is asked
  base::Millis rollback_step{10'000};  // a color that was just started gets users in three moves
  base::Millis scale_bake{300'000};
  // For the agent to wait for background work (its times.background) and to stop the old color.
  base::Millis stop_max{900'000};
  bool pre_canary = false;   // the agent's command of this name, before the first user
  bool post_switch = false;  // and when all users are there
  RolloutWindow window;
  NotifyConfig notify;
};

// Faults go to the file with line and key.
RolloutConfig read_rollout_config(base::Section section);
// "5,10,25,50,100": rising, from 1, the last is 100, at most 20. Empty: the text is not that.
std::vector<int> parse_steps(std::string_view text);
std::string text_of_steps(const std::vector<int>& steps);
std::string text_of(const RolloutWindow& window);

}  // namespace control
