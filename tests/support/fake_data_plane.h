// A DataPlane that a test scripts: tables are kept, applied when the test says so, totals are
// whatever the test writes.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "proxy/routing/data_plane.h"

namespace support {

class FakeDataPlane final : public routing::DataPlane {
 public:
  FakeDataPlane() {
    now.colors.resize(routing::kColorsMax + 1);
    for (auto& color : now.colors) color.routes.resize(routing::kRoutesMax);
    now.backends.resize(routing::kBackendsMax);
  }

  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override {
    tables.push_back(std::move(table));
    waiting_.push_back({tables.back()->version, std::move(applied)});
  }
  uint64_t applied_version() const override { return applied_; }
  routing::Totals totals() const override { return now; }
  void list(routing::ColorIndex, size_t,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override {
    lists_.push_back(std::move(done));
  }
  // Answered at once, with what the test wrote and the step that was asked for.
  void session_counts(uint64_t step,
                      std::function<void(const routing::SessionCounts&)> done) override {
    sessions.step = step;
    done(sessions);
  }
  void close_idle(routing::ColorIndex color) override { idle_closed.push_back(color); }
  void close_websockets(routing::ColorIndex color, base::Millis over) override {
    websockets_closed.emplace_back(color, over);
  }
  void cut(routing::ColorIndex color) override { cuts.push_back(color); }

  // Every worker takes what was published.
  void apply() {
    while (!waiting_.empty()) apply_next();
  }
  // They take the oldest table that they do not have yet.
  void apply_next() {
    auto [version, applied] = std::move(waiting_.front());
    waiting_.pop_front();
    applied_ = version;
    if (applied) applied();
  }
  void answer_lists(const std::vector<routing::InFlightEntry>& entries = {}) {
    auto lists = std::exchange(lists_, {});
    for (auto& done : lists) done(entries);
  }
  const routing::RoutingTable& last() const { return *tables.back(); }
  int64_t& in_flight(size_t color, routing::Kind kind) {
    return now.colors[color].in_flight[static_cast<size_t>(kind)];
  }

  std::vector<std::shared_ptr<const routing::RoutingTable>> tables;
  routing::Totals now;
  routing::SessionCounts sessions;
  std::vector<routing::ColorIndex> idle_closed;
  std::vector<routing::ColorIndex> cuts;
  std::vector<std::pair<routing::ColorIndex, base::Millis>> websockets_closed;

 private:
  std::deque<std::pair<uint64_t, std::function<void()>>> waiting_;
  std::deque<std::function<void(std::vector<routing::InFlightEntry>)>> lists_;
  uint64_t applied_ = 0;
};

}  // namespace support
