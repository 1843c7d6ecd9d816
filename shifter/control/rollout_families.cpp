#include "shifter/control/rollout_families.h"

#include <cmath>
#include <utility>

#include "shifter/control/control_loop.h"
#include "shifter/control/rollout_control.h"

namespace control {
namespace {

using base::MetricFamily;
using Type = MetricFamily::Type;

class Writer {
 public:
  explicit Writer(std::vector<MetricFamily>& families) : families_(families) {}

  MetricFamily& open(std::string name, Type type, std::string help) {
    MetricFamily family;
    family.name = std::move(name);
    family.type = type;
    family.help = std::move(help);
    families_.push_back(std::move(family));
    return families_.back();
  }
  template <class Number>
  static void add(MetricFamily& family, std::string label, std::string_view value, Number number) {
    family.samples.push_back(
        {{{std::move(label), std::string(value)}}, static_cast<double>(number), {}, 0});
  }
  template <class Number>
  void scalar(std::string name, Type type, std::string help, Number number) {
    open(std::move(name), type, std::move(help))
        .samples.push_back({{}, static_cast<double>(number), {}, 0});
  }

 private:
  std::vector<MetricFamily>& families_;
};

}  // namespace

void fill_rollout_metrics(const RolloutControl& rollouts, const ControlLoop& control,
                          const Notifier& notifier, RolloutMetrics& metrics) {
  const Rollout& now = rollouts.current();
  metrics.state = now.state;
  metrics.hold = now.hold;
  metrics.share = now.share();
  metrics.no_return = !now.is_idle() && now.no_return;
  metrics.locked = rollouts.holder().has_value();
  metrics.epoch = control.fleet().epoch;
  const Release* live = rollouts.releases().live();
  metrics.live = live == nullptr ? 0 : live->number;
  metrics.deadline_seconds = 0;
  if (!now.is_idle() && now.deadline != base::Instant{}) {
    const auto ahead =
        std::chrono::duration_cast<base::Millis>(now.deadline - control.now()).count();
    const auto wall = control.wall().time_since_epoch().count();
    metrics.deadline_seconds = static_cast<double>(wall + ahead) / 1e3;
  }
  metrics.evidence = {};
  if (!now.is_idle()) {
    for (const SignalEvidence& one : now.verdict.signals) {
      metrics.evidence[static_cast<size_t>(one.signal)] = std::log(std::max(one.e_value, 1e-300));
    }
  }
  metrics.counts = rollouts.saved().counts;
  metrics.notice_failures = notifier.failures();
  metrics.weight_ratio.clear();
  int64_t sum = 0;
  for (const FleetColor& color : control.fleet().colors) sum += color.weight;
  for (const FleetColor& color : control.fleet().colors) {
    metrics.weight_ratio.push_back(sum == 0 ? 0
                                            : double{1} * color.weight / static_cast<double>(sum));
  }
}

void add_rollout_families(const RolloutMetrics& metrics, const std::vector<std::string>& colors,
                          std::vector<MetricFamily>& families) {
  Writer writer(families);
  MetricFamily& phases = writer.open("shifter_phase", Type::gauge, "1 for the rollout's state.");
  for (RolloutState state : kRolloutStates) {
    Writer::add(phases, "phase", text_of(state), state == metrics.state ? 1 : 0);
  }
  MetricFamily& holds =
      writer.open("shifter_holding", Type::gauge, "1 for the reason why the rollout holds.");
  for (HoldReason reason : kHoldReasons) {
    Writer::add(holds, "reason", text_of(reason), reason == metrics.hold ? 1 : 0);
  }
  MetricFamily& weights =
      writer.open("shifter_weight_ratio", Type::gauge, "Share of new users by weight, 0 to 1.");
  for (size_t i = 0; i < colors.size(); ++i) {
    Writer::add(weights, "color", colors[i],
                i < metrics.weight_ratio.size() ? metrics.weight_ratio[i] : 0);
  }
  writer.scalar("shifter_canary_share_ratio", Type::gauge,
                "Share that the running rollout gives the canary, 0 to 1.", metrics.share / 100.0);
  writer.scalar("shifter_epoch", Type::gauge, "Intentions accepted so far.", metrics.epoch);
  writer.scalar("shifter_live_release", Type::gauge, "Number of the live release; 0: none.",
                metrics.live);
  writer.scalar("shifter_locked", Type::gauge, "1: a rollout or a person holds the lock.",
                metrics.locked ? 1 : 0);
  writer.scalar("shifter_no_return", Type::gauge, "1: the rollout applied a contract.",
                metrics.no_return ? 1 : 0);
  writer.scalar("shifter_step_deadline_timestamp_seconds", Type::gauge,
                "When the rollout's state ends at the latest (Unix time); 0: no such time.",
                metrics.deadline_seconds);
  MetricFamily& evidence = writer.open("shifter_evidence", Type::gauge,
                                       "Natural log of the evidence against the canary.");
  for (int i = 0; i < kSignals; ++i) {
    Writer::add(evidence, "signal", text_of(static_cast<Signal>(i)),
                metrics.evidence[static_cast<size_t>(i)]);
  }
  MetricFamily& verdicts =
      writer.open("shifter_verdict_total", Type::counter, "What the judge said when asked.");
  for (size_t i = 0; i < kVerdictKinds; ++i) {
    Writer::add(verdicts, "verdict", text_of(static_cast<Verdict::Kind>(i)),
                metrics.counts.verdicts[i]);
  }
  MetricFamily& backs = writer.open("shifter_rollbacks_total", Type::counter,
                                    "Rollouts that ended in a rollback, an abort or a failure.");
  for (size_t i = 0; i < kTurnBackReasons.size(); ++i) {
    Writer::add(backs, "reason", text_of(kTurnBackReasons[i]), metrics.counts.rollbacks[i]);
  }
  MetricFamily& ends =
      writer.open("shifter_rollouts_total", Type::counter, "Rollouts that are over.");
  for (size_t i = 0; i < kEndKinds.size(); ++i) {
    Writer::add(ends, "end", text_of(kEndKinds[i]), metrics.counts.ends[i]);
  }
  writer.scalar("shifter_notices_total", Type::counter, "Ends that somebody was told of.",
                metrics.counts.notices);
  writer.scalar("shifter_notice_failures_total", Type::counter, "Notices that did not arrive.",
                metrics.notice_failures);
  writer.scalar("shifter_judge_sessions_dropped_total", Type::counter,
                "Sessions with a fault that did not fit and were not counted: no evidence then.",
                metrics.sessions_dropped);
}

}  // namespace control
