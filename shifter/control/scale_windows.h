// Gathers what the workers count into the autoscaler's slices, color by color. Told once a tick;
// a slice is closed when its time is over. What could not be counted without a break is kept as a
// slice that is not usable, so that nobody takes a gap for quiet. Main thread.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/routing_table.h"
#include "proxy/routing/totals.h"
#include "shifter/control/scale_slice.h"

namespace control {

// Which routes are a worker's work: those of the http port that are not streams. By RouteIndex.
std::vector<bool> worker_routes(const std::vector<routing::Route>& routes);

class ScaleWindows {
 public:
  struct Sight {
    bool usable = false;         // up and in service
    std::optional<int> workers;  // to tell who waits; nothing: who waits for a slot
  };

  explicit ScaleWindows(size_t colors) : colors_(colors) {}

  // How long a slice is, and how many are kept. Another length begins anew.
  void set_slices(base::Millis length, size_t kept);
  void observe(const routing::Totals& totals, const std::vector<Sight>& sights,
               const std::vector<bool>& counted, base::Instant now);
  void begin_anew();

  const std::deque<ScaleSlice>& slices(size_t color) const { return colors_[color].slices; }

 private:
  struct Sums {
    std::array<int64_t, base::Histogram::kBuckets> latency{};
    int64_t errors = 0;
    int64_t waited = 0;
  };
  struct One {
    std::deque<ScaleSlice> slices;
    ScaleSlice open;
    Sums before;  // at the beginning of the open slice
  };
  static Sums sums_of(const routing::ColorTotals& totals, const std::vector<bool>& counted);
  static void sample(const routing::ColorTotals& totals, const Sight& sight, ScaleSlice& slice);
  void close(One& one, const Sums& sums, base::Instant now);

  std::vector<One> colors_;
  base::Millis length_{10'000};
  size_t kept_ = 90;
  bool begun_ = false;
  base::Instant begin_{};  // of the open slices
};

}  // namespace control
