#include "shifter/control/scale_families.h"

#include <limits>
#include <utility>

namespace control {
namespace {

using base::MetricFamily;
using Labels = std::vector<std::pair<std::string, std::string>>;
using Type = MetricFamily::Type;

class Families {
 public:
  explicit Families(std::vector<MetricFamily>& families) : families_(families) {}

  void open(std::string name, Type type, std::string help) {
    MetricFamily family;
    family.name = std::move(name);
    family.type = type;
    family.help = std::move(help);
    families_.push_back(std::move(family));
  }
  template <class Number>
  void add(Labels labels, Number value) {
    families_.back().samples.push_back({std::move(labels), static_cast<double>(value), {}, 0});
  }
  template <class Number>
  void gauge(std::string name, Number value, std::string help) {
    open(std::move(name), Type::gauge, std::move(help));
    add({}, value);
  }
  void by_color(const std::vector<ScaleColorMetrics>& colors, std::string name,
                double ScaleColorMetrics::* value, std::string help) {
    open(std::move(name), Type::gauge, std::move(help));
    for (const ScaleColorMetrics& one : colors) {
      add({{"color", one.color}},
          one.known ? one.*value : std::numeric_limits<double>::quiet_NaN());
    }
  }

 private:
  std::vector<MetricFamily>& families_;
};

}  // namespace

void add_scale_families(const ScaleMetrics& metrics, std::vector<MetricFamily>& all) {
  Families families(all);
  families.gauge("shifter_scaler_blind", metrics.blind ? 1 : 0,
                 "1: nothing is known to decide by, so nothing is decided.");
  families.gauge("shifter_policy_load_failed", metrics.policy_failed ? 1 : 0,
                 "1: the scaling policy that was read last has a fault; the one before holds.");
  families.gauge("shifter_scaler_frozen", metrics.frozen ? 1 : 0,
                 "1: too many changes failed in a row; an operator ends it.");
  families.gauge("shifter_scaler_failures", metrics.failures, "Changes that failed in a row.");
  families.gauge("shifter_scaler_min_workers", metrics.min_workers, "As the policy says.");
  families.gauge("shifter_scaler_max_workers", metrics.max_workers, "As the policy says.");

  families.open("shifter_scaler_mode", Type::gauge, "1 for what the scaler follows.");
  const std::pair<ScaleMode, const char*> modes[] = {{ScaleMode::automatic, "auto"},
                                                     {ScaleMode::number, "number"},
                                                     {ScaleMode::freeze, "freeze"}};
  for (const auto& [mode, name] : modes) {
    families.add({{"mode", name}}, metrics.mode == mode ? 1 : 0);
  }
  families.open("shifter_scaler_reason", Type::gauge, "1 for the reason of the last decision.");
  for (size_t i = 0; i < kScaleWhys; ++i) {
    families.add({{"reason", std::string(text_of(static_cast<ScaleWhy>(i)))}},
                 metrics.decision.why == static_cast<ScaleWhy>(i) ? 1 : 0);
  }
  families.open("shifter_scaler_decisions_total", Type::counter,
                "Decisions, one a window of the policy.");
  for (ScaleKind kind : kScaleKinds) {
    families.add({{"decision", std::string(text_of(kind))}},
                 metrics.decisions[static_cast<size_t>(kind)]);
  }
  families.open("shifter_scaler_changes_total", Type::counter,
                "Changes of the number of workers, by what became of them.");
  const char* directions[] = {"up", "down"};
  for (size_t i = 0; i < 2; ++i) {
    families.add({{"direction", directions[i]}, {"result", "done"}}, metrics.counts.done[i]);
    families.add({{"direction", directions[i]}, {"result", "failed"}}, metrics.counts.failed[i]);
    families.add({{"direction", directions[i]}, {"result", "refused"}}, metrics.counts.refused[i]);
  }
  families.open("shifter_scaler_cooldown_seconds", Type::gauge,
                "Until a change in this direction may be begun; 0: now.");
  families.add({{"direction", "up"}}, metrics.cooldown_up_s);
  families.add({{"direction", "down"}}, metrics.cooldown_down_s);

  families.by_color(metrics.colors, "shifter_scaler_slow_share_up", &ScaleColorMetrics::slow_up,
                    "Share of requests above the threshold of scale_up, in the last window.");
  families.by_color(metrics.colors, "shifter_scaler_slow_share_down",
                    &ScaleColorMetrics::slow_down,
                    "Share of requests above the threshold of scale_down, in the last window.");
  families.by_color(metrics.colors, "shifter_scaler_in_flight_mean", &ScaleColorMetrics::in_flight,
                    "Mean of what is in flight or queued, in the last window.");
  families.by_color(metrics.colors, "shifter_scaler_queue_max", &ScaleColorMetrics::queue_max,
                    "Most in flight above the workers, in the last window.");
  families.by_color(metrics.colors, "shifter_scaler_waiting_share", &ScaleColorMetrics::waiting,
                    "Share of time or of requests that waited, in the last window.");
}

}  // namespace control
