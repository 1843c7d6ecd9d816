// All that a verdict is made of, and the verdict. Pure: the inputs of every verdict are stored, so
// that `explain` can make it again from them alone.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "proxy/routing/session_counts.h"
#include "shifter/control/evidence.h"
#include "shifter/control/verdict.h"

namespace control {

// An e-value at or above this is `worse`; in the order of Signal. One over its part of 0.05.
inline constexpr std::array<double, kSignals> kEvidenceLimits = {1 / 0.015, 1 / 0.025, 1 / 0.0075};
// With a control, a hard limit asks for this much evidence against the odds ratio of 30.
inline constexpr double kHardEvidenceLimit = 1 / 0.0025;

inline constexpr double kFloorMost = 100;  // sessions
inline constexpr double kFloorLeast = 5;
inline constexpr double kHardRatio = 0.25;  // of requests that fail
inline constexpr uint64_t kHardSessions = 10;
inline constexpr int64_t kHardRun = 20;  // failures in a row
inline constexpr int kHardRunSessions = 3;
inline constexpr double kUnhealthyRatio = 0.10;  // of the stable color's requests
inline constexpr int64_t kUnhealthyRequests = 50;

// Sessions that a step of this share needs at least, on either color.
double floor_of(double sessions_a_day, int share_percent);

struct JudgeInputs {
  int share = 0;  // percent of new users that the canary gets, as asked
  bool has_stable = false;
  bool bake = false;
  bool no_floors = false;
  routing::SessionCounts counts;            // since the step began
  std::array<Evidence, kSignals> evidence;  // of the whole rollout
  double day_sessions = 0;                  // of the stable color: what its day is like
  double hour_sessions = 0;                 // its last hour
  double hour_error_ratio = 0;              // of those sessions
};

// Without `inputs` of its own.
Verdict verdict_of(const JudgeInputs& inputs);
// One JSON object of at most 2 KiB; and back: nothing where the text is not that.
std::string text_of(const JudgeInputs& inputs);
std::optional<JudgeInputs> read_inputs(const std::string& text);

}  // namespace control
