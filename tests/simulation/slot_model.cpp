#include "tests/simulation/slot_model.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "proxy/relay/slot_pool.h"
#include "tests/simulation/random.h"

namespace simulation {
namespace {

using relay::Slot;
using relay::SlotPool;
using relay::SlotRequest;

constexpr int kAddresses = 4;

class SlotModel {
 public:
  explicit SlotModel(uint64_t seed);
  void run();

 private:
  struct Address {
    bool listed = false;
    bool usable = false;
    int slots = 0;
    int taken = 0;
    int free() const { return slots - taken; }
  };
  struct Grant {
    uint64_t ticket;
    Slot slot;
  };

  void configure();
  void take();
  void give_back();
  void cancel();
  void deliver();
  // Who of the line goes next, by the rules; nothing: nobody can.
  std::optional<size_t> next_of_line() const;
  bool may_go(const SlotRequest& request, bool others_wait) const;
  bool is_open(int id, int avoid) const;
  int total() const;
  void serve();
  void grant(const SlotRequest& request, const Slot& slot);
  [[noreturn]] void fail(const char* what) const;

  const uint64_t seed_;
  Random random_;
  SlotPool pool_;
  std::vector<Grant> granted_;  // by the pool, in this operation
  std::deque<Grant> on_its_way_;
  std::array<Address, kAddresses> addresses_;
  std::deque<SlotRequest> line_;
  std::map<uint64_t, int> held_;  // by session
  int streaming_ = 0;
  std::vector<Slot> held_slots_;
  std::vector<uint64_t> cancelled_;  // while their grant was on its way
  uint64_t next_ticket_ = 1;
  const int line_max_;
};

SlotModel::SlotModel(uint64_t seed)
    : seed_(seed),
      random_(seed ^ 0x510),
      pool_(
          [this](uint32_t, uint64_t ticket, Slot slot) {
            granted_.push_back({ticket, slot});
          },
          12),
      line_max_(12) {}

void SlotModel::fail(const char* what) const {
  std::fprintf(stderr, "seed %llu: slots: %s\n", static_cast<unsigned long long>(seed_), what);
  for (const Address& one : addresses_) {
    std::fprintf(stderr, "  address: %d of %d taken%s%s\n", one.taken, one.slots,
                 one.listed ? "" : ", not listed", one.usable ? "" : ", not usable");
  }
  for (const auto& [session, held] : held_) {
    std::fprintf(stderr, "  session %llu holds %d\n", static_cast<unsigned long long>(session),
                 held);
  }
  for (const SlotRequest& one : line_) {
    std::fprintf(stderr, "  waits: %llu, session %llu%s, avoids %d\n",
                 static_cast<unsigned long long>(one.ticket),
                 static_cast<unsigned long long>(one.session), one.streaming ? ", streaming" : "",
                 one.avoid);
  }
  std::fflush(stderr);
  std::_Exit(1);
}

int SlotModel::total() const {
  int total = 0;
  for (const Address& one : addresses_) total += one.listed && one.usable ? one.slots : 0;
  return total;
}

bool SlotModel::is_open(int id, int avoid) const {
  const Address& one = addresses_[static_cast<size_t>(id)];
  if (!one.listed || !one.usable) return false;
  if (id != avoid) return true;
  for (int other = 0; other < kAddresses; ++other) {
    if (other != avoid && is_open(other, -1)) return false;
  }
  return true;
}

bool SlotModel::may_go(const SlotRequest& request, bool others_wait) const {
  if (request.session != 0 && others_wait) {
    const auto found = held_.find(request.session);
    const int held = found == held_.end() ? 0 : found->second;
    if (held > 0 && (held + 1) * 2 > total()) return false;
  }
  if (request.streaming && streaming_ >= std::max(1, total() / 3)) return false;
  for (int id = 0; id < kAddresses; ++id) {
    if (is_open(id, request.avoid) && addresses_[static_cast<size_t>(id)].free() > 0) return true;
  }
  return false;
}

std::optional<size_t> SlotModel::next_of_line() const {
  for (size_t i = 0; i < line_.size(); ++i) {
    const bool others = std::any_of(line_.begin(), line_.end(), [&](const SlotRequest& one) {
      return one.session != line_[i].session;
    });
    if (may_go(line_[i], others)) return i;
  }
  return std::nullopt;
}

// The slot must be of an address that is open for it, and of those the one with most free.
void SlotModel::grant(const SlotRequest& request, const Slot& slot) {
  if (slot.session != request.session || slot.streaming != request.streaming) {
    fail("a slot with another's facts");
  }
  if (!is_open(slot.backend, request.avoid)) fail("a slot of an address that is not open");
  Address& chosen = addresses_[slot.backend];
  if (chosen.free() <= 0) fail("more slots than there are");
  for (int id = 0; id < kAddresses; ++id) {
    if (is_open(id, request.avoid) && addresses_[static_cast<size_t>(id)].free() > chosen.free()) {
      fail("a slot of a fuller address");
    }
  }
  ++chosen.taken;
  if (request.session != 0) ++held_[request.session];
  if (request.streaming) ++streaming_;
}

// What the pool granted in this operation, one by one, against who had to be next.
void SlotModel::serve() {
  size_t at = 0;
  while (const auto next = next_of_line()) {
    if (at == granted_.size()) fail("somebody waits beside a slot that he may have");
    if (granted_[at].ticket != line_[*next].ticket) fail("somebody was overtaken");
    grant(line_[*next], granted_[at].slot);
    line_.erase(line_.begin() + static_cast<long>(*next));
    on_its_way_.push_back(granted_[at++]);
  }
  if (at != granted_.size()) fail("a grant against the rules");
  granted_.clear();
  if (pool_.waiting() != static_cast<int>(line_.size())) fail("waiting is counted wrongly");
}

void SlotModel::configure() {
  std::vector<SlotPool::Backend> backends;
  for (int id = 0; id < kAddresses; ++id) {
    Address& one = addresses_[static_cast<size_t>(id)];
    one.listed = random_.percent(75);
    one.usable = random_.percent(80);
    if (!one.listed) continue;
    one.slots = static_cast<int>(random_.between(1, 4));
    backends.push_back({static_cast<relay::BackendId>(id), one.slots, one.usable});
  }
  random_.shuffle(backends);
  pool_.configure(backends);
}

void SlotModel::take() {
  SlotRequest request;
  request.ticket = next_ticket_++;
  request.session = random_.percent(30) ? 0 : random_.between(1, 3);
  request.streaming = random_.percent(25);
  request.avoid = random_.percent(20) ? static_cast<int>(random_.below(kAddresses)) : -1;
  const bool was_empty = line_.empty();
  const bool full = static_cast<int>(line_.size()) >= line_max_;
  const bool at_once = was_empty && may_go(request, false);
  Slot slot;
  switch (pool_.take(request, slot)) {
    case SlotPool::Taken::granted:
      if (!at_once) fail("granted past the line or the limits");
      grant(request, slot);
      held_slots_.push_back(slot);
      return;
    case SlotPool::Taken::waiting:
      if (at_once) fail("waits though there is room");
      if (full) fail("a line longer than its limit");
      line_.push_back(request);
      return;
    case SlotPool::Taken::full:
      if (!full || at_once) fail("turned away though there is room");
      return;
  }
}

void SlotModel::give_back() {
  if (held_slots_.empty()) return;
  const size_t at = random_.below(held_slots_.size());
  const Slot slot = held_slots_[at];
  held_slots_.erase(held_slots_.begin() + static_cast<long>(at));
  --addresses_[slot.backend].taken;
  if (slot.session != 0) --held_[slot.session];
  if (slot.streaming) --streaming_;
  pool_.give_back(slot);
}

void SlotModel::cancel() {
  const bool waits = !line_.empty() && random_.percent(70);
  if (!waits && on_its_way_.empty()) return;
  if (!waits) {
    const uint64_t ticket = on_its_way_[random_.below(on_its_way_.size())].ticket;
    if (pool_.cancel(0, ticket)) fail("cancelled what was granted");
    cancelled_.push_back(ticket);
    return;
  }
  const size_t at = random_.below(line_.size());
  const uint64_t ticket = line_[at].ticket;
  line_.erase(line_.begin() + static_cast<long>(at));
  if (!pool_.cancel(0, ticket)) fail("did not find who waits");
}

// A grant arrives at its worker: kept, or given back when nobody wants it any more.
void SlotModel::deliver() {
  if (on_its_way_.empty()) return;
  const Grant grant = on_its_way_.front();
  on_its_way_.pop_front();
  held_slots_.push_back(grant.slot);
  const auto found = std::find(cancelled_.begin(), cancelled_.end(), grant.ticket);
  if (found == cancelled_.end()) return;
  cancelled_.erase(found);
  held_slots_.pop_back();
  --addresses_[grant.slot.backend].taken;
  if (grant.slot.session != 0) --held_[grant.slot.session];
  if (grant.slot.streaming) --streaming_;
  pool_.give_back(grant.slot);
}

void SlotModel::run() {
  configure();
  serve();
  for (int i = 0; i < 120; ++i) {
    const auto roll = random_.below(100);
    if (roll < 40) {
      take();
    } else if (roll < 65) {
      give_back();
    } else if (roll < 75) {
      cancel();
    } else if (roll < 97) {
      deliver();
    } else {
      configure();
    }
    serve();
  }
  while (!line_.empty() || !on_its_way_.empty() || !held_slots_.empty()) {
    if (on_its_way_.empty() && held_slots_.empty()) {  // nothing is usable
      for (Address& one : addresses_) one.listed = one.usable = true;
      std::vector<SlotPool::Backend> backends;
      for (int id = 0; id < kAddresses; ++id) {
        addresses_[static_cast<size_t>(id)].slots = 2;
        backends.push_back({static_cast<relay::BackendId>(id), 2, true});
      }
      pool_.configure(backends);
    } else if (!on_its_way_.empty()) {
      deliver();
    } else {
      give_back();
    }
    serve();
  }
  for (const Address& one : addresses_) {
    if (one.taken != 0) fail("slots are left");
  }
}

}  // namespace

void check_slots(uint64_t seed) { SlotModel(seed).run(); }

}  // namespace simulation
