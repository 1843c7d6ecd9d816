#include "shifter/control/judgement.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace control {
namespace {

using Json = nlohmann::json;
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

std::string missing_of(Signal signal, const JudgeInputs& inputs) {
  const double floor = floor_of(inputs.day_sessions, inputs.share);
  const ColorCounts& canary = inputs.counts.canary;
  const ColorCounts& stable = inputs.counts.stable;
  const bool has_control = inputs.has_stable && !inputs.bake;
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

SignalEvidence evidence_of(Signal signal, const JudgeInputs& inputs) {
  SignalEvidence one;
  one.signal = signal;
  one.canary_bad = inputs.counts.canary.faulty(static_cast<Fault>(signal));
  one.control_bad = inputs.counts.stable.faulty(static_cast<Fault>(signal));
  one.canary_exposed = static_cast<uint64_t>(std::llround(inputs.counts.canary.exposed()));
  one.control_exposed = static_cast<uint64_t>(std::llround(inputs.counts.stable.exposed()));
  one.e_value = inputs.evidence[at(signal)].e_value();
  one.limit = kEvidenceLimits[at(signal)];
  if (!inputs.no_floors) one.missing = missing_of(signal, inputs);
  one.enough = one.missing.empty();
  return one;
}

// The clearly broken. With a control beside it the canary must also be clearly worse than that:
// what both share, such as the database, is no fault of the canary.
std::string hard_fault(const JudgeInputs& inputs) {
  const ColorCounts& canary = inputs.counts.canary;
  const ColorCounts& stable = inputs.counts.stable;
  const bool has_control = inputs.has_stable && stable.requests > 0;
  const uint64_t sessions = canary.faulty(Fault::error);
  const double failing =
      ratio(static_cast<double>(canary.errors), static_cast<double>(canary.requests));
  const bool is_against =
      !has_control || inputs.evidence[at(Signal::error)].e_of_largest() >= kHardEvidenceLimit;
  if (sessions >= kHardSessions && failing >= kHardRatio && is_against) {
    return format("%.0f%% of %lld requests failed, for %llu sessions", failing * 100,
                  static_cast<long long>(canary.requests),
                  static_cast<unsigned long long>(sessions));
  }
  const FailureRun& run = inputs.counts.run;
  const bool stable_answers =
      !has_control || (run.stable_good >= kHardRun && run.stable_bad * 4 <= run.stable_good);
  if (run.failures >= kHardRun && run.sessions >= kHardRunSessions && stable_answers) {
    return format("%lld requests in a row failed, of %d sessions or more",
                  static_cast<long long>(run.failures), run.sessions);
  }
  if (inputs.bake && inputs.has_stable && sessions >= kHardSessions) {
    const double usual =
        upper_ratio(inputs.hour_error_ratio * inputs.hour_sessions, inputs.hour_sessions);
    const double bad = ratio(static_cast<double>(sessions), canary.exposed());
    if (inputs.hour_sessions >= kFloorLeast &&
        bad >= std::max(kBakeLeastRatio, usual * kBakeTimes)) {
      return format(
          "%.1f%% of sessions met an error; the stable color's last hour makes at most "
          "%.1f%% likely",
          bad * 100, usual * 100);
    }
  }
  return {};
}

bool is_stable_unhealthy(const JudgeInputs& inputs) {
  const ColorCounts& stable = inputs.counts.stable;
  return stable.requests >= kUnhealthyRequests &&
         ratio(static_cast<double>(stable.errors), static_cast<double>(stable.requests)) >=
             kUnhealthyRatio;
}

// Under which name each count is kept, for both directions.
struct CountName {
  const char* name;
  int64_t ColorCounts::*count;
};
constexpr CountName kCountNames[] = {
    {"requests", &ColorCounts::requests},       {"errors", &ColorCounts::errors},
    {"measured", &ColorCounts::measured},       {"slow", &ColorCounts::slow},
    {"rpc_answers", &ColorCounts::rpc_answers}, {"rpc_unknown", &ColorCounts::rpc_unknown},
    {"warm_up", &ColorCounts::warm_up},         {"warm_up_slow", &ColorCounts::warm_up_slow},
    {"p99_us", &ColorCounts::p99_us},           {"max_us", &ColorCounts::max_us},
    {"dropped", &ColorCounts::dropped},
};

Json counts_json(const ColorCounts& color) {
  Json json = {{"groups", Json::array()}};
  for (const CountName& one : kCountNames) json[one.name] = color.*one.count;
  for (const GroupCounts& group : color.groups) {
    json["groups"].push_back({{"exposed", group.exposed}, {"faulty", group.faulty}});
  }
  return json;
}

ColorCounts read_color_counts(const Json& json) {
  ColorCounts color;
  for (const CountName& one : kCountNames) json.at(one.name).get_to(color.*one.count);
  for (size_t i = 0; i < color.groups.size(); ++i) {
    const Json& group = json.at("groups").at(i);
    group.at("exposed").get_to(color.groups[i].exposed);
    group.at("faulty").get_to(color.groups[i].faulty);
  }
  return color;
}

JudgeInputs inputs_of(const Json& json) {
  JudgeInputs inputs;
  json.at("share").get_to(inputs.share);
  json.at("has_stable").get_to(inputs.has_stable);
  json.at("bake").get_to(inputs.bake);
  json.at("no_floors").get_to(inputs.no_floors);
  json.at("step").get_to(inputs.counts.step);
  inputs.counts.canary = read_color_counts(json.at("canary"));
  inputs.counts.stable = read_color_counts(json.at("stable"));
  FailureRun& run = inputs.counts.run;
  const Json& failures = json.at("run");
  failures.at("failures").get_to(run.failures);
  failures.at("sessions").get_to(run.sessions);
  failures.at("stable_good").get_to(run.stable_good);
  failures.at("stable_bad").get_to(run.stable_bad);
  for (size_t i = 0; i < inputs.evidence.size(); ++i) {
    inputs.evidence[i].restore(
        json.at("log_e").at(i).get<std::array<double, Evidence::kOdds.size()>>());
  }
  json.at("day_sessions").get_to(inputs.day_sessions);
  json.at("hour_sessions").get_to(inputs.hour_sessions);
  json.at("hour_error_ratio").get_to(inputs.hour_error_ratio);
  return inputs;
}

}  // namespace

double floor_of(double sessions_a_day, int share_percent) {
  return std::clamp(std::floor(sessions_a_day / 2 * share_percent / 100), kFloorLeast, kFloorMost);
}

Verdict verdict_of(const JudgeInputs& inputs) {
  Verdict verdict;
  for (const Signal signal : kAllSignals) verdict.signals.push_back(evidence_of(signal, inputs));
  for (const SignalEvidence& one : verdict.signals) {
    if (one.e_value < one.limit) continue;
    verdict.kind = Verdict::Kind::worse;
    verdict.reason = one.signal == Signal::error  ? Reason::error
                     : one.signal == Signal::slow ? Reason::slow
                                                  : Reason::rpc_error;
    verdict.text = line_of(one);
    if (one.signal == Signal::slow) {
      verdict.text +=
          times_of("canary", inputs.counts.canary) + times_of("stable", inputs.counts.stable);
    }
    return verdict;
  }
  if (std::string fault = hard_fault(inputs); !fault.empty()) {
    verdict.kind = Verdict::Kind::hard_limit;
    verdict.reason = Reason::hard_limit;
    verdict.text = "hard limit: " + fault;
    return verdict;
  }
  if (is_stable_unhealthy(inputs)) {
    verdict.kind = Verdict::Kind::stable_unhealthy;
    verdict.reason = Reason::stable_unhealthy;
    verdict.text = format("stable_unhealthy: %lld of %lld requests of the stable color failed",
                          static_cast<long long>(inputs.counts.stable.errors),
                          static_cast<long long>(inputs.counts.stable.requests));
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
  verdict.text += times_of("canary", inputs.counts.canary);
  return verdict;
}

std::string text_of(const JudgeInputs& inputs) {
  const FailureRun& run = inputs.counts.run;
  Json json = {{"share", inputs.share},
               {"has_stable", inputs.has_stable},
               {"bake", inputs.bake},
               {"no_floors", inputs.no_floors},
               {"step", inputs.counts.step},
               {"canary", counts_json(inputs.counts.canary)},
               {"stable", counts_json(inputs.counts.stable)},
               {"run",
                {{"failures", run.failures},
                 {"sessions", run.sessions},
                 {"stable_good", run.stable_good},
                 {"stable_bad", run.stable_bad}}},
               {"log_e", Json::array()},
               {"day_sessions", inputs.day_sessions},
               {"hour_sessions", inputs.hour_sessions},
               {"hour_error_ratio", inputs.hour_error_ratio}};
  for (const Evidence& one : inputs.evidence) json["log_e"].push_back(one.logs());
  return json.dump();
}

std::optional<JudgeInputs> read_inputs(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    return inputs_of(json);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace control
