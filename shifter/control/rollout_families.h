// The rollouts' part of /metrics. Every phase, reason and verdict has its series from the first
// scrape.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/metrics.h"
#include "shifter/control/rollout_state.h"

namespace control {

class ControlLoop;
class Notifier;
class RolloutControl;

struct RolloutMetrics {
  RolloutState state = RolloutState::idle;
  HoldReason hold = HoldReason::none;
  int share = 0;
  bool no_return = false;
  bool locked = false;
  uint64_t epoch = 0;
  uint64_t live = 0;                        // release
  double deadline_seconds = 0;              // Unix time of the state's deadline; 0: none
  std::array<double, kSignals> evidence{};  // log of the e-value, by Signal
  RolloutCounts counts;
  int64_t notice_failures = 0;
  int64_t sessions_dropped = 0;      // faulty ones that the judge could not count
  std::vector<double> weight_ratio;  // by color
};

void fill_rollout_metrics(const RolloutControl& rollouts, const ControlLoop& control,
                          const Notifier& notifier, RolloutMetrics& metrics);
void add_rollout_families(const RolloutMetrics& metrics, const std::vector<std::string>& colors,
                          std::vector<base::MetricFamily>& families);

}  // namespace control
