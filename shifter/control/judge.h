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
#include "shifter/control/evidence.h"
#include "shifter/control/traffic_history.h"
#include "shifter/control/verdict.h"

namespace control {

// An e-value at or above this is `worse`; in the order of Signal. One over its part of 0.05.
inline constexpr std::array<double, kSignals> kEvidenceLimits = {1 / 0.015, 1 / 0.025, 1 / 0.0075};
// With a control, a hard limit asks for this much evidence against the odds ratio of 30.
inline constexpr double kHardEvidenceLimit = 1 / 0.0025;

inline constexpr base::Millis kStepMin{300'000};  // the rollout's; here only to foretell times
inline constexpr double kFloorMost = 100;         // sessions
inline constexpr double kFloorLeast = 5;
inline constexpr double kHardRatio = 0.25;  // of requests that fail
inline constexpr uint64_t kHardSessions = 10;
inline constexpr int64_t kHardRun = 20;  // failures in a row
inline constexpr int kHardRunSessions = 3;
inline constexpr double kUnhealthyRatio = 0.10;  // of the stable color's requests
inline constexpr int64_t kUnhealthyRequests = 50;

// Sessions that a step of this share needs at least, on either color.
double floor_of(double sessions_a_day, int share_percent);

class Judge final : public JudgeView {
 public:
  explicit Judge(const TrafficHistory& history) : history_(history) {}

  // Counts since the step began. Those of another step are not looked at.
  void observe(const routing::SessionCounts& counts);
  const routing::SessionCounts& counts() const { return counts_; }
  double e_value(Signal signal) const { return evidence_[static_cast<size_t>(signal)].e_value(); }

  // JudgeView
  void start_step(const StepFacts& step) override;
  Verdict look(const StepFacts& step) override;
  void stop() override;
  std::string save() const override;
  void restore(const std::string& saved) override;
  Power power(routing::ColorIndex stable, const std::vector<int>& shares) const override;
  std::string stable_fault(routing::ColorIndex stable, base::Instant now) const override;

 private:
  SignalEvidence evidence_of(Signal signal, const StepFacts& step) const;
  std::string missing_of(Signal signal, const StepFacts& step) const;
  std::string hard_fault(const StepFacts& step) const;
  bool is_stable_unhealthy() const;

  const TrafficHistory& history_;
  uint64_t step_ = 0;  // its epoch; 0: none
  std::array<Evidence, kSignals> evidence_;
  routing::SessionCounts counts_;  // as of the last observe()
};

}  // namespace control
