// What a canary can find before it starts: the smallest rise of each fault that the judge would
// notice before 100 %, at the traffic of a recorded day, and how long the steps take. Pure; the few
// hundred seeded trials behind it take some milliseconds.
#pragma once

#include <array>
#include <vector>

#include "shifter/control/traffic_history.h"
#include "shifter/control/verdict.h"

namespace control {

inline constexpr double kFoundShare = 0.8;  // of trials: then it counts as found
inline constexpr double kWeakRatio = 0.5;   // nothing smaller is found: the canary shows nothing
inline constexpr double kHoldMaxHours = 4;  // longer steps are told

struct Found {
  double usual = 0;     // ratio of sessions with the fault
  double smallest = 0;  // that is found; 0: none
};

struct PowerFigures {
  double sessions_a_day = 0;
  std::vector<double> step_hours;  // of each share below 100
  std::array<Found, kSignals> found;
};

PowerFigures power_figures(const Traffic& day, const std::vector<int>& shares);
JudgeView::Power power_of(const Traffic& day, const std::vector<int>& shares);

}  // namespace control
