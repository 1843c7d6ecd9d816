// From what a person (or the scaler) asks to a plan, or the rule that is against it. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shifter/control/admin_error.h"
#include "shifter/control/fleet.h"
#include "shifter/control/releases.h"
#include "shifter/control/rollout.h"
#include "shifter/control/rollout_config.h"

namespace control {

struct BeginAsk {
  Purpose purpose = Purpose::canary;
  std::string color;                // canary and switch
  std::optional<uint64_t> release;  // rollback; nothing: the way back
  std::vector<int> steps;           // empty: as configured
  Schema schema = Schema::none;
  bool aa = false;
  bool accept_weak = false;
  bool no_bake = false;
  bool deploy = true;  // false: the color is taken as it is found, though an agent is there
  bool old_code_breaks = false;
  int workers = 0;  // scale
  std::string image;
  std::string label;
  Actor who;
  std::string reason;
};

struct BeginFacts {
  const Fleet& fleet;
  std::vector<bool> up;  // by color
  const Releases& releases;
  bool has_agent = false;
  std::map<std::string, int> workers;  // as the agent last saw them, by color
  const RolloutConfig& config;
};

// Without a number of its own; `release` is that of a rollback, else 0.
Answer<RolloutPlan> plan_rollout(const BeginAsk& ask, const BeginFacts& facts);

// The color that has the users: that of the live release, else the one with the weight.
std::optional<size_t> live_color(const Fleet& fleet, const Releases& releases);

}  // namespace control
