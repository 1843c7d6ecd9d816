// One rollout against invented traffic: the judge, and beside it two rules that others use, on the
// same requests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shifter/control/judge.h"
#include "tests/support/judge/traffic.h"

namespace judge_trials {

struct Plan {
  Truth truth;
  std::vector<int> shares;  // percent; one: that share until the end
  double end_s = 3'600;     // of a run with one share
  bool others = false;      // the two other rules too, until the end
};

struct Outcome {
  std::optional<double> rolled_back_s;
  control::Reason reason = control::Reason::none;
  int step = 0;                       // in which it was rolled back, from 1
  bool is_through = false;            // all steps were good
  std::vector<double> steps_s;        // how long each step took that was good
  uint64_t faulty_sessions = 0;       // of the canary, with that fault, in the last step
  std::optional<double> z_s;          // first minute with p < 0.05
  std::optional<double> threshold_s;  // fifth minute above 1 %
};

Outcome run(const Plan& plan, uint64_t seed);

}  // namespace judge_trials
