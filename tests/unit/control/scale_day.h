// One day of an Odoo as a queue (arrivals by chance, c workers, service times by chance, first come
// first served), with a policy that may change c. Seeded: the same numbers again each time.
// Both policies meet the same load; a change takes three minutes until users are on the new color,
// and what waits at the old one is served there.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "shifter/control/autoscaler.h"

namespace control {

struct DayPlan {
  double mean_s = 0.15;   // of a request
  double erlang = 3.75;   // offered: requests that would be in service without a limit
  int workers = 4;        // at the start
  unsigned seed = 1;
  std::function<double(double hour)> shape{};  // factor of the load; nothing: 1
};

struct DayResult {
  int changes = 0;
  int minutes_above = 0;  // p95 over 1.2 s in that minute
  int last = 0;
  int most = 0;
  double constant_hours = 24;  // since the last change
  std::string path;            // "4 6 5": what it was
  std::string last_hold;       // the last decision in words
};

// A policy on that day: told each slice of 10 s, it answers the number wanted, or nothing.
class DayScaler {
 public:
  virtual ~DayScaler() = default;
  virtual std::optional<int> look(const ScaleSlice& slice, int workers) = 0;
  virtual void switched(base::Instant) {}
  virtual std::string last() const { return {}; }
};
using MakeScaler = std::function<std::unique_ptr<DayScaler>()>;

inline constexpr base::Instant kDayBegin{std::chrono::hours(1000)};
inline constexpr int kRedeployS = 180;
inline constexpr int kBakeS = 300;

// The autoscaler of this project.
class OurScaler final : public DayScaler {
 public:
  explicit OurScaler(const policy::Policy& policy) : policy_(policy) {
    facts_.has_agent = facts_.has_cold = true;
    facts_.watching_since = kDayBegin;
  }
  std::optional<int> look(const ScaleSlice& slice, int workers) override {
    slices_.push_back(slice);
    while (slices_.size() > 400) slices_.pop_front();
    facts_.now = slice.end;
    if (bake_end_ && facts_.now >= *bake_end_) {
      facts_.state = change_succeeded(facts_.state, facts_.now);
      bake_end_.reset();
      facts_.acting = false;
      slices_.clear();
      return std::nullopt;
    }
    facts_.live = {{"blue", workers, 0, &slices_}};
    const ScaleDecision decision = decide(policy_, facts_);
    last_ = text_of(decision);
    if (decision.kind != ScaleKind::up && decision.kind != ScaleKind::down) return std::nullopt;
    facts_.acting = true;
    return decision.to;
  }
  void switched(base::Instant now) override { bake_end_ = now + std::chrono::seconds(kBakeS); }
  std::string last() const override { return last_; }

 private:
  policy::Policy policy_;
  ScaleFacts facts_;
  std::deque<ScaleSlice> slices_;
  std::optional<base::Instant> bake_end_;
  std::string last_;
};

// The script of the first design: each minute histogram_quantile(0.95) of five minutes, two
// thresholds, two cooldowns that begin when it acts and know nothing of each other.
class FirstScaler final : public DayScaler {
 public:
  std::optional<int> look(const ScaleSlice& slice, int workers) override {
    slices_.push_back(slice);
    while (slices_.size() > 30) slices_.pop_front();
    const double now = std::chrono::duration<double>(slice.end - kDayBegin).count() + 1e6;
    if (++looks_ % 6 != 0) return std::nullopt;
    const double p95 = quantile();
    if (p95 > 1.2 && now - last_up_ > 600 && workers < 16) {
      last_up_ = now;
      return std::min(16, workers + 2);
    }
    if (p95 < 0.6 && now - last_down_ > 1800 && workers > 2) {
      last_down_ = now;
      return std::max(2, workers - 1);
    }
    return std::nullopt;
  }

