#include "shifter/control/judge_replay.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "shifter/control/evidence.h"
#include "shifter/control/judge.h"

namespace control {
namespace {

std::vector<int> compared(const std::vector<int>& shares) {
  std::vector<int> below;
  for (const int share : shares) {
    if (share > 0 && share < 100) below.push_back(share);
  }
  return below;
}

}  // namespace

std::vector<Replayer::Stretch> Replayer::stretches_of(const TrafficRecord& record,
                                                      routing::ColorIndex color) {
  std::vector<Stretch> stretches;
  std::map<uint64_t, TrafficEntry> last;  // by segment
  for (const TrafficEntry& entry : record.entries()) {
    if (entry.color != color) continue;
    const auto known = last.find(entry.segment);
    TrafficEntry before;
    before.wall_s = entry.since_s;
    if (known != last.end()) before = known->second;
    last[entry.segment] = entry;
    Stretch stretch;
    stretch.hours = static_cast<double>(entry.wall_s - before.wall_s) / 3'600;
    stretch.sessions =
        std::max(static_cast<double>(entry.sessions) - static_cast<double>(before.sessions), 0.0);
    for (size_t i = 0; i < kSignals && entry.sessions > 0; ++i) {
      stretch.faulty_ratio[i] =
          std::min(static_cast<double>(entry.faulty[i]) / static_cast<double>(entry.sessions), 1.0);
    }
    if (stretch.hours > 0) stretches.push_back(stretch);
  }
  return stretches;
}

// The steps by expectation: no chance is in it.
std::vector<ReplayedStep> Replayer::walk(double a_day, const std::vector<int>& shares) const {
  std::vector<ReplayedStep> steps;
  size_t at = 0;
  for (const int share : shares) {
    ReplayedStep step;
    step.share = share;
    const double floor = floor_of(a_day, share);
    while (at < day_.size() && !step.is_reached) {
      step.hours += day_[at].hours;
      step.sessions += day_[at].sessions * share / 100;
      const double least = static_cast<double>(kStepMin.count()) / 3.6e6;
      step.is_reached = step.sessions >= floor && step.hours >= least - 1e-9;
      ++at;
    }
    steps.push_back(step);
    if (!step.is_reached) break;
  }
  return steps;
}

bool Replayer::is_rolled_back(double worse) {
  std::array<Evidence, kSignals> evidence;
  size_t at = 0;
  for (const ReplayedStep& step : replay_.steps) {
    std::array<FaultEvents, kSignals> seen{};
    double hours = 0;
    for (; at < day_.size() && hours < step.hours - 1e-9; ++at) {
      hours += day_[at].hours;
      const auto all = static_cast<int>(day_[at].sessions);
      const int canary = std::binomial_distribution<int>(all, step.share / 100.0)(random_);
      for (size_t signal = 0; signal < kSignals; ++signal) {
        const double ratio = day_[at].faulty_ratio[signal];
        FaultEvents events;
        const double of_canary = std::min(ratio * worse, 1.0);
        events.canary =
            static_cast<uint64_t>(std::binomial_distribution<int>(canary, of_canary)(random_));
        events.stable =
            static_cast<uint64_t>(std::binomial_distribution<int>(all - canary, ratio)(random_));
        seen[signal].canary_at_risk += canary;
        seen[signal].stable_at_risk += all - canary;
        events.canary_at_risk = seen[signal].canary_at_risk;
        events.stable_at_risk = seen[signal].stable_at_risk;
        seen[signal].canary_at_risk -= static_cast<double>(events.canary);
        seen[signal].stable_at_risk -= static_cast<double>(events.stable);
        evidence[signal].add(events);
        if (evidence[signal].e_value() >= kEvidenceLimits[signal]) return true;
      }
    }
  }
  return false;
}

Replayer::Replayer(const TrafficRecord& record, routing::ColorIndex color,
                   const std::vector<int>& shares, double worse, uint64_t seed)
    : day_(stretches_of(record, color)), random_(seed) {
  const Traffic day = record.last_day(color);
  replay_.recorded_hours = day.hours;
  replay_.worse = worse;
  replay_.steps = walk(sessions_a_day(day), compared(shares));
}

void Replayer::run(int runs) {
  for (int i = 0; i < runs; ++i) {
    ++replay_.runs;
    if (is_rolled_back(1)) ++replay_.false_rollbacks;
    if (is_rolled_back(replay_.worse)) ++replay_.found;
  }
}

std::string text_of(const Replay& replay) {
  std::string text;
  std::array<char, 160> line;
  for (const ReplayedStep& step : replay.steps) {
    std::snprintf(line.data(), line.size(), "%3d %%: %s after %.1f hours, %.0f canary sessions\n",
                  step.share, step.is_reached ? "floors met" : "not met", step.hours,
                  step.sessions);
    text += line.data();
  }
  if (replay.steps.empty()) text += "no step below 100: nothing is compared\n";
  std::snprintf(line.data(), line.size(),
                "equal colors: %d of %d replays rolled back\n"
                "faults %g times as often: %d of %d",
                replay.false_rollbacks, replay.runs, replay.worse, replay.found, replay.runs);
  return text + line.data();
}

}  // namespace control
