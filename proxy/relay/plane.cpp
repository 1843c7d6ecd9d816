#include "proxy/relay/plane.h"

#include <algorithm>
#include <mutex>

#include "proxy/base/check.h"
#include "proxy/relay/relay_core.h"
#include "proxy/relay/worker.h"

namespace relay {

struct Plane::Seat {
  explicit Seat(base::Mailbox& to) : mailbox(to) {}
  base::Mailbox& mailbox;
  std::unique_ptr<Worker> worker;  // lives and dies on its loop
  std::atomic<uint64_t> applied{0};
};

Plane::Plane(const RelayConfig& config, std::shared_ptr<base::Mailbox> main, std::string instance,
             base::Log* access_log, base::Log* events)
    : core_(std::make_unique<RelayCore>(config, access_log)), main_(std::move(main)) {
  core_->events = events;
  core_->instance = std::move(instance);
  for (routing::ColorIndex color = 0; color < routing::kColorsMax; ++color) {
    core_->slots[color] = std::make_unique<SlotPool>(
        [this, color](uint32_t worker, uint64_t ticket, Slot slot) {
          Seat& seat = *seats_[worker];
          seat.mailbox.post([&seat, color, ticket, slot] {
            if (seat.worker != nullptr) seat.worker->on_slot(color, ticket, slot);
          });
        },
        config.queue_length);
  }
}

Plane::~Plane() = default;

void Plane::add_worker(base::Loop& loop, base::Mailbox& mailbox) {
  CHECK(table_ == nullptr);
  auto seat = std::make_unique<Seat>(mailbox);
  seat->worker = std::make_unique<Worker>(static_cast<uint32_t>(seats_.size()), loop, *core_);
  seats_.push_back(std::move(seat));
}

void Plane::end_worker(size_t index) { seats_[index]->worker.reset(); }
Worker& Plane::worker(size_t index) { return *seats_[index]->worker; }

// Runs on each worker's loop, soon. What it captures must be safe to use from there.
void Plane::on_each(const std::function<void(Seat&)>& work) {
  for (auto& seat : seats_) {
    seat->mailbox.post([work, raw = seat.get()] {
      if (raw->worker != nullptr) work(*raw);
    });
  }
}

void Plane::begin_lame_duck() { core_->lame_duck.store(true); }

std::function<void()> Plane::when_all_have(std::function<void()> empty) {
  auto left = std::make_shared<std::atomic<int>>(count());
  auto whole = std::make_shared<std::function<void()>>(std::move(empty));
  return [main = main_, left, whole] {
    if (left->fetch_sub(1) == 1) main->post([whole] { (*whole)(); });
  };
}

void Plane::leave(std::function<void()> empty) {
  on_each([done = when_all_have(std::move(empty))](Seat& seat) { seat.worker->leave(done); });
}

void Plane::hand_over(base::Millis idle, base::Millis grace, std::function<void()> empty) {
  on_each([idle, grace, done = when_all_have(std::move(empty))](Seat& seat) {
    seat.worker->hand_over(idle, grace, done);
  });
}

// An address is granted only while every table that some worker may still use knows it as usable:
// what is not usable any more goes at once, what is new comes when every worker has its table.
void Plane::configure_slots() {
  const auto is_usable = [this](size_t color, routing::BackendId id) {
    return std::all_of(in_use_.begin(), in_use_.end(), [&](const auto& table) {
      if (color >= table->colors.size()) return false;
      const std::vector<routing::Backend>& known = table->colors[color].http;
      return std::any_of(known.begin(), known.end(),
                         [id](const routing::Backend& one) { return one.id == id && one.usable; });
    });
  };
  for (size_t color = 0; color < table_->colors.size(); ++color) {
    const routing::ColorEntry& entry = table_->colors[color];
    std::vector<SlotPool::Backend> backends;
    for (const routing::Backend& backend : entry.http) {
      backends.push_back({backend.id, entry.slots, is_usable(color, backend.id)});
    }
    core_->slots[color]->configure(backends);
  }
}

void Plane::on_applied(uint64_t version) {
  while (in_use_.front()->version < version) in_use_.pop_front();
  configure_slots();
}

void Plane::publish(std::shared_ptr<const routing::RoutingTable> table,
                    std::function<void()> applied) {
  CHECK(table_ == nullptr || table->version > table_->version);
  table_ = table;
  if (table->judge) core_->sessions.begin(table->judge->id);
  const bool is_first = in_use_.empty();
  in_use_.push_back(table);
  // The first has no table before it, and nobody listens yet.
  if (!is_first) configure_slots();
  auto left = std::make_shared<std::atomic<int>>(count());
  auto whole = std::make_shared<std::function<void()>>(std::move(applied));
  on_each([this, table, left, whole](Seat& seat) {
    seat.worker->apply(table);
    seat.applied.store(table->version, std::memory_order_release);
    if (left->fetch_sub(1) != 1) return;
    main_->post([this, version = table->version, whole] {
      on_applied(version);
      if (*whole) (*whole)();
    });
  });
}

uint64_t Plane::applied_version() const {
  uint64_t smallest = UINT64_MAX;
  for (const auto& seat : seats_) {
    smallest = std::min(smallest, seat->applied.load(std::memory_order_acquire));
  }
  return smallest;
}

routing::Totals Plane::totals() const {
  routing::Totals totals;
  for (const auto& seat : seats_) seat->worker->counters().add_to(totals);
  totals.overload_step = static_cast<int>(core_->overload.load());
  totals.spool_memory_bytes = core_->spool.memory_used();
  totals.spool_disk_bytes = core_->spool.disk_used();
  return totals;
}

void Plane::list(routing::ColorIndex color_or_none, size_t most,
                 std::function<void(std::vector<routing::InFlightEntry>)> done) {
  struct Gathered {
    std::mutex mutex;
    std::vector<routing::InFlightEntry> entries;
    std::atomic<int> left;
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->left = count();
  on_each([this, gathered, color_or_none, most, done](Seat& seat) {
    std::vector<routing::InFlightEntry> own;
    seat.worker->list(color_or_none, most, own);
    {
      std::lock_guard lock(gathered->mutex);
      for (auto& entry : own) gathered->entries.push_back(std::move(entry));
    }
    if (gathered->left.fetch_sub(1) != 1) return;
    main_->post([gathered, most, done] {
      auto& entries = gathered->entries;
      std::sort(entries.begin(), entries.end(),
                [](const auto& a, const auto& b) { return a.age > b.age; });
      if (entries.size() > most) entries.resize(most);
      done(std::move(entries));
    });
  });
}

void Plane::session_counts(uint64_t step, std::function<void(const routing::SessionCounts&)> done) {
  struct Gathered {
    std::mutex mutex;
    SampleParts parts;
    std::atomic<int> left;
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->left = count();
  on_each([this, gathered, step, done](Seat& seat) {
    const SessionSample& own = seat.worker->sample();
    if (own.is_on() && own.step() == step) {
      std::lock_guard lock(gathered->mutex);
      gathered->parts.add(own.parts());
    }
    if (gathered->left.fetch_sub(1) != 1) return;
    main_->post([gathered, step, done] { done(gathered->parts.counts(step)); });
  });
}

void Plane::close_idle(routing::ColorIndex color) {
  on_each([color](Seat& seat) { seat.worker->close_idle(color); });
}

void Plane::close_websockets(routing::ColorIndex color, base::Millis over) {
  on_each([color, over](Seat& seat) { seat.worker->close_websockets(color, over); });
}

void Plane::cut(routing::ColorIndex color) {
  on_each([color](Seat& seat) { seat.worker->cut(color); });
}

void Plane::set_overload(Overload step) {
  core_->set_overload(step);
  on_each([](Seat& seat) { seat.worker->on_overload(); });
}

}  // namespace relay
