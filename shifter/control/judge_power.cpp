#include "shifter/control/judge_power.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>

#include "shifter/control/evidence.h"
#include "shifter/control/judge.h"

namespace control {
namespace {

constexpr int kTrials = 200;
constexpr int kLooks = 4;  // at the evidence, within a step
constexpr uint64_t kSeed = 7;
constexpr std::array<double, 9> kCandidates = {1.5, 2, 3, 5, 10, 30, 100, 300, 1000};  // odds

struct StepSize {
  int canary = 0;  // sessions in a look
  int stable = 0;
};

double with_odds(double ratio, double odds) { return odds * ratio / (1 - ratio + odds * ratio); }

std::vector<StepSize> sizes_of(double a_day, const std::vector<int>& shares,
                               PowerFigures& figures) {
  std::vector<StepSize> sizes;
  const double an_hour = a_day / 24;
  for (const int share : shares) {
    if (share <= 0 || share >= 100) continue;
    const double part = share / 100.0;
    const double least_hours = static_cast<double>(kStepMin.count()) / 3.6e6;
    const double wanted = floor_of(a_day, share);
    const double hours = an_hour > 0 ? std::max(wanted / (an_hour * part), least_hours) : 1e9;
    figures.step_hours.push_back(hours);
    const double canary = std::min(an_hour * part * hours, 1e6);
    sizes.push_back({static_cast<int>(std::ceil(canary / kLooks)),
                     static_cast<int>(std::ceil(canary * (1 - part) / part / kLooks))});
  }
  return sizes;
}

bool is_found_once(const std::vector<StepSize>& sizes, double usual, double canary_ratio,
                   double limit, std::mt19937_64& random) {
  Evidence evidence;
  for (const StepSize& size : sizes) {
    std::binomial_distribution<int> canary(size.canary, canary_ratio);
    std::binomial_distribution<int> stable(size.stable, usual);
    double canary_seen = 0;
    double stable_seen = 0;
    for (int look = 0; look < kLooks; ++look) {
      FaultEvents events;
      events.canary = static_cast<uint64_t>(canary(random));
      events.stable = static_cast<uint64_t>(stable(random));
      events.canary_at_risk = (look + 1) * size.canary - canary_seen;
      events.stable_at_risk = (look + 1) * size.stable - stable_seen;
      evidence.add(events);
      canary_seen += static_cast<double>(events.canary);
      stable_seen += static_cast<double>(events.stable);
      if (evidence.e_value() >= limit) return true;
    }
  }
  return false;
}

Found smallest_found(const std::vector<StepSize>& sizes, double usual, double limit) {
  Found found;
  found.usual = usual;
  std::mt19937_64 random(kSeed);
  for (const double odds : kCandidates) {
    const double ratio = with_odds(usual, odds);
    int times = 0;
    for (int trial = 0; trial < kTrials; ++trial) {
      if (is_found_once(sizes, usual, ratio, limit, random)) ++times;
    }
    if (times >= kFoundShare * kTrials) {
      found.smallest = ratio;
      return found;
    }
  }
  return found;
}

std::string line(const char* pattern, double first, double second = 0) {
  std::array<char, 200> text;
  const int length = std::snprintf(text.data(), text.size(), pattern, first, second);
  return {text.data(), std::min(static_cast<size_t>(std::max(length, 0)), text.size() - 1)};
}

}  // namespace

PowerFigures power_figures(const Traffic& day, const std::vector<int>& shares) {
  PowerFigures figures;
  figures.sessions_a_day = sessions_a_day(day);
  const std::vector<StepSize> sizes = sizes_of(figures.sessions_a_day, shares, figures);
  for (size_t signal = 0; signal < kSignals; ++signal) {
    // A fault that never was seen is taken as half a session of those that were.
    const double least = day.sessions > 0 ? 0.5 / day.sessions : 0.5;
    const double usual = std::clamp(day.faulty_ratio[signal], std::min(least, 0.5), 0.9);
    figures.found[signal] = smallest_found(sizes, usual, kEvidenceLimits[signal]);
  }
  return figures;
}

JudgeView::Power power_of(const Traffic& day, const std::vector<int>& shares) {
  const PowerFigures figures = power_figures(day, shares);
  JudgeView::Power power;
  power.recorded = day.hours >= kWholeDayHours;
  const Found& error = figures.found[static_cast<size_t>(Signal::error)];
  const bool has_steps = !figures.step_hours.empty();
  double hours = 0;
  double longest = 0;
  for (const double step : figures.step_hours) {
    hours += step;
    longest = std::max(longest, step);
  }
  power.weak = !has_steps || longest > 24 || error.smallest <= 0 || error.smallest > kWeakRatio;
  power.text = power.recorded
                   ? line("At yesterday's traffic, %.0f sessions a day:\n", figures.sessions_a_day)
                   : line(
                         "No day is recorded yet. At the traffic of the last %.1f hours, as %.0f "
                         "sessions a day:\n",
                         day.hours, figures.sessions_a_day);
  constexpr std::array<const char*, kSignals> kWords = {"errors", "slow requests",
                                                        "JSON-RPC errors"};
  for (size_t signal = 0; signal < kSignals; ++signal) {
    const Found& found = figures.found[signal];
    power.text += std::string("  ") + kWords[signal];
    power.text += found.smallest > 0
                      ? line(": found before 100 if they meet %.1f%% of sessions (usual: %.1f%%)\n",
                             found.smallest * 100, found.usual * 100)
                      : line(": no rise is found before 100 (usual: %.1f%%)\n", found.usual * 100);
  }
  if (!has_steps) {
    power.text += "  no step below 100: nothing is compared\n";
  } else if (longest > kHoldMaxHours) {
    power.text += line(
        "  a step needs about %.1f hours of average traffic for its sessions: begin "
        "when traffic is high, or with a larger step\n",
        longest);
  } else {
    power.text += line("  the steps take about %.1f hours of average traffic\n", hours);
  }
  return power;
}

}  // namespace control
