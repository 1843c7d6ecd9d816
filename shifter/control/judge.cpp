#include "shifter/control/judge.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "shifter/control/judge_power.h"

namespace control {
namespace {

using routing::ColorCounts;
using routing::GroupCounts;

// Is every count at least what it was? Otherwise they began anew.
bool is_continued(const ColorCounts& before, const ColorCounts& now) {
  for (size_t group = 0; group < before.groups.size(); ++group) {
    for (size_t fault = 0; fault < routing::kFaults; ++fault) {
      if (now.groups[group].faulty[fault] < before.groups[group].faulty[fault]) return false;
    }
  }
  return true;
}

// Who could have shown the fault first since the last look.
double at_risk(const GroupCounts& before, const GroupCounts& now, size_t fault) {
  return std::max(now.exposed - static_cast<double>(before.faulty[fault]), 0.0);
}

}  // namespace

void Judge::start_step(const StepFacts& step) {
  if (step.number <= 1 && step.epoch != step_) evidence_ = {};
  step_ = step.epoch;
  counts_ = {};
  counts_.step = step_;
}

void Judge::stop() {
  step_ = 0;
  evidence_ = {};
  counts_ = {};
}

void Judge::observe(const routing::SessionCounts& counts) {
  if (step_ == 0 || counts.step != step_) return;
  // Of faulty sessions that no longer fit, the stable color's would be missed more often: nothing
  // is learnt from then on, and look() says so.
  const bool is_whole = counts.canary.dropped == 0 && counts.stable.dropped == 0;
  const bool continues =
      is_continued(counts_.canary, counts.canary) && is_continued(counts_.stable, counts.stable);
  for (size_t signal = 0; signal < kSignals && is_whole && continues; ++signal) {
    for (size_t group = 0; group < routing::kGroups; ++group) {
      const GroupCounts& canary = counts.canary.groups[group];
      const GroupCounts& stable = counts.stable.groups[group];
      const GroupCounts& canary_before = counts_.canary.groups[group];
      const GroupCounts& stable_before = counts_.stable.groups[group];
      FaultEvents events;
      events.canary = canary.faulty[signal] - canary_before.faulty[signal];
      events.stable = stable.faulty[signal] - stable_before.faulty[signal];
      events.canary_at_risk = at_risk(canary_before, canary, signal);
      events.stable_at_risk = at_risk(stable_before, stable, signal);
      evidence_[signal].add(events);
    }
  }
  counts_ = counts;
}

JudgeInputs Judge::inputs_of(const StepFacts& step) const {
  JudgeInputs inputs;
  inputs.share = step.share;
  inputs.has_stable = step.stable != routing::kNoColor;
  inputs.bake = step.bake;
  inputs.no_floors = step.no_floors;
  inputs.counts = counts_;
  inputs.evidence = evidence_;
  inputs.day_sessions = sessions_a_day(history_.last_day(step.stable));
  const Traffic hour = history_.last_hour(step.stable);
  inputs.hour_sessions = hour.sessions;
  inputs.hour_error_ratio = hour.faulty_ratio[static_cast<size_t>(Signal::error)];
  return inputs;
}

std::string Judge::save() const {
  nlohmann::json saved = {{"step", step_}, {"log_e", nlohmann::json::array()}};
  for (const Evidence& one : evidence_) saved["log_e"].push_back(one.logs());
  return saved.dump();
}

void Judge::restore(const std::string& saved) {
  stop();
  const nlohmann::json read = nlohmann::json::parse(saved, nullptr, false);
  if (!read.is_object() || !read.contains("step") || !read["step"].is_number_unsigned()) return;
  if (!read.contains("log_e") || !read["log_e"].is_array()) return;
  if (read["log_e"].size() != kSignals) return;
  std::array<Evidence, kSignals> evidence;
  for (size_t signal = 0; signal < kSignals; ++signal) {
    const nlohmann::json& logs = read["log_e"][signal];
    if (!logs.is_array() || logs.size() != Evidence::kOdds.size()) return;
    std::array<double, Evidence::kOdds.size()> values;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!logs[i].is_number()) return;
      values[i] = logs[i].get<double>();
    }
    evidence[signal].restore(values);
  }
  step_ = read["step"].get<uint64_t>();
  evidence_ = evidence;
}

JudgeView::Power Judge::power(routing::ColorIndex stable, const std::vector<int>& shares) const {
  return power_of(history_.last_day(stable), shares);
}

std::string Judge::stable_fault(routing::ColorIndex stable, base::Instant /*now*/) const {
  const Traffic hour = history_.last_hour(stable);
  if (hour.requests < kUnhealthyRequests) return {};
  const double failing = static_cast<double>(hour.errors) / static_cast<double>(hour.requests);
  if (failing < kUnhealthyRatio) return {};
  return std::to_string(std::lround(failing * 100)) + "% of the last hour's " +
         std::to_string(hour.requests) + " requests failed";
}

}  // namespace control
