#include "tests/simulation/overseer.h"

#include <algorithm>

namespace simulation {
namespace {

// Why nobody may be sent to this address by this table; nullptr: somebody may.
const char* forbids(const routing::RoutingTable& table, const Backend& backend) {
  for (const routing::ColorEntry& color : table.colors) {
    for (const routing::Backend& one : backend.is_http() ? color.http : color.websocket) {
      if (one.address != backend.address()) continue;
      if (!color.keeps_holders()) return "which is closed";
      if (!color.up) return "which is down";
      return one.usable ? nullptr : "which is down";
    }
  }
  return "which is not known any more";
}

}  // namespace

Backend* Overseer::find(const base::Address& at) const {
  for (const auto& backend : backends_) {
    if (backend->address() == at) return backend.get();
  }
  return nullptr;
}

void Overseer::note(const routing::RoutingTable& table) {
  for (const routing::ColorEntry& color : table.colors) {
    for (const auto* list : {&color.http, &color.websocket}) {
      for (const routing::Backend& one : *list) {
        Backend* backend = find(one.address);
        if (backend == nullptr) world_.fail("a table with an address that nobody gave");
        by_id_[one.id] = backend;
        backend->reused = backend->reused || color.reuse;
        backend->slots_most = std::max(backend->slots_most, color.slots);
      }
    }
  }
  if (tables_.empty()) return;
  const auto same = [](const auto& a, const auto& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.id == y.id; });
  };
  for (size_t i = 0; i < table.colors.size(); ++i) {
    addresses_changed_ =
        addresses_changed_ || !same(table.colors[i].http, tables_.back()->colors[i].http);
  }
}

void Overseer::allow(const routing::RoutingTable& table) {
  for (auto& backend : backends_) {
    if (forbids(table, *backend) == nullptr) backend->forbidden = nullptr;
  }
}

void Overseer::forbid(const routing::RoutingTable& table) {
  for (auto& backend : backends_) {
    const char* why = forbids(table, *backend);
    // A newer table that allows it may be on its way.
    const char* why_now = forbids(*tables_.back(), *backend);
    if (why == nullptr || why_now == nullptr) continue;
    bool between = true;
    for (const auto& one : tables_) {
      if (one->version > table.version && forbids(*one, *backend) == nullptr) between = false;
    }
    if (between) backend->forbidden = why;
  }
}

void Overseer::publish(std::shared_ptr<const routing::RoutingTable> table,
                       std::function<void()> applied) {
  note(*table);
  tables_.push_back(table);
  gone_at_.push_back(Instant::max());
  allow(*table);
  for (const routing::ColorEntry& color : table->colors) {
    world_.trace("table %llu: %s %s weight %d %s", static_cast<unsigned long long>(table->version),
                 color.name.c_str(), routing::text_of(color.state).data(), color.weight,
                 color.up ? "up" : "down");
  }
  plane_.publish(table, [this, table, applied = std::move(applied)] {
    world_.trace("table %llu is applied", static_cast<unsigned long long>(table->version));
    for (size_t i = 0; i < tables_.size(); ++i) {
      if (tables_[i]->version < table->version) gone_at_[i] = std::min(gone_at_[i], world_.now());
    }
    forbid(*table);
    if (applied) applied();
  });
}

bool Overseer::any_since(Instant since,
                         const std::function<bool(const routing::RoutingTable&)>& holds) const {
  for (size_t i = 0; i < tables_.size(); ++i) {
    if (gone_at_[i] >= since && holds(*tables_[i])) return true;
  }
  return false;
}

}  // namespace simulation
