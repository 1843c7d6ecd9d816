// Counters and histograms written by one thread and read by any, without a lock or a read-modify-
// write. Readers see values that are a moment old, never torn.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace base {

class Counter {
 public:
  void add(int64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(int64_t n) { value_.store(n, std::memory_order_relaxed); }
  int64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Upper edges of latency buckets in microseconds, ascending; the last bucket (above all) is
// implied. 0.6 s and 1.2 s are edges because the scaling policy asks exactly there.
inline constexpr std::array<int64_t, 16> kLatencyEdgesUs = {
    1'000,   2'500,   5'000,   10'000,    25'000,    50'000,    100'000,    200'000,
    400'000, 600'000, 900'000, 1'200'000, 2'500'000, 5'000'000, 15'000'000, 60'000'000};

class Histogram {
 public:
  static constexpr size_t kBuckets = kLatencyEdgesUs.size() + 1;
  void observe(int64_t us) {
    size_t bucket = 0;
    while (bucket < kLatencyEdgesUs.size() && us > kLatencyEdgesUs[bucket]) ++bucket;
    counts_[bucket].add();
    sum_us_.add(us);
  }
  int64_t count(size_t bucket) const { return counts_[bucket].read(); }
  int64_t sum_us() const { return sum_us_.read(); }

 private:
  std::array<Counter, kBuckets> counts_;
  Counter sum_us_;
};

}  // namespace base
