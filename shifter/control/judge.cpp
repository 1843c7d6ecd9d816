#include "shifter/control/judge.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "shifter/control/judge_power.h"

namespace control {
namespace {

using routing::ColorCounts;
using routing::FailureRun;
using routing::Fault;
using routing::GroupCounts;

constexpr std::array<Signal, kSignals> kAllSignals = {Signal::error, Signal::slow,
                                                      Signal::rpc_error};
static_assert(static_cast<int>(Signal::error) == static_cast<int>(Fault::error));
static_assert(static_cast<int>(Signal::slow) == static_cast<int>(Fault::slow));
static_assert(static_cast<int>(Signal::rpc_error) == static_cast<int>(Fault::rpc_error));

constexpr double kMeasuredShare = 0.5;  // of JSON-RPC answers, whose outcome could be told
constexpr double kBakeLeastRatio = 0.05;
constexpr double kBakeTimes = 3;  // above what the last hour makes likely

size_t at(Signal signal) { return static_cast<size_t>(signal); }

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 256> text;
  const int length = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), std::min(static_cast<size_t>(std::max(length, 0)), text.size() - 1)};
}

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

// The upper end of what a ratio may be, seen `part` of `whole` (Wilson, 97.5 %).
double upper_ratio(double part, double whole) {
  if (whole <= 0) return 1;
  constexpr double z = 1.96;
  const double p = part / whole;
  const double middle = p + z * z / (2 * whole);
  const double half = z * std::sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole));
  return (middle + half) / (1 + z * z / whole);
}

bool is_enough(double seen, double floor) { return seen >= floor - 0.5; }  // seen is an estimate

std::string line_of(const SignalEvidence& one) {
  std::string text = std::string(text_of(one.signal)) + ": canary " +
                     std::to_string(one.canary_bad) + "/" + std::to_string(one.canary_exposed) +
                     ", stable " + std::to_string(one.control_bad) + "/" +
                     std::to_string(one.control_exposed);
  text += format(" sessions, e %.3g, limit %.3g", one.e_value, one.limit);
  return text;
}

std::string times_of(const char* name, const ColorCounts& color) {
  return format("; %s p99 %.2f s, most %.2f s", name, static_cast<double>(color.p99_us) / 1e6,
                static_cast<double>(color.max_us) / 1e6);
}

}  // namespace

double floor_of(double sessions_a_day, int share_percent) {
  return std::clamp(std::floor(sessions_a_day / 2 * share_percent / 100), kFloorLeast, kFloorMost);
}

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

std::string Judge::missing_of(Signal signal, const StepFacts& step) const {
  const double floor = floor_of(sessions_a_day(history_.last_day(step.stable)), step.share);
  const ColorCounts& canary = counts_.canary;
  const ColorCounts& stable = counts_.stable;
  const bool has_control = step.stable != routing::kNoColor && !step.bake;
  if (!is_enough(canary.exposed(), floor)) {
    return format("%.0f/%.0f sessions", canary.exposed(), floor);
  }
  if (has_control && !is_enough(stable.exposed(), floor)) {
    return format("%.0f/%.0f sessions of the stable color", stable.exposed(), floor);
  }
  if (canary.dropped + stable.dropped > 0) {
    return format("%lld faulty sessions did not fit and were not counted",
                  static_cast<long long>(canary.dropped + stable.dropped));
  }
  if (signal == Signal::slow) {
    // A session has at least one request.
    if (!is_enough(static_cast<double>(canary.measured), floor)) {
      return format("%lld/%.0f requests after the warm-up", static_cast<long long>(canary.measured),
                    floor);
    }
  }
  if (signal == Signal::rpc_error) {
    const bool is_spoken = stable.rpc_answers + canary.rpc_answers + canary.rpc_unknown > 0;
    const auto told = static_cast<double>(canary.rpc_answers);
    const auto all = static_cast<double>(canary.rpc_answers + canary.rpc_unknown);
    if (is_spoken && all <= 0) return "no JSON-RPC answer of the canary";
    if (is_spoken && told < all * kMeasuredShare) {
      return format("the outcome of %.0f of %.0f JSON-RPC answers could not be told", all - told,
                    all);
    }
  }
  return {};
}

SignalEvidence Judge::evidence_of(Signal signal, const StepFacts& step) const {
  SignalEvidence one;
  one.signal = signal;
  one.canary_bad = counts_.canary.faulty(static_cast<Fault>(signal));
  one.control_bad = counts_.stable.faulty(static_cast<Fault>(signal));
  one.canary_exposed = static_cast<uint64_t>(std::llround(counts_.canary.exposed()));
  one.control_exposed = static_cast<uint64_t>(std::llround(counts_.stable.exposed()));
  one.e_value = evidence_[at(signal)].e_value();
  one.limit = kEvidenceLimits[at(signal)];
  if (!step.no_floors) one.missing = missing_of(signal, step);
  one.enough = one.missing.empty();
  return one;
}

