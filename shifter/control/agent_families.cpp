#include "shifter/control/agent_families.h"

#include <limits>
#include <optional>

namespace control {
namespace {

using base::MetricFamily;
using Type = MetricFamily::Type;

constexpr std::array kHooks = {"deploy",     "stop",        "set_workers", "signal_workers",
                               "pre_canary", "post_switch", "notify",      "custom"};

MetricFamily family(std::string name, Type type, std::string help) {
  MetricFamily made;
  made.name = std::move(name);
  made.type = type;
  made.help = std::move(help);
  return made;
}

template <class Number>
double value_of(const std::optional<Number>& number) {
  return number ? static_cast<double>(*number) : std::numeric_limits<double>::quiet_NaN();
}

double workers_of(const std::map<std::string, int>& workers, const std::string& color) {
  const auto at = workers.find(color);
  return at == workers.end() ? std::numeric_limits<double>::quiet_NaN() : at->second;
}

}  // namespace

void fill_agent_metrics(const Actions& actions, AgentMetrics& metrics) {
  metrics.connected = actions.has_agent();
  metrics.by_state = {};
  for (const Action& action : actions.list()) {
    ++metrics.by_state[static_cast<size_t>(action.state)];
  }
  metrics.hook_failures = actions.hook_failures();
  metrics.figures = metrics.connected ? actions.figures() : AgentFigures{};
}

void add_agent_families(const AgentMetrics& metrics, const std::vector<std::string>& colors,
                        std::vector<MetricFamily>& families) {
  const auto gauge = [&](std::string name, double value, std::string help) {
    families.push_back(family(std::move(name), Type::gauge, std::move(help)));
    families.back().samples.push_back({{}, value, {}, 0});
  };
  gauge("shifter_agent_connected", metrics.connected ? 1 : 0, "1: an agent takes actions.");

  MetricFamily states = family("shifter_actions", Type::gauge,
                               "Actions that are remembered, by what became of them.");
  for (size_t i = 0; i < metrics.by_state.size(); ++i) {
    states.samples.push_back({{{"state", std::string(text_of(static_cast<ActionState>(i)))}},
                              static_cast<double>(metrics.by_state[i]),
                              {},
                              0});
  }
  families.push_back(std::move(states));

  MetricFamily failures = family("shifter_hook_failures_total", Type::counter,
                                 "Actions that were begun and failed, or whose end is unknown.");
  for (const char* hook : kHooks) {
    const auto at = metrics.hook_failures.find(hook);
    const int64_t count = at == metrics.hook_failures.end() ? 0 : at->second;
    failures.samples.push_back({{{"hook", hook}}, static_cast<double>(count), {}, 0});
  }
  families.push_back(std::move(failures));

  MetricFamily workers = family("shifter_workers", Type::gauge,
                                "Workers of a color: as its env file says, and as counted.");
  for (const std::string& color : colors) {
    workers.samples.push_back({{{"color", color}, {"source", "env"}},
                               workers_of(metrics.figures.env_workers, color),
                               {},
                               0});
    workers.samples.push_back({{{"color", color}, {"source", "observed"}},
                               workers_of(metrics.figures.workers, color),
                               {},
                               0});
  }
  families.push_back(std::move(workers));

  gauge("shifter_agent_cpus", value_of(metrics.figures.cpus), "CPUs of the agent's machine.");
  gauge("shifter_agent_memory_bytes", value_of(metrics.figures.memory_bytes),
        "Memory of the agent's machine.");
  gauge("shifter_agent_memory_free_bytes", value_of(metrics.figures.memory_free_bytes),
        "Memory that could be used without swapping.");
  gauge("shifter_agent_connections", value_of(metrics.figures.connections),
        "Connections to PostgreSQL, of all programs.");
  gauge("shifter_agent_connections_max", value_of(metrics.figures.connections_max),
        "Connections that PostgreSQL allows.");
}

}  // namespace control
