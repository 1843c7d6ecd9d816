// What one worker counts: cells written by its thread only, summed by readers (Totals). A count
// that goes up and down is held by an InFlight guard.
#pragma once

#include <array>
#include <utility>

#include "proxy/base/counter.h"
#include "proxy/base/error.h"
#include "proxy/routing/totals.h"

namespace relay {

using routing::ColorIndex;
using routing::Kind;

struct RouteCells {
  std::array<base::Counter, routing::kCodeSlots> requests;
  base::Histogram latency;
};

struct alignas(64) ColorCells {
  std::array<base::Counter, routing::kKinds> in_flight;
  base::Histogram queue;
  base::Histogram connect;
  base::Histogram websocket_lifetime;
  std::array<RouteCells, routing::kRoutesMax> routes;
};

struct BackendCells {
  base::Counter in_flight;
  base::Counter finished;
  base::Counter failed;
  base::Counter idle;
};

struct WorkerCounters {
  std::array<ColorCells, routing::kColorsMax + 1> colors;  // the last: no color
  std::array<BackendCells, routing::kBackendsMax> backends;
  std::array<base::Counter, routing::kTallies> tallies;
  std::array<base::Counter, static_cast<size_t>(base::ErrorCode::internal) + 1> errors;
  base::Histogram receiving;
  base::Histogram delivering;
  base::Histogram held;
  base::Counter client_connections;

  ColorCells& color(ColorIndex index) {
    return colors[index < routing::kColorsMax ? index : routing::kColorsMax];
  }
  void tally(routing::Tally what, int64_t n = 1) { tallies[static_cast<size_t>(what)].add(n); }
  void add_to(routing::Totals& totals) const;
};

// One thing in flight, counted while this lives. Worker-bound.
class InFlight {
 public:
  InFlight() = default;
  InFlight(WorkerCounters& counters, ColorIndex color, Kind kind)
      : cell_(&counters.color(color).in_flight[static_cast<size_t>(kind)]) {
    cell_->add(1);
  }
  ~InFlight() { end(); }
  InFlight(InFlight&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
  InFlight& operator=(InFlight&& other) noexcept {
    // The new one is already counted, so that a reader never sees neither.
    end();
    cell_ = std::exchange(other.cell_, nullptr);
    return *this;
  }
  void end() {
    if (cell_ != nullptr) std::exchange(cell_, nullptr)->add(-1);
  }

 private:
  base::Counter* cell_ = nullptr;
};

}  // namespace relay