// The clearly broken. With a control beside it the canary must also be clearly worse than that:
// what both share, such as the database, is no fault of the canary.
std::string Judge::hard_fault(const StepFacts& step) const {
  const ColorCounts& canary = counts_.canary;
  const ColorCounts& stable = counts_.stable;
  const bool has_control = step.stable != routing::kNoColor && stable.requests > 0;
  const uint64_t sessions = canary.faulty(Fault::error);
  const double failing =
      ratio(static_cast<double>(canary.errors), static_cast<double>(canary.requests));
  const bool is_against =
      !has_control || evidence_[at(Signal::error)].e_of_largest() >= kHardEvidenceLimit;
  if (sessions >= kHardSessions && failing >= kHardRatio && is_against) {
    return format("%.0f%% of %lld requests failed, for %llu sessions", failing * 100,
                  static_cast<long long>(canary.requests),
                  static_cast<unsigned long long>(sessions));
  }
  const FailureRun& run = counts_.run;
  const bool stable_answers =
      !has_control || (run.stable_good >= kHardRun && run.stable_bad * 4 <= run.stable_good);
  if (run.failures >= kHardRun && run.sessions >= kHardRunSessions && stable_answers) {
    return format("%lld requests in a row failed, of %d sessions or more",
                  static_cast<long long>(run.failures), run.sessions);
  }
  if (step.bake && step.stable != routing::kNoColor && sessions >= kHardSessions) {
    const Traffic hour = history_.last_hour(step.stable);
    const double usual =
        upper_ratio(hour.faulty_ratio[at(Signal::error)] * hour.sessions, hour.sessions);
    const double bad = ratio(static_cast<double>(sessions), canary.exposed());
    if (hour.sessions >= kFloorLeast && bad >= std::max(kBakeLeastRatio, usual * kBakeTimes)) {
      return format(
          "%.1f%% of sessions met an error; the stable color's last hour makes at most "
          "%.1f%% likely",
          bad * 100, usual * 100);
    }
  }
  return {};
}

bool Judge::is_stable_unhealthy() const {
  const ColorCounts& stable = counts_.stable;
  return stable.requests >= kUnhealthyRequests &&
         ratio(static_cast<double>(stable.errors), static_cast<double>(stable.requests)) >=
             kUnhealthyRatio;
}

Verdict Judge::look(const StepFacts& step) {
  Verdict verdict;
  for (const Signal signal : kAllSignals) verdict.signals.push_back(evidence_of(signal, step));
  for (const SignalEvidence& one : verdict.signals) {
    if (one.e_value < one.limit) continue;
    verdict.kind = Verdict::Kind::worse;
    verdict.reason = one.signal == Signal::error  ? Reason::error
                     : one.signal == Signal::slow ? Reason::slow
                                                  : Reason::rpc_error;
    verdict.text = line_of(one);
    if (one.signal == Signal::slow) {
      verdict.text += times_of("canary", counts_.canary) + times_of("stable", counts_.stable);
    }
    return verdict;
  }
  if (std::string fault = hard_fault(step); !fault.empty()) {
    verdict.kind = Verdict::Kind::hard_limit;
    verdict.reason = Reason::hard_limit;
    verdict.text = "hard limit: " + fault;
    return verdict;
  }
  if (is_stable_unhealthy()) {
    verdict.kind = Verdict::Kind::stable_unhealthy;
    verdict.reason = Reason::stable_unhealthy;
    verdict.text = format("stable_unhealthy: %lld of %lld requests of the stable color failed",
                          static_cast<long long>(counts_.stable.errors),
                          static_cast<long long>(counts_.stable.requests));
    return verdict;
  }
  for (const SignalEvidence& one : verdict.signals) {
    if (one.enough) continue;
    verdict.text = "no_evidence(" + std::string(text_of(one.signal)) + "): " + one.missing;
    return verdict;
  }
  verdict.kind = Verdict::Kind::good;
  verdict.reason = Reason::none;
  for (const SignalEvidence& one : verdict.signals) {
    verdict.text += (verdict.text.empty() ? "" : "; ") + line_of(one);
  }
  verdict.text += times_of("canary", counts_.canary);
  return verdict;
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
  const double failing =
      ratio(static_cast<double>(hour.errors), static_cast<double>(hour.requests));
  if (hour.requests < kUnhealthyRequests || failing < kUnhealthyRatio) return {};
  return format("%.0f%% of the last hour's %lld requests failed", failing * 100,
                static_cast<long long>(hour.requests));
}

}  // namespace control
