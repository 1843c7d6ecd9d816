#include "shifter/control/scale_windows.h"

#include <algorithm>

namespace control {

using routing::Kind;

std::vector<bool> worker_routes(const std::vector<routing::Route>& routes) {
  std::vector<bool> counted(routing::kRoutesMax, false);
  for (const routing::Route& route : routes) {
    counted[route.index] = route.port == routing::Port::http && route.buffer;
  }
  return counted;
}

void ScaleWindows::set_slices(base::Millis length, size_t kept) {
  kept_ = kept;
  if (length == length_) return;
  length_ = length;
  begin_anew();
}

void ScaleWindows::begin_anew() {
  begun_ = false;
  for (One& one : colors_) one.slices.clear();
}

void ScaleWindows::observe(const routing::Totals& totals, const std::vector<Sight>& sights,
                           const std::vector<bool>& counted, base::Instant now) {
  const bool is_over = begun_ && now - begin_ >= length_;
  for (size_t i = 0; i < colors_.size() && i < totals.colors.size(); ++i) {
    One& one = colors_[i];
    if (begun_) sample(totals.colors[i], sights[i], one.open);
    if (begun_ && !is_over) continue;
    const Sums sums = sums_of(totals.colors[i], counted);
    if (is_over) close(one, sums, now);
    one.open = {};
    one.open.usable = sights[i].usable;
    one.before = sums;
  }
  if (begun_ && !is_over) return;
  begun_ = true;
  begin_ = now;
}

ScaleWindows::Sums ScaleWindows::sums_of(const routing::ColorTotals& totals,
                                         const std::vector<bool>& counted) {
  Sums sums;
  for (size_t i = 0; i < totals.routes.size() && i < counted.size(); ++i) {
    if (!counted[i]) continue;
    const routing::RouteTotals& route = totals.routes[i];
    for (size_t j = 0; j < sums.latency.size(); ++j) sums.latency[j] += route.latency.counts[j];
    for (size_t j = 0; j < routing::kCodes.size(); ++j) {
      if (routing::kCodes[j] >= 500) sums.errors += route.requests[j];
    }
  }
  // The first bucket is who found a free slot.
  for (size_t j = 1; j < totals.queue.counts.size(); ++j) sums.waited += totals.queue.counts[j];
  return sums;
}

void ScaleWindows::sample(const routing::ColorTotals& totals, const Sight& sight,
                          ScaleSlice& slice) {
  const int64_t queued = std::max<int64_t>(0, totals.in_flight[static_cast<size_t>(Kind::queued)]);
  const int64_t working = std::max<int64_t>(0, totals.in_flight[static_cast<size_t>(Kind::http)]);
  const int64_t in_flight = queued + working;
  const int64_t queue = sight.workers ? std::max(queued, in_flight - *sight.workers) : queued;
  slice.usable = slice.usable && sight.usable;
  ++slice.samples;
  slice.in_flight += in_flight;
  slice.in_flight_max = std::max(slice.in_flight_max, in_flight);
  slice.queue_max = std::max(slice.queue_max, queue);
  if (queue > 0) ++slice.waiting;
}

void ScaleWindows::close(One& one, const Sums& sums, base::Instant now) {
  ScaleSlice slice = one.open;
  slice.begin = begin_;
  slice.end = now;
  // Nobody looked for too long: what is in flight was not seen.
  if (now - begin_ > 2 * length_) slice.usable = false;
  for (size_t i = 0; i < slice.counts.size(); ++i) {
    slice.counts[i] = sums.latency[i] - one.before.latency[i];
    if (slice.counts[i] < 0) slice.usable = false;  // the counters began anew
  }
  slice.errors = std::max<int64_t>(0, sums.errors - one.before.errors);
  slice.waited = std::max<int64_t>(0, sums.waited - one.before.waited);
  one.slices.push_back(slice);
  while (one.slices.size() > kept_) one.slices.pop_front();
}

}  // namespace control
