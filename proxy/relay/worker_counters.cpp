#include "proxy/relay/worker_counters.h"

namespace relay {

void WorkerCounters::add_to(routing::Totals& totals) const {
  totals.colors.resize(colors.size());
  for (size_t c = 0; c < colors.size(); ++c) {
    const ColorCells& cells = colors[c];
    routing::ColorTotals& sums = totals.colors[c];
    sums.routes.resize(routing::kRoutesMax);
    for (size_t k = 0; k < sums.in_flight.size(); ++k) {
      sums.in_flight[k] += cells.in_flight[k].read();
    }
    sums.queue.add(cells.queue);
    sums.connect.add(cells.connect);
    sums.websocket_lifetime.add(cells.websocket_lifetime);
    for (size_t r = 0; r < sums.routes.size(); ++r) {
      sums.routes[r].latency.add(cells.routes[r].latency);
      for (size_t code = 0; code < sums.routes[r].requests.size(); ++code) {
        sums.routes[r].requests[code] += cells.routes[r].requests[code].read();
      }
    }
  }
  totals.backends.resize(backends.size());
  for (size_t b = 0; b < backends.size(); ++b) {
    totals.backends[b].in_flight += backends[b].in_flight.read();
    totals.backends[b].finished += backends[b].finished.read();
    totals.backends[b].failed += backends[b].failed.read();
    totals.backends[b].idle += backends[b].idle.read();
  }
  for (size_t t = 0; t < tallies.size(); ++t) totals.tallies[t] += tallies[t].read();
  for (size_t e = 0; e < errors.size(); ++e) totals.errors[e] += errors[e].read();
  totals.receiving.add(receiving);
  totals.delivering.add(delivering);
  totals.held.add(held);
  totals.client_connections += client_connections.read();
}

}  // namespace relay
