// What /metrics says: the workers' totals and the control plane's facts as families. Every series
// is there from the first scrape. Pure; called on scrape threads with values of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/metrics.h"
#include "proxy/routing/backend_id.h"
#include "proxy/routing/totals.h"
#include "shifter/control/agent_families.h"
#include "shifter/control/rollout_families.h"
#include "shifter/control/scale_families.h"

namespace control {

struct ColorMetrics {
  std::string name;
  routing::ColorState state = routing::ColorState::ready;
  int weight = 0;
  bool up = false;
  bool busy = false;
  bool no_websocket = false;
  int64_t http_up = 0;  // addresses
  int64_t websocket_up = 0;
  int64_t ejections = 0;  // so far
};

// A copy that the main thread replaces whenever something in it changed.
struct ControlMetrics {
  std::vector<ColorMetrics> colors;
  std::vector<std::string> routes;  // by RouteIndex
  uint64_t epoch = 0;
  uint64_t version = 0;
  uint64_t applied_version = 0;
  bool held = false;
  bool dependency_down = false;
  bool lame_duck = false;
  int64_t state_saves = 0;
  int64_t state_save_failures = 0;
  int64_t state_unsaved = 0;  // 1: a change that had to act is not on disk yet
  int64_t probes = 0;
  int64_t probe_failures = 0;
  int64_t name_failures = 0;
  int64_t commands = 0;
  int64_t commands_refused = 0;
  int64_t admin_clients = 0;
  int64_t log_dropped = 0;
  AgentMetrics agent;
  RolloutMetrics rollout;
  ScaleMetrics scale;
  double started_seconds = 0;  // Unix time
  std::string program_version;
};

std::vector<base::MetricFamily> make_families(const routing::Totals& totals,
                                              const ControlMetrics& control);

}  // namespace control
