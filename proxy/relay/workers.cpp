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
          thread.loop->mailbox().post([&thread, color, ticket, slot] {
            if (thread.worker != nullptr) thread.worker->on_slot(color, ticket, slot);
          });
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
  auto left = std::make_shared<std::atomic<int>>(count());
  auto whole = std::make_shared<std::function<void()>>(std::move(empty));
  on_each([main = main_, left, whole](Thread& thread) {
    thread.worker->leave([main, left, whole] {
      if (left->fetch_sub(1) == 1) main->post([whole] { (*whole)(); });
    });
  });
}

// An address is granted only while every table that some worker may still use knows it as usable:
// what is not usable any more goes at once, what is new comes when every worker has its table.
void Workers::configure_slots() {
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

void Workers::on_applied(uint64_t version) {
  while (in_use_.front()->version < version) in_use_.pop_front();
  configure_slots();
}

void Workers::publish(std::shared_ptr<const routing::RoutingTable> table,
                      std::function<void()> applied) {
  CHECK(table_ == nullptr || table->version > table_->version);
  table_ = table;
  const bool is_first = in_use_.empty();
  in_use_.push_back(table);
  // The first has no table before it, and nobody listens yet.
  if (!is_first) configure_slots();
  auto left = std::make_shared<std::atomic<int>>(count());
  auto whole = std::make_shared<std::function<void()>>(std::move(applied));
  on_each([this, table, left, whole](Thread& thread) {
    thread.worker->apply(table);
    thread.applied.store(table->version, std::memory_order_release);
    if (left->fetch_sub(1) != 1) return;
    main_->post([this, version = table->version, whole] {
      on_applied(version);
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
