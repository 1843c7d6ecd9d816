// When does a draining color go on to the next state? A pure look at facts; the wiring acts.
#pragma once

#include <cstdint>
#include <optional>

#include "proxy/base/clock.h"
#include "proxy/routing/totals.h"
#include "shifter/control/fleet.h"

namespace control {

// Requests of a color that a drain waits for: its kinds but mirrors.
int64_t in_flight_of(const routing::ColorTotals& totals);
// Grows with every answer of the color; with it, what is being answered now tells of visitors.
// Websockets do not: their pings would keep a color for ever.
int64_t answers_of(const routing::ColorTotals& totals);
bool is_visited_now(const routing::ColorTotals& totals);

// When somebody last came to a color.
class Visits {
 public:
  void observe(const routing::ColorTotals& totals, base::Instant now);
  base::Instant last() const { return last_; }

 private:
  int64_t answers_ = -1;
  base::Instant last_{};
};

struct DrainView {
  ColorState state = ColorState::ready;
  std::optional<DrainFacts> drain;
  base::Instant now;
  base::Instant last_visit;
  bool closing_applied = false;  // every worker knows that nobody is sent there
  int64_t in_flight = 0;         // read after closing_applied was seen
};

// The event that is due. A zero counts only once `closing` is applied everywhere: before that a
// holder may still be on the way.
std::optional<ColorEvent> look(const DrainView& view);

}  // namespace control
