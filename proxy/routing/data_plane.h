// What the control plane may ask of the workers. All calls come from the control thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/routing_table.h"
#include "proxy/routing/session_counts.h"
#include "proxy/routing/totals.h"

namespace routing {

// One exchange in flight, as `inflight` lists it.
struct InFlightEntry {
  ColorIndex color = kNoColor;
  Kind kind = Kind::http;
  RouteIndex route = 0;
  base::Millis age{0};
  std::string peer;  // the client's address, as forwarded
  std::string request_id;
};

class DataPlane {
 public:
  virtual ~DataPlane() = default;

  // Hands the table to every worker. `applied` is called later on the control thread, once every
  // worker uses this table or a newer one. Needs: version above all before.
  virtual void publish(std::shared_ptr<const RoutingTable> table,
                       std::function<void()> applied) = 0;
  virtual uint64_t applied_version() const = 0;  // the smallest over the workers

  virtual Totals totals() const = 0;
  // Asks every worker; `done` is called later on the control thread. At most `most` entries,
  // oldest first.
  virtual void list(ColorIndex color_or_none, size_t most,
                    std::function<void(std::vector<InFlightEntry>)> done) = 0;

  // What every worker counted in this step; those that do not have it yet add nothing. `done` is
  // called later on the control thread.
  virtual void session_counts(uint64_t step, std::function<void(const SessionCounts&)> done) = 0;

  virtual void close_idle(ColorIndex color) = 0;  // idle connections to its backends
  virtual void close_websockets(ColorIndex color, base::Millis over) = 0;
  virtual void cut(ColorIndex color) = 0;  // ends what is in flight there
};

}  // namespace routing
