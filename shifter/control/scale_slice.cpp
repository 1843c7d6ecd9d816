#include "shifter/control/scale_slice.h"

#include <algorithm>
#include <numeric>

#include "shifter/policy/policy.h"

namespace control {
namespace {

using Counts = std::array<int64_t, base::Histogram::kBuckets>;

int64_t sum_of(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), int64_t{0});
}

// A bucket counts what is at or below its edge.
int64_t above(const Counts& counts, int64_t edge_us) {
  int64_t slow = counts.back();
  for (size_t i = 0; i < base::kLatencyEdgesUs.size(); ++i) {
    if (base::kLatencyEdgesUs[i] > edge_us) slow += counts[i];
  }
  return slow;
}

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

int64_t ScaleSlice::requests() const { return sum_of(counts); }
int64_t ScaleSlice::slow(int64_t edge_us) const { return above(counts, edge_us); }

void ScaleSpan::add(const ScaleSlice& slice) {
  for (size_t i = 0; i < counts.size(); ++i) counts[i] += slice.counts[i];
  errors += slice.errors;
  waited += slice.waited;
  samples += slice.samples;
  waiting += slice.waiting;
  in_flight += slice.in_flight;
  in_flight_max = std::max(in_flight_max, slice.in_flight_max);
  queue_max = std::max(queue_max, slice.queue_max);
}

int64_t ScaleSpan::requests() const { return sum_of(counts); }
int64_t ScaleSpan::slow(int64_t edge_us) const { return above(counts, edge_us); }
double ScaleSpan::slow_share(int64_t edge_us) const { return share(slow(edge_us), requests()); }
double ScaleSpan::in_flight_mean() const { return share(in_flight, samples); }

double ScaleSpan::waiting_share() const {
  return std::min(1.0, std::max(share(waiting, samples), share(waited, requests())));
}

std::string p95_text(const ScaleSpan& span) {
  const int64_t requests = span.requests();
  if (requests == 0) return "none";
  for (int64_t edge : base::kLatencyEdgesUs) {
    if (span.slow(edge) * 20 <= requests) return policy::seconds_text(edge);
  }
  return "over " + policy::seconds_text(base::kLatencyEdgesUs.back());
}

}  // namespace control
