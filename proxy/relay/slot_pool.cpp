#include "proxy/relay/slot_pool.h"

#include <algorithm>

#include "proxy/base/check.h"

namespace relay {

// The orders that matter: a taker announces itself in waiting_ before it looks for a free slot a
// last time; a giver gives everything back before it looks at waiting_. All of it sequentially
// consistent, so one of the two sees the other and no wake-up is lost.

void SlotPool::configure(std::span<const Backend> backends) {
  std::lock_guard lock(mutex_);
  CHECK(backends.size() <= listed_.size());
  int total = 0;
  for (Address& address : addresses_) address.usable.store(false);
  for (size_t i = 0; i < backends.size(); ++i) {
    Address& address = addresses_[backends[i].id];
    const int before = address.slots.exchange(backends[i].slots);
    address.free.fetch_add(backends[i].slots - before);
    address.usable.store(backends[i].usable);
    listed_[i].store(backends[i].id);
    if (backends[i].usable) total += backends[i].slots;
  }
  listed_count_.store(static_cast<int>(backends.size()));
  total_.store(total);
  serve_line();
}

// The usable address with most free slots, or -1. What is avoided counts only if no other is
// usable: one that is merely busy is waited for. `turn` breaks ties, so that addresses that are
// equally free are used in turn.
int SlotPool::freest(int avoid, uint64_t turn, int& free) const {
  const auto count = static_cast<size_t>(listed_count_.load());
  int best = -1;
  bool has_other = false;
  free = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint8_t id = listed_[(turn + i) % count].load();
    if (id == avoid || !addresses_[id].usable.load()) continue;
    has_other = true;
    const int free_here = addresses_[id].free.load();
    if (free_here > free) {
      best = id;
      free = free_here;
    }
  }
  return has_other || avoid < 0 ? best : freest(-1, turn, free);
}

SlotPool::Found SlotPool::take_free(const SlotRequest& request, bool others_wait, Slot& slot) {
  const uint64_t session = request.session;
  const int total = total_.load();
  if (session != 0) {
    // Only while somebody else waits may nobody hold more than half.
    const int held = held_by(session).load();
    if (others_wait && held > 0 && (held + 1) * 2 > total) return Found::refused;
  }
  if (request.streaming && streaming_.fetch_add(1) >= std::max(1, total / 3)) {
    streaming_.fetch_sub(1);
    return Found::refused;
  }
  int free = 0;
  // Who loses a race for one address looks at the others again.
  for (int best; (best = freest(request.avoid, request.ticket, free)) >= 0;) {
    if (addresses_[static_cast<size_t>(best)].free.compare_exchange_weak(free, free - 1)) {
      if (session != 0) held_by(session).fetch_add(1);
      slot = {static_cast<BackendId>(best), session, request.streaming};
      return Found::slot;
    }
  }
  if (request.streaming) streaming_.fetch_sub(1);
  // One that waits for another address than the one that failed stands in nobody's way.
  const bool elsewhere = request.avoid >= 0 && freest(-1, 0, free) >= 0;
  return elsewhere ? Found::refused : Found::nothing;
}

SlotPool::Taken SlotPool::take(const SlotRequest& request, Slot& slot) {
  if (take_spare(request, slot)) return Taken::granted;
  std::lock_guard lock(mutex_);
  if (static_cast<int>(line_.size()) >= line_max_) return Taken::full;
  line_.push_back(request);
  waiting_.fetch_add(1);
  serve_line();
  return Taken::waiting;
}

bool SlotPool::cancel(uint32_t worker, uint64_t ticket) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(line_.begin(), line_.end(), [&](const SlotRequest& waiter) {
    return waiter.worker == worker && waiter.ticket == ticket;
  });
  if (found == line_.end()) return false;
  line_.erase(found);
  waiting_.fetch_sub(1);
  serve_line();  // who was passed over because of this one may go now
  return true;
}

void SlotPool::give_back(const Slot& slot) {
  if (slot.session != 0) held_by(slot.session).fetch_sub(1);
  if (slot.streaming) streaming_.fetch_sub(1);
  addresses_[slot.backend].free.fetch_add(1);
  if (waiting_.load() > 0) {
    std::lock_guard lock(mutex_);
    serve_line();
  }
}

void SlotPool::serve_line() {
  for (size_t i = 0; i < line_.size();) {
    const SlotRequest waiter = line_[i];
    Slot slot;
    const bool others_wait = std::any_of(line_.begin(), line_.end(), [&](const SlotRequest& other) {
      return other.session != waiter.session;
    });
    const Found found = take_free(waiter, others_wait, slot);
    // Nobody behind may have what comes free in this moment: its giver looks at the line next.
    if (found == Found::nothing) return;
    if (found == Found::refused) {
      ++i;  // passed over by a rule; the next may go
      continue;
    }
    line_.erase(line_.begin() + static_cast<std::ptrdiff_t>(i));
    waiting_.fetch_sub(1);
    grant_(waiter.worker, waiter.ticket, slot);
    i = 0;  // who was passed over because of this one may go now
  }
}

int SlotPool::taken() const {
  int taken = 0;
  for (int i = 0; i < listed_count_.load(); ++i) {
    const Address& address = addresses_[listed_[static_cast<size_t>(i)].load()];
    taken += address.slots.load() - address.free.load();
  }
  return taken;
}

}  // namespace relay
