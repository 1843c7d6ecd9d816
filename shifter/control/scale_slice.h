// What one color did in a short time, as the autoscaler counts it: slices, and spans of several.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/base/counter.h"

namespace control {

// A sixth of a window (policy::kSlices).
struct ScaleSlice {
  base::Instant begin{};
  base::Instant end{};
  bool usable = false;  // the color was up and counted through all of it
  std::array<int64_t, base::Histogram::kBuckets> counts{};  // latency of its requests
  int64_t errors = 0;                                       // of them: 5xx
  int64_t waited = 0;                                       // of them: for a slot
  int64_t samples = 0;    // looks at what is in flight, at regular times
  int64_t waiting = 0;    // of them: with more in flight than workers, or somebody queued
  int64_t in_flight = 0;  // summed over the samples; the queued included
  int64_t in_flight_max = 0;
  int64_t queue_max = 0;  // in flight above the workers

  int64_t requests() const;
  int64_t slow(int64_t edge_us) const;  // above the edge; exact. Needs: it is an edge.
};

// Several slices as one.
struct ScaleSpan {
  std::array<int64_t, base::Histogram::kBuckets> counts{};
  int64_t errors = 0;
  int64_t waited = 0;
  int64_t samples = 0;
  int64_t waiting = 0;
  int64_t in_flight = 0;
  int64_t in_flight_max = 0;
  int64_t queue_max = 0;
  void add(const ScaleSlice& slice);
  int64_t requests() const;
  int64_t slow(int64_t edge_us) const;
  double slow_share(int64_t edge_us) const;  // 0 without requests
  double in_flight_mean() const;
  double waiting_share() const;  // of time or of requests, whichever is more
};
// "0.9 s": the edge that 95 % of the requests stay under; "over 60.0 s"; "none".
std::string p95_text(const ScaleSpan& span);

}  // namespace control
