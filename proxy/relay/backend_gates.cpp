#include "proxy/relay/backend_gates.h"

#include <algorithm>

#include "proxy/relay/worker.h"

namespace relay {

BackendGates::BackendGates(Worker& worker)
    : worker_(worker),
      stale_(worker.loop().timers(), this, base::fires<&BackendGates::close_stale>) {}

BackendGates::~BackendGates() = default;

std::unique_ptr<BackendConnection> BackendGates::take(routing::ColorIndex color,
                                                      const routing::Backend& backend,
                                                      bool may_reuse) {
  std::vector<Kept>& kept = idle_[backend.id];
  if (may_reuse && !kept.empty()) {
    // The one used last is the least likely to be closed from the other side.
    std::unique_ptr<BackendConnection> connection = std::move(kept.back().connection);
    kept.pop_back();
    worker_.counters().backends[backend.id].idle.add(-1);
    worker_.counters().tally(routing::Tally::connects_reused);
    return connection;
  }
  worker_.counters().tally(routing::Tally::connects);
  return std::make_unique<BackendConnection>(worker_, color, backend);
}

void BackendGates::give(std::unique_ptr<BackendConnection> connection, bool reusable) {
  const routing::RoutingTable& table = worker_.table();
  const routing::ColorEntry& color = table.colors[connection->color()];
  std::vector<Kept>& kept = idle_[connection->backend()];
  const bool keep = reusable && color.reuse && color.keeps_holders() && !worker_.is_leaving() &&
                    kept.size() < static_cast<size_t>(worker_.core().config.reuse_idle_max);
  if (!keep) {
    connection->close();  // at once: its slot is about to be another's
    worker_.loop().dispose(std::move(connection));
    return;
  }
  worker_.counters().backends[connection->backend()].idle.add(1);
  kept.push_back({std::move(connection), worker_.loop().now()});
  if (!stale_.is_running()) stale_.start(worker_.core().config.timeouts.backend_idle);
}

void BackendGates::close(routing::BackendId backend, size_t at) {
  std::vector<Kept>& kept = idle_[backend];
  worker_.loop().dispose(std::move(kept[at].connection));
  kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(at));
  worker_.counters().backends[backend].idle.add(-1);
}

void BackendGates::forget(BackendConnection& connection) {
  std::vector<Kept>& kept = idle_[connection.backend()];
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].connection.get() == &connection) {
      close(connection.backend(), i);
      return;
    }
  }
}

void BackendGates::close_idle(routing::ColorIndex color) {
  for (size_t id = 0; id < idle_.size(); ++id) {
    for (size_t i = idle_[id].size(); i-- > 0;) {
      if (idle_[id][i].connection->color() == color) close(static_cast<routing::BackendId>(id), i);
    }
  }
}

void BackendGates::reconcile(const routing::RoutingTable& table) {
  for (size_t id = 0; id < idle_.size(); ++id) {
    if (idle_[id].empty()) continue;
    bool wanted = false;
    for (const routing::ColorEntry& color : table.colors) {
      if (!color.reuse || !color.keeps_holders()) continue;
      for (const routing::Backend& backend : color.http) {
        wanted = wanted || (backend.id == id && backend.usable);
      }
    }
    while (!wanted && !idle_[id].empty()) {
      close(static_cast<routing::BackendId>(id), idle_[id].size() - 1);
    }
  }
}

void BackendGates::close_stale() {
  const base::Instant limit = worker_.loop().now() - worker_.core().config.timeouts.backend_idle;
  bool left = false;
  for (size_t id = 0; id < idle_.size(); ++id) {
    while (!idle_[id].empty() && idle_[id].front().since <= limit) {
      close(static_cast<routing::BackendId>(id), 0);
    }
    left = left || !idle_[id].empty();
  }
  if (left) stale_.start(worker_.core().config.timeouts.backend_idle / 4);
}

}  // namespace relay
