#include "proxy/relay/workers.h"

#include <algorithm>
#include <future>

#include "proxy/base/check.h"
#include "proxy/base/mac.h"
#include "proxy/base/uv_loop.h"
#include "proxy/relay/relay_core.h"
#include "proxy/relay/worker.h"

namespace relay {
namespace {

std::string unique_name() {
  std::array<uint8_t, 6> bytes{};
  base::random_bytes(bytes);
  std::string name = "sidecar-";
  for (uint8_t byte : bytes) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 0xf];
  }
  return name;
}

}  // namespace

Workers::Workers(const RelayConfig& config, std::shared_ptr<base::Mailbox> main,
                 base::Log* access_log)
    : main_(std::move(main)) {
  core_ = std::make_unique<RelayCore>(config, access_log);
  core_->instance = unique_name();
  for (routing::ColorIndex color = 0; color < routing::kColorsMax; ++color) {
    core_->slots[color] = std::make_unique<SlotPool>(
        [this, color](uint32_t worker, uint64_t ticket, Slot slot) {
          Thread& thread = *threads_[worker];
          thread.loop->mailbox().post(
              [&thread, color, ticket, slot] { thread.worker->on_slot(color, ticket, slot); });
        },
        config.queue_length);
  }
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  const int count = config.workers > 0 ? config.workers : std::clamp(cores, 1, 64);
  for (int i = 0; i < count; ++i) {
    auto thread = std::make_unique<Thread>();
    thread->loop = std::make_unique<base::UvLoop>();
    thread->worker = std::make_unique<Worker>(static_cast<uint32_t>(i), *thread->loop, *core_);
    threads_.push_back(std::move(thread));
  }
  for (auto& thread : threads_) {
    thread->thread = std::thread([raw = thread.get()] { raw->loop->run(); });
  }
}

Workers::~Workers() {
  for (auto& thread : threads_) {
    thread->loop->mailbox().post([raw = thread.get()] {
      raw->worker.reset();
      raw->loop->stop();
    });
  }
  for (auto& thread : threads_) thread->thread.join();
}

// Runs on each worker's thread, soon. What it captures must be safe to use from there.
void Workers::on_each(const std::function<void(Thread&)>& work) {
  for (auto& thread : threads_) {
    thread->loop->mailbox().post([work, raw = thread.get()] {
      if (raw->worker != nullptr) work(*raw);
    });
  }
}

base::Result<base::Address> Workers::listen() {
  CHECK(table_ != nullptr);
  base::Address at = core_->config.listen;
  for (auto& thread : threads_) {
    std::promise<base::Result<base::Address>> bound;
    thread->loop->mailbox().post(
        [&, raw = thread.get()] { bound.set_value(raw->worker->listen(at)); });
    base::Result<base::Address> result = bound.get_future().get();
    if (!result) return result;
    at = *result;
  }
  return at;
}

void Workers::begin_lame_duck() { core_->lame_duck.store(true); }

void Workers::leave(std::function<void()> empty) {
  empty_ = std::move(empty);
  on_each([](Thread& thread) { thread.worker->leave(); });
  look_whether_empty();
}

// Asks each worker in turn; the last to be empty says so. Asked again a little later otherwise.
void Workers::look_whether_empty() {
  auto busy = std::make_shared<std::atomic<int>>(0);
  auto left = std::make_shared<std::atomic<int>>(count());
  on_each([this, busy, left](Thread& thread) {
    if (!thread.worker->is_empty()) busy->fetch_add(1);
    if (left->fetch_sub(1) != 1) return;
    main_->post([this, any = busy->load() > 0] {
      if (!empty_) return;
      if (any) {
        look_whether_empty();
      } else {
        std::exchange(empty_, nullptr)();
      }
    });
  });
}

// In two steps, so that no worker is ever granted an address its table does not know: what is not
// usable any more goes at once, what is new is granted when every worker has the table.
void Workers::configure_slots(const routing::RoutingTable& table,
                              const routing::RoutingTable* before) {
  for (routing::ColorIndex color = 0; color < table.colors.size(); ++color) {
    std::vector<SlotPool::Backend> backends;
    for (const routing::Backend& backend : table.colors[color].http) {
      bool usable = backend.usable;
      if (usable && before != nullptr) {
        const auto& known = before->colors[color].http;
        usable = std::any_of(known.begin(), known.end(), [&](const routing::Backend& one) {
          return one.id == backend.id && one.usable;
        });
      }
      backends.push_back({backend.id, table.colors[color].slots, usable});
    }
    core_->slots[color]->configure(backends);
  }
}

void Workers::publish(std::shared_ptr<const routing::RoutingTable> table,
                      std::function<void()> applied) {
  CHECK(table_ == nullptr || table->version > table_->version);
  static const routing::RoutingTable kNothing{};
  const std::shared_ptr<const routing::RoutingTable> before = std::move(table_);
  table_ = table;
  if (before != nullptr && before->colors.size() == table->colors.size()) {
    configure_slots(*table, before.get());
  }
  auto left = std::make_shared<std::atomic<int>>(count());
  auto whole = std::make_shared<std::function<void()>>(std::move(applied));
  on_each([this, table, left, whole](Thread& thread) {
    thread.worker->apply(table);
    thread.applied.store(table->version, std::memory_order_release);
    if (left->fetch_sub(1) != 1) return;
    main_->post([this, table, whole] {
      if (table_ == table) configure_slots(*table, nullptr);
      if (*whole) (*whole)();
    });
  });
}

uint64_t Workers::applied_version() const {
  uint64_t smallest = UINT64_MAX;
  for (const auto& thread : threads_) {
    smallest = std::min(smallest, thread->applied.load(std::memory_order_acquire));
  }
  return smallest;
}

routing::Totals Workers::totals() const {
  routing::Totals totals;
  for (const auto& thread : threads_) thread->worker->counters().add_to(totals);
  totals.spool_memory_bytes = core_->spool.memory_used();
  totals.spool_disk_bytes = core_->spool.disk_used();
  return totals;
}

void Workers::list(routing::ColorIndex color_or_none, size_t most,
                   std::function<void(std::vector<routing::InFlightEntry>)> done) {
  struct Gathered {
    std::mutex mutex;
    std::vector<routing::InFlightEntry> entries;
    std::atomic<int> left;
  };
  auto gathered = std::make_shared<Gathered>();
  gathered->left = count();
  on_each([this, gathered, color_or_none, most, done](Thread& thread) {
    std::vector<routing::InFlightEntry> own;
    thread.worker->list(color_or_none, most, own);
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

void Workers::close_idle(routing::ColorIndex color) {
  on_each([color](Thread& thread) { thread.worker->close_idle(color); });
}

void Workers::close_websockets(routing::ColorIndex color, base::Millis over) {
  on_each([color, over](Thread& thread) { thread.worker->close_websockets(color, over); });
}

void Workers::cut(routing::ColorIndex color) {
  on_each([color](Thread& thread) { thread.worker->cut(color); });
}

}  // namespace relay
