#include "shifter/control/evidence.h"

#include <algorithm>
#include <cmath>

namespace control {
namespace {

constexpr double kLogMax = 700;  // e to this still is a double
// The canary is taken to have one session more than it has. A share that is counted varies, and one
// over it is on average too large: of a Poisson count n, 1/(n + 1) is not. Without this, whole
// rollouts gave 6 % false alarms instead of 2 (tests/support/judge).
constexpr double kOneMore = 1;

}  // namespace

void Evidence::add(const FaultEvents& events) {
  if (events.canary == 0 && events.stable == 0) return;
  // Exposure is an estimate: it never is less than what was seen.
  const auto canary = static_cast<double>(events.canary);
  const auto stable = static_cast<double>(events.stable);
  const double canary_at_risk = std::max(events.canary_at_risk, canary);
  const double stable_at_risk = std::max(events.stable_at_risk, stable);
  if (canary_at_risk <= 0 || stable_at_risk <= 0) return;
  const double share = (canary_at_risk + kOneMore) / (canary_at_risk + kOneMore + stable_at_risk);
  for (size_t i = 0; i < kOdds.size(); ++i) {
    // ln(p_r / s) and ln((1 - p_r) / (1 - s)) with p_r = r*s / (r*s + 1 - s).
    const double spread = std::log(kOdds[i] * share + 1 - share);
    const double log = logs_[i] + canary * (std::log(kOdds[i]) - spread) - stable * spread;
    logs_[i] = std::clamp(log, -kLogMax, kLogMax);
  }
}

double Evidence::e_value() const {
  double sum = 0;
  for (const double log : logs_) sum += std::exp(log);
  return sum / static_cast<double>(kOdds.size());
}

double Evidence::e_of_largest() const { return std::exp(logs_.back()); }

void Evidence::restore(const std::array<double, kOdds.size()>& logs) {
  const bool is_sound = std::all_of(logs.begin(), logs.end(), [](double log) {
    return std::isfinite(log) && std::abs(log) <= kLogMax;
  });
  logs_ = is_sound ? logs : std::array<double, kOdds.size()>{};
}

}  // namespace control
