// The data plane as the operator sees it, watched: from the moment at which every worker has
// applied that nobody may go somewhere, nobody does.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "proxy/relay/plane.h"
#include "tests/simulation/backend.h"

namespace simulation {

class Overseer final : public routing::DataPlane {
 public:
  Overseer(World& world, relay::Plane& plane, std::vector<std::unique_ptr<Backend>>& backends)
      : world_(world), plane_(plane), backends_(backends) {}

  // DataPlane
  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override;
  uint64_t applied_version() const override { return plane_.applied_version(); }
  routing::Totals totals() const override { return plane_.totals(); }
  void list(routing::ColorIndex color, size_t most,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override {
    plane_.list(color, most, std::move(done));
  }
  void session_counts(uint64_t step,
                      std::function<void(const routing::SessionCounts&)> done) override {
    plane_.session_counts(step, std::move(done));
  }
  void close_idle(routing::ColorIndex color) override { plane_.close_idle(color); }
  void close_websockets(routing::ColorIndex color, base::Millis over) override {
    plane_.close_websockets(color, over);
  }
  void cut(routing::ColorIndex color) override {
    world_.cut_ordered = true;
    plane_.cut(color);
  }

  relay::Plane& plane() { return plane_; }
  const routing::RoutingTable& last() const { return *tables_.back(); }
  // All tables that some worker may have used at or after `since`.
  bool any_since(Instant since,
                 const std::function<bool(const routing::RoutingTable&)>& holds) const;
  bool addresses_changed() const { return addresses_changed_; }
  // Every address that any table knew under this number.
  Backend* backend_of(routing::BackendId id) const { return by_id_[id]; }

 private:
  void note(const routing::RoutingTable& table);
  void forbid(const routing::RoutingTable& table);
  void allow(const routing::RoutingTable& table);
  Backend* find(const base::Address& at) const;

  World& world_;
  relay::Plane& plane_;
  std::vector<std::unique_ptr<Backend>>& backends_;
  std::vector<std::shared_ptr<const routing::RoutingTable>> tables_;
  std::vector<Instant> gone_at_;  // when each table was no longer used by any worker
  std::array<Backend*, routing::kBackendsMax> by_id_{};
  bool addresses_changed_ = false;
};

}  // namespace simulation
