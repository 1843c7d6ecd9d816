#include "shifter/control/drain.h"

#include <algorithm>

namespace control {
namespace {

using routing::Kind;

int64_t count(const routing::ColorTotals& totals, Kind kind) {
  return totals.in_flight[static_cast<size_t>(kind)];
}

}  // namespace

int64_t in_flight_of(const routing::ColorTotals& totals) {
  return count(totals, Kind::queued) + count(totals, Kind::http) + count(totals, Kind::longpoll) +
         count(totals, Kind::websocket);
}

int64_t answers_of(const routing::ColorTotals& totals) {
  int64_t sum = 0;
  for (const routing::RouteTotals& route : totals.routes) {
    for (int code = 0; code < routing::kCodeSlots; ++code) {
      // A websocket is counted when it ends, which is no visit.
      if (code != routing::code_slot(101)) sum += route.requests[static_cast<size_t>(code)];
    }
  }
  return sum;
}

bool is_visited_now(const routing::ColorTotals& totals) {
  return count(totals, Kind::queued) + count(totals, Kind::http) + count(totals, Kind::longpoll) >
         0;
}

void Visits::observe(const routing::ColorTotals& totals, base::Instant now) {
  const int64_t answers = answers_of(totals);
  if (answers != answers_ || is_visited_now(totals)) last_ = now;
  answers_ = answers;
}

std::optional<ColorEvent> look(const DrainView& view) {
  if (view.state == ColorState::draining && view.drain) {
    if (view.now >= view.drain->deadline) return ColorEvent::deadline_passed;
    const base::Instant quiet_from = std::max(view.last_visit, view.drain->since);
    if (view.now - quiet_from >= view.drain->quiet) return ColorEvent::holders_quiet;
  }
  if (view.state == ColorState::closing && view.closing_applied && view.in_flight == 0) {
    return ColorEvent::emptied;
  }
  return std::nullopt;
}

}  // namespace control
