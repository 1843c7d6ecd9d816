// Is the canary worse than the stable color? Counts of sessions in, a verdict out. No clock, no
// I/O: whoever asks the workers hands their counts to observe(). Main thread.
//
// False alarms of a whole rollout stay at or below 0.05, whenever and however often one looks: the
// e-values are carried over its steps, while floors start anew with each. Of the 0.05, slowness has
// 0.025; errors have 0.025, shared with JSON-RPC errors and the hard limits.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "proxy/routing/session_counts.h"
#include "shifter/control/judgement.h"
#include "shifter/control/traffic_history.h"
#include "shifter/control/verdict.h"

namespace control {

inline constexpr base::Millis kStepMin{300'000};  // the rollout's; here only to foretell times

class Judge final : public JudgeView {
 public:
  explicit Judge(const TrafficHistory& history) : history_(history) {}

  // Counts since the step began. Those of another step are not looked at.
  void observe(const routing::SessionCounts& counts);
  const routing::SessionCounts& counts() const { return counts_; }
  double e_value(Signal signal) const { return evidence_[static_cast<size_t>(signal)].e_value(); }

  // JudgeView
  void start_step(const StepFacts& step) override;
  Verdict look(const StepFacts& step) override { return verdict_of(inputs_of(step)); }
  std::string inputs(const StepFacts& step) const override { return text_of(inputs_of(step)); }
  void stop() override;
  std::string save() const override;
  void restore(const std::string& saved) override;
  Power power(routing::ColorIndex stable, const std::vector<int>& shares) const override;
  std::string stable_fault(routing::ColorIndex stable, base::Instant now) const override;

 private:
  JudgeInputs inputs_of(const StepFacts& step) const;

  const TrafficHistory& history_;
  uint64_t step_ = 0;  // its epoch; 0: none
  std::array<Evidence, kSignals> evidence_;
  routing::SessionCounts counts_;  // as of the last observe()
};

}  // namespace control
