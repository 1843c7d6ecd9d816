#include "tests/support/judge/trial.h"

#include <algorithm>
#include <cmath>

namespace judge_trials {
namespace {

using control::Judge;
using control::StepFacts;
using control::Verdict;
using routing::ColorCounts;
using routing::Fault;

constexpr double kHoldMax_s = 4 * 3'600;
constexpr double kFloorLook_s = 10;
constexpr double kSpare_s = 1e9;

base::Instant at(double seconds) {
  return base::Instant(std::chrono::nanoseconds(static_cast<int64_t>(seconds * 1e9)));
}

// A day like this traffic.
class SteadyHistory final : public control::TrafficHistory {
 public:
  explicit SteadyHistory(const Truth& truth) {
    day_.hours = 24;
    day_.sessions = truth.requests_s / kRequestsOfSession * 86'400;
  }
  control::Traffic last_day(routing::ColorIndex) const override { return day_; }
  control::Traffic last_hour(routing::ColorIndex) const override { return {}; }

 private:
  control::Traffic day_;
};

// Counts a step as the workers do.
class StepCounts {
 public:
  explicit StepCounts(uint64_t step) { counts_.step = step; }

  // True: something that may change a verdict.
  bool add(const Request& request) {
    ColorCounts& color = request.is_canary ? counts_.canary : counts_.stable;
    const bool failed = request.faults[static_cast<size_t>(Fault::error)];
    ++color.requests;
    ++color.measured;
    ++color.rpc_answers;
    if (failed) ++color.errors;
    note_run(request, failed);
    if (!request.is_counted) return failed;
    routing::GroupCounts& group = color.groups[static_cast<size_t>(request.group)];
    if (request.session >= seen_.size()) seen_.resize(request.session * 2 + 64);
    uint8_t& seen = seen_[request.session];
    if (seen == 0) {
      group.exposed += 1;
      seen = 1;
    }
    bool is_new = failed;
    for (size_t fault = 0; fault < request.faults.size(); ++fault) {
      const auto bit = static_cast<uint8_t>(2u << fault);
      if (!request.faults[fault] || (seen & bit) != 0) continue;
      seen = static_cast<uint8_t>(seen | bit);
      ++group.faulty[fault];
      is_new = true;
    }
    return is_new;
  }
  const routing::SessionCounts& counts() const { return counts_; }

 private:
  void note_run(const Request& request, bool failed) {
    routing::FailureRun& run = counts_.run;
    if (!request.is_canary) {
      ++(failed ? run.stable_bad : run.stable_good);
      return;
    }
    if (!failed) {
      run = {};
      failing_.clear();
      return;
    }
    if (run.failures == 0) run = {};
    ++run.failures;
    if (failing_.size() < 8 &&
        std::find(failing_.begin(), failing_.end(), request.session) == failing_.end()) {
      failing_.push_back(request.session);
    }
    run.sessions = static_cast<int>(failing_.size());
  }

  routing::SessionCounts counts_;
  std::vector<uint8_t> seen_;  // by serial: 1 exposed, then a bit for each fault
  std::vector<uint32_t> failing_;
};

// The two other rules: requests, not sessions, once a minute.
class OtherRules {
 public:
  explicit OtherRules(Outcome& outcome) : outcome_(outcome) {}

  void add(const Request& request) {
    while (request.at_s >= minute_end_s_) {
      look();
      minute_end_s_ += 60;
    }
    const bool failed = request.faults[static_cast<size_t>(Fault::error)];
    const size_t color = request.is_canary ? 1 : 0;
    all_[color] += 1;
    if (failed) bad_[color] += 1;
    if (request.is_canary) {
      minute_all_ += 1;
      if (failed) minute_bad_ += 1;
    }
  }

 private:
  void look() {
    // Two proportions, one-sided, p < 0.05.
    if (!outcome_.z_s && all_[0] > 0 && all_[1] > 0) {
      const double pooled = (bad_[0] + bad_[1]) / (all_[0] + all_[1]);
      const double spread = std::sqrt(pooled * (1 - pooled) * (1 / all_[0] + 1 / all_[1]));
      const double z = spread > 0 ? (bad_[1] / all_[1] - bad_[0] / all_[0]) / spread : 0;
      if (z > 1.645) outcome_.z_s = minute_end_s_;
    }
    if (minute_all_ > 0 && minute_bad_ / minute_all_ > 0.01) ++failed_checks_;
    if (!outcome_.threshold_s && failed_checks_ >= 5) outcome_.threshold_s = minute_end_s_;
    minute_all_ = minute_bad_ = 0;
  }