 private:
  // As Prometheus does it: linear within the bucket. Not a number without requests.
  double quantile() const {
    std::array<int64_t, base::Histogram::kBuckets> counts{};
    int64_t all = 0;
    for (const ScaleSlice& slice : slices_) {
      for (size_t i = 0; i < counts.size(); ++i) counts[i] += slice.counts[i];
      all += slice.requests();
    }
    if (all == 0) return std::numeric_limits<double>::quiet_NaN();
    const double rank = 0.95 * static_cast<double>(all);
    double below = 0;
    double edge_below = 0;
    for (size_t i = 0; i < base::kLatencyEdgesUs.size(); ++i) {
      const double edge = static_cast<double>(base::kLatencyEdgesUs[i]) / 1e6;
      const auto here = static_cast<double>(counts[i]);
      if (below + here >= rank && here > 0) {
        return edge_below + (edge - edge_below) * (rank - below) / here;
      }
      below += here;
      edge_below = edge;
    }
    return edge_below;
  }
  std::deque<ScaleSlice> slices_;
  double last_up_ = 0;
  double last_down_ = 0;
  int looks_ = 0;
};

inline MakeScaler ours(const policy::Policy& policy) {
  return [policy] { return std::make_unique<OurScaler>(policy); };
}
inline MakeScaler first_design() {
  return [] { return std::make_unique<FirstScaler>(); };
}

// The queue, second by second.
class DayQueue {
 public:
  explicit DayQueue(const DayPlan& plan) : plan_(plan), random_(plan.seed) {
    start(plan.workers, 0);
  }

  int workers() const { return workers_; }
  // New workers take what comes from now on.
  void start(int workers, double now) {
    workers_ = workers;
    free_ = {};
    for (int i = 0; i < workers; ++i) free_.push(now);
  }
  // A second of arrivals; then what has ended is counted and what is in flight sampled.
  void pass(double second, ScaleSlice& slice, ScaleSlice& minute) {
    const double factor = plan_.shape ? plan_.shape(second / 3600) : 1;
    std::exponential_distribution<double> gap(plan_.erlang * factor / plan_.mean_s);
    std::exponential_distribution<double> service(1 / plan_.mean_s);
    for (double at = second + gap(random_); at < second + 1; at += gap(random_)) {
      const double begin = std::max(at, free_.top());
      free_.pop();
      const double end = begin + service(random_);
      free_.push(end);
      ends_.push({end, end - at});
    }
    while (!ends_.empty() && ends_.top().first <= second + 1) {
      const auto us = static_cast<int64_t>(ends_.top().second * 1e6);
      ends_.pop();
      size_t bucket = 0;
      while (bucket < base::kLatencyEdgesUs.size() && us > base::kLatencyEdgesUs[bucket]) ++bucket;
      ++slice.counts[bucket];
      ++minute.counts[bucket];
    }
    const auto in_flight = static_cast<int64_t>(ends_.size());
    ++slice.samples;
    slice.in_flight += in_flight;
    slice.in_flight_max = std::max(slice.in_flight_max, in_flight);
    slice.queue_max = std::max(slice.queue_max, in_flight - workers_);
    if (in_flight > workers_) ++slice.waiting;
  }

 private:
  template <class T>
  using Earliest = std::priority_queue<T, std::vector<T>, std::greater<T>>;
  DayPlan plan_;
  std::mt19937_64 random_;
  int workers_ = 0;
  Earliest<double> free_;                      // when each worker is
  Earliest<std::pair<double, double>> ends_;   // of what is in flight, with its latency
};

inline DayResult run_day(const DayPlan& plan, const MakeScaler& make) {
  DayQueue queue(plan);
  const auto scaler = make();
  DayResult result;
  result.path = std::to_string(plan.workers);
  result.most = plan.workers;
  std::optional<std::pair<int, int>> due;  // the second, and the number of workers
  int changed = 0;
  ScaleSlice slice;
  ScaleSlice minute;
  for (int second = 0; second < 86'400; ++second) {
    const base::Instant now = kDayBegin + std::chrono::seconds(second);
    if (due && second >= due->first) {
      queue.start(due->second, second);
      scaler->switched(now);
      ++result.changes;
      changed = second;
      result.most = std::max(result.most, due->second);
      result.path += " " + std::to_string(due->second);
      due.reset();
    }
    queue.pass(second, slice, minute);
    if (second % 60 == 59) {
      if (minute.slow(1'200'000) * 20 > minute.requests()) ++result.minutes_above;
      minute = {};
    }
    if (second % 10 != 9) continue;
    slice.begin = now - std::chrono::seconds(9);
    slice.end = now + std::chrono::seconds(1);
    slice.usable = true;
    auto wanted = scaler->look(slice, queue.workers());
    if (wanted && !due) due = {second + kRedeployS, *wanted};
    slice = {};
  }
  result.last = queue.workers();
  result.constant_hours = (86'400 - changed) / 3600.0;
  result.last_hold = scaler->last();
  return result;
}

}  // namespace control
