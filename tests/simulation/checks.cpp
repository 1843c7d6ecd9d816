#include "tests/simulation/checks.h"

#include <algorithm>
#include <array>

#include "proxy/relay/relay_core.h"
#include "proxy/relay/worker.h"

namespace simulation {

using routing::ColorEntry;
using routing::Kind;
using routing::RoutingTable;

namespace {

using KindCounts = std::array<std::array<int64_t, routing::kKinds>, routing::kColorsMax + 1>;

size_t row_of(routing::ColorIndex color) {
  return color < routing::kColorsMax ? color : routing::kColorsMax;
}

bool has_usable(const std::vector<routing::Backend>& list) {
  return std::any_of(list.begin(), list.end(), [](const auto& one) { return one.usable; });
}

}  // namespace

void Checks::after_turn() {
  check_bounds();
  if (world_.turns % 7 != 0 && !world_.traced()) return;
  check_backends();
  check_kinds();
  check_slots_taken();
  const base::SpoolLimits& limits = plane_.core().spool.limits();
  // The network holds some as well, between the proxy and the user.
  const int64_t most = limits.memory_bytes_max + limits.disk_bytes_max + (200 << 10) +
                       static_cast<int64_t>(world_.mood.capacity);
  for (const auto& backend : backends_) {
    backend->check_released();
    backend->check_kept(most);
  }
  operator_.check();
}

void Checks::check_bounds() const {
  const base::SpoolBudget& spool = plane_.core().spool;
  if (spool.memory_used() < 0 || spool.memory_used() > spool.limits().memory_bytes_max) {
    world_.fail("%lld bytes wait in memory", static_cast<long long>(spool.memory_used()));
  }
  if (spool.disk_used() < 0 || spool.disk_used() > spool.limits().disk_bytes_max) {
    world_.fail("%lld bytes wait on disk", static_cast<long long>(spool.disk_used()));
  }
}

// What the workers count for an address is what the network sees of it.
void Checks::check_backends() const {
  for (routing::BackendId id = 0; id < routing::kBackendsMax; ++id) {
    const Backend* backend = overseer_.backend_of(id);
    if (backend == nullptr) break;
    int64_t counted = 0;
    for (int i = 0; i < plane_.count(); ++i) {
      const relay::BackendCells& cells =
          plane_.worker(static_cast<size_t>(i)).counters().backends[id];
      if (cells.in_flight.read() < 0 || cells.idle.read() < 0) world_.fail("a negative count");
      counted += cells.in_flight.read() + cells.idle.read();
    }
    if (counted != backend->open()) {
      world_.fail("%s: %lld counted, %d open", backend->address().text().c_str(),
                  static_cast<long long>(counted), backend->open());
    }
  }
}

// What is counted by kind is what `inflight` would list.
void Checks::check_kinds() const {
  std::vector<routing::InFlightEntry> entries;
  for (int i = 0; i < plane_.count(); ++i) {
    const relay::Worker& worker = plane_.worker(static_cast<size_t>(i));
    KindCounts listed{};
    entries.clear();
    worker.list(routing::kNoColor, SIZE_MAX, entries);
    for (const auto& entry : entries) {
      // An answer of ours or one being delivered is no color's any more.
      const bool colored = static_cast<int>(entry.kind) < routing::kColorKinds;
      ++listed[colored ? row_of(entry.color) : routing::kColorsMax]
              [static_cast<size_t>(entry.kind)];
    }
    for (size_t color = 0; color < listed.size(); ++color) {
      for (size_t kind = 0; kind < listed[color].size(); ++kind) {
        const int64_t counted = worker.counters().colors[color].in_flight[kind].read();
        if (counted != listed[color][kind]) {
          world_.fail("worker %d, color %zu, %s: %lld counted, %lld listed", i, color,
                      routing::text_of(static_cast<Kind>(kind)).data(),
                      static_cast<long long>(counted), static_cast<long long>(listed[color][kind]));
        }
      }
    }
  }
}

// With nothing on its way between threads, slots, lines and holds are what is in flight.
void Checks::check_slots_taken() const {
  for (const auto& loop : loops_) {
    if (loop->has_mail()) return;
  }
  std::array<int64_t, 2> with_slot{};
  std::array<int64_t, 2> queued{};
  int64_t held = 0;
  std::vector<routing::InFlightEntry> entries;
  for (int i = 0; i < plane_.count(); ++i) {
    const relay::Worker& worker = plane_.worker(static_cast<size_t>(i));
    entries.clear();
    worker.list(routing::kNoColor, SIZE_MAX, entries);
    for (const auto& entry : entries) {
      if (entry.kind == Kind::held) ++held;
      if (entry.color >= 2) continue;
      if (entry.kind == Kind::queued) ++queued[entry.color];
      const bool running =
          entry.kind == Kind::http || entry.kind == Kind::longpoll || entry.kind == Kind::websocket;
      if (running && uses_http_port(entry.route)) {
        ++with_slot[entry.color];
      }
    }
  }
  if (held != plane_.core().held.load()) {
    world_.fail("%d held by count, %lld by list", plane_.core().held.load(),
                static_cast<long long>(held));
  }
  for (size_t color = 0; color < 2; ++color) {
    const relay::SlotPool& pool = *plane_.core().slots[color];
    if (pool.waiting() != queued[color]) {
      world_.fail("color %zu: %d in line, %lld queued", color, pool.waiting(),
                  static_cast<long long>(queued[color]));
    }
    if (!overseer_.addresses_changed() && pool.taken() != with_slot[color]) {
      world_.fail("color %zu: %d slots taken, %lld in use", color, pool.taken(),
                  static_cast<long long>(with_slot[color]));
    }
  }
}

void Checks::on_attempt(const Request& request, const Attempt& attempt,
                        const Scenario& scenario) const {
  const auto color = static_cast<size_t>(attempt.color);
  if (request.way == Way::pinned && color != 0) world_.fail("r%u: left its pin", request.id);
  // A second try after a refused connect follows its own rules.
  if (scenario.connect_faults || scenario.retry_safe || request.attempts.size() > 1) return;
  if (request.upgrade || request.way == Way::pinned) return;
  const auto always = [&](const std::function<bool(const RoutingTable&)>& holds) {
    return !overseer_.any_since(request.begun, [&](const RoutingTable& t) { return !holds(t); });
  };
  const bool has_cookie = request.cookie_color >= 0;
  const bool here = request.cookie_color == attempt.color || request.cookie_home == attempt.color;
  if (!here && always([&](const RoutingTable& table) {
        return table.colors[color].state == routing::ColorState::draining;
      })) {
    world_.fail("r%u: new on a color that drains", request.id);
  }
  if (!has_cookie && always([&](const RoutingTable& table) {
        const ColorEntry& other = table.colors[1 - color];
        return table.colors[color].weight == 0 && other.weight > 0 && other.takes_new();
      })) {
    world_.fail("r%u: new on a color without weight", request.id);
  }
  if (!has_cookie || request.cookie_home >= 0 || scenario.clock_jumps) return;
  const auto own = static_cast<size_t>(request.cookie_color);
  if (own != color && always([&](const RoutingTable& table) {
        const ColorEntry& entry = table.colors[own];
        return entry.serves_holders() && request.cookie_epoch >= entry.valid_from &&
               !table.redraw && has_usable(entry.http) && has_usable(entry.websocket);
      })) {
    world_.fail("r%u: its user was thrown out of color %zu", request.id, own);
  }
}

// --- at the end ------------------------------------------------------------------------------

void Checks::tell_what_is_left() {
  for (int i = 0; i < plane_.count(); ++i) {
    std::vector<routing::InFlightEntry> entries;
    plane_.worker(static_cast<size_t>(i)).list(routing::kNoColor, SIZE_MAX, entries);
    for (const auto& entry : entries) {
      world_.fail("left on worker %d for %lld s: %s, %s", i,
                  static_cast<long long>(entry.age.count() / 1000),
                  routing::text_of(entry.kind).data(), entry.request_id.c_str());
    }
    const auto clients = plane_.worker(static_cast<size_t>(i)).counters().client_connections.read();
    if (clients > 0) {
      world_.fail("left on worker %d: %lld clients", i, static_cast<long long>(clients));
    }
  }
  world_.fail("the proxy does not say that it is empty");
}

void Checks::at_end(const Scenario& scenario) {
  check_backends();
  check_kinds();
  check_slots_taken();
  check_nothing_left();
  check_requests(scenario);
  check_accounts(scenario);
}

void Checks::check_nothing_left() const {
  for (int i = 0; i < plane_.count(); ++i) {
    const relay::Worker& worker = plane_.worker(static_cast<size_t>(i));
    if (!worker.is_empty()) world_.fail("worker %d is not empty", i);
    const relay::WorkerCounters& counters = worker.counters();
    if (counters.client_connections.read() != 0) world_.fail("clients are left");
    for (const auto& color : counters.colors) {
      for (const auto& count : color.in_flight) {
        if (count.read() != 0) world_.fail("something is in flight at the end");
      }
    }
  }
  for (const auto& backend : backends_) {
    if (backend->open() != 0) world_.fail("a connection to a backend is left");
  }
  for (size_t color = 0; color < routing::kColorsMax; ++color) {
    const relay::SlotPool& pool = *plane_.core().slots[color];
    if (pool.taken() != 0 || pool.waiting() != 0) world_.fail("slots are taken at the end");
  }
  if (plane_.core().held.load() != 0) world_.fail("held at the end");
  const base::SpoolBudget& spool = plane_.core().spool;
  if (spool.memory_used() != 0 || spool.disk_used() != 0) world_.fail("bytes wait at the end");
}

void Checks::check_requests(const Scenario& scenario) const {
  for (const auto& one : ledger_.all()) {
    const Request& request = *one;
    if (!request.complete && !request.closed && !request.aborted) {
      world_.fail("r%u: neither an answer nor an end", request.id);
    }
    if (!scenario.gentle) continue;
    if (request.excused || (!request.complete && scenario.leaves_early)) continue;
    if (!request.complete) world_.fail("r%u: no answer, and nobody broke anything", request.id);
    const int expected = request.way == Way::denied     ? 403
                         : request.way == Way::unknown  ? 404
                         : request.way == Way::health   ? 200
                         : request.way == Way::nonsense ? 400
                                                        : 0;
    bool fine = expected == 0 ? !request.own : request.own && request.status == expected;
    fine = fine || (request.way == Way::health && world_.lame_duck);
    fine = fine || (request.way == Way::nonsense && request.own && request.status == 501);
    if (!fine) world_.fail("r%u: %d, and nobody broke anything", request.id, request.status);
  }
}

int64_t Checks::accounted(int slot) const {
  int64_t count = 0;
  for (int i = 0; i < plane_.count(); ++i) {
    for (const auto& color : plane_.worker(static_cast<size_t>(i)).counters().colors) {
      for (const auto& route : color.routes) {
        count += route.requests[static_cast<size_t>(slot)].read();
      }
    }
  }
  return count;
}

// Each request is accounted once, under the status that its user saw.
void Checks::check_accounts(const Scenario& scenario) const {
  std::array<int64_t, routing::kCodeSlots> seen{};
  int64_t least = 0;
  int64_t most = 0;
  bool exact = scenario.gentle;
  for (const auto& one : ledger_.all()) {
    const Request& request = *one;
    ++most;
    if (request.answered || !request.attempts.empty()) ++least;
    if (request.excused || !request.complete) {
      exact = false;
    } else {
      ++seen[static_cast<size_t>(routing::code_slot(request.status))];
    }
  }
  int64_t sum = 0;
  for (int slot = 0; slot < routing::kCodeSlots; ++slot) {
    const int64_t count = accounted(slot);
    sum += count;
    if (exact && count != seen[static_cast<size_t>(slot)]) {
      world_.fail("%lld accounted as %s, %lld seen", static_cast<long long>(count),
                  routing::code_label(slot).data(),
                  static_cast<long long>(seen[static_cast<size_t>(slot)]));
    }
  }
  if (sum < least || sum > most) {
    world_.fail("%lld requests accounted; at least %lld, at most %lld were there",
                static_cast<long long>(sum), static_cast<long long>(least),
                static_cast<long long>(most));
  }
}

void Checks::add_to(RunTotals& totals) const {
  ++totals.runs;
  totals.turns += world_.turns;
  totals.tables += overseer_.last().version;
  totals.seconds +=
      std::chrono::duration<double>(world_.now().time_since_epoch() - std::chrono::hours(100))
          .count();
  for (const auto& one : ledger_.all()) {
    ++totals.requests;
    if (!one->complete) {
      ++totals.broken;
    } else if (one->own) {
      ++totals.own;
    } else {
      ++totals.whole;
    }
    if (one->status == 101) ++totals.tunnels;
  }
}

}  // namespace simulation
