// The scaler's part of /metrics.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/metrics.h"
#include "shifter/control/autoscaler.h"

namespace control {

// Changes by direction (0: up, 1: down), since the start of the process.
struct ScaleCounts {
  std::array<int64_t, 2> done{};
  std::array<int64_t, 2> failed{};
  std::array<int64_t, 2> refused{};  // begun by nobody: another was faster
};

// The last whole window of one color; `known` false: there is none.
struct ScaleColorMetrics {
  std::string color;
  bool known = false;
  double slow_up = 0;
  double slow_down = 0;
  double in_flight = 0;
  double queue_max = 0;
  double waiting = 0;
};

struct ScaleMetrics {
  ScaleDecision decision;
  std::array<int64_t, kScaleKinds.size()> decisions{};
  ScaleCounts counts;
  std::vector<ScaleColorMetrics> colors;
  bool blind = false;
  bool policy_failed = false;
  bool frozen = false;  // by failures
  ScaleMode mode = ScaleMode::automatic;
  int failures = 0;
  double cooldown_up_s = 0;
  double cooldown_down_s = 0;
  int min_workers = 0;
  int max_workers = 0;
};

// What is not known is NaN.
void add_scale_families(const ScaleMetrics& metrics, std::vector<base::MetricFamily>& families);

}  // namespace control
