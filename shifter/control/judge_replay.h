// What would a canary with other steps have met on the recorded day? Replays the recorded traffic
// from its beginning: when each step would have had its sessions, and how often equal colors would
// have been rolled back. Pure; seeded.
#pragma once

#include <string>
#include <vector>

#include "shifter/control/traffic_record.h"
#include "shifter/control/verdict.h"

namespace control {

struct ReplayedStep {
  int share = 0;
  double hours = 0;  // until its floors were met; of all that was left, if they were not
  bool is_reached = false;
  double sessions = 0;  // of the canary
};

struct Replay {
  std::vector<ReplayedStep> steps;
  int runs = 0;
  int false_rollbacks = 0;  // of those runs, with colors that are equal
};

// Needs: shares in percent, rising. Shares of 100 are left out: nothing is compared there.
Replay replay_policy(const TrafficRecord& record, routing::ColorIndex color,
                     const std::vector<int>& shares, int runs, uint64_t seed);
std::string text_of(const Replay& replay);

}  // namespace control