  Outcome& outcome_;
  double minute_end_s_ = 60;
  std::array<double, 2> all_{};
  std::array<double, 2> bad_{};
  double minute_all_ = 0;
  double minute_bad_ = 0;
  int failed_checks_ = 0;
};

bool is_rollback(const Verdict& verdict) {
  return verdict.kind == Verdict::Kind::worse || verdict.kind == Verdict::Kind::hard_limit;
}

uint64_t faulty_of(const Verdict& verdict) {
  const control::Reason reason = verdict.reason;
  const size_t signal = reason == control::Reason::slow        ? 1
                        : reason == control::Reason::rpc_error ? 2
                                                               : 0;
  return verdict.signals[signal].canary_bad;
}

class Trial {
 public:
  Trial(const Plan& plan, uint64_t seed)
      : plan_(plan),
        history_(plan.truth),
        judge_(history_),
        traffic_(plan.truth, seed),
        others_(outcome_) {}

  Outcome run() {
    double from_s = 0;
    for (size_t step = 0; step < plan_.shares.size(); ++step) {
      const double end_s = run_step(static_cast<int>(step) + 1, from_s);
      if (outcome_.rolled_back_s || end_s >= kSpare_s) return outcome_;
      outcome_.steps_s.push_back(end_s - from_s);
      from_s = end_s;
    }
    outcome_.is_through = true;
    return outcome_;
  }

 private:
  // Until it is good, rolled back or over; the time then, or kSpare_s.
  double run_step(int number, double from_s) {
    const int share = plan_.shares[static_cast<size_t>(number) - 1];
    const bool is_ladder = plan_.shares.size() > 1;
    StepFacts step;
    step.epoch = static_cast<uint64_t>(number);
    step.number = number;
    step.share = share;
    step.canary = 1;
    step.stable = 0;
    step.started = at(from_s);
    judge_.start_step(step);
    traffic_.set_share(share / 100.0);
    StepCounts counts(step.epoch);
    const double end_s = is_ladder ? from_s + kHoldMax_s : plan_.end_s;
    double look_s = from_s + kFloorLook_s;
    // Once a second the workers are asked; the judge looks if something was new.
    double tick_s = std::floor(from_s) + 1;
    bool is_new = false;
    while (traffic_.next_at_s() < end_s) {
      if (traffic_.next_at_s() >= tick_s) {
        if (!outcome_.rolled_back_s && (is_new || (is_ladder && tick_s >= look_s))) {
          look_s = tick_s + kFloorLook_s;
          is_new = false;
          if (look(step, counts, tick_s) && is_ladder) return tick_s;
          if (outcome_.rolled_back_s && !plan_.others) return tick_s;
        }
        tick_s = std::floor(traffic_.next_at_s()) + 1;
      }
      const Request request = traffic_.next();
      if (counts.add(request)) is_new = true;
      if (plan_.others) others_.add(request);
    }
    return is_ladder ? kSpare_s : end_s;
  }

  // True: good.
  bool look(StepFacts& step, const StepCounts& counts, double now_s) {
    step.now = at(now_s);
    judge_.observe(counts.counts());
    const Verdict verdict = judge_.look(step);
    if (is_rollback(verdict)) {
      outcome_.rolled_back_s = now_s;
      outcome_.reason = verdict.reason;
      outcome_.step = step.number;
      outcome_.faulty_sessions = faulty_of(verdict);
    }
    return verdict.kind == Verdict::Kind::good && step.now - step.started >= control::kStepMin;
  }

  const Plan& plan_;
  SteadyHistory history_;
  Judge judge_;
  Traffic traffic_;
  Outcome outcome_;
  OtherRules others_;
};

}  // namespace

Outcome run(const Plan& plan, uint64_t seed) { return Trial(plan, seed).run(); }

}  // namespace judge_trials
