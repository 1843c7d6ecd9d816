// The agent's and the actions' part of /metrics. The agent listens on nothing: what it says of its
// machine is exported here.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "proxy/base/metrics.h"
#include "shifter/control/actions.h"

namespace control {

struct AgentMetrics {
  bool connected = false;
  std::array<int64_t, 6> by_state{};  // of the actions that are remembered, by ActionState
  std::map<std::string, int64_t> hook_failures;
  AgentFigures figures;
};

void fill_agent_metrics(const Actions& actions, AgentMetrics& metrics);
// What the agent did not say is NaN.
void add_agent_families(const AgentMetrics& metrics, const std::vector<std::string>& colors,
                        std::vector<base::MetricFamily>& families);

}  // namespace control
