// The slots of one color's http addresses, shared by all workers: how many connections each
// address takes at a time, and one line of those who wait, first come first served over all
// workers. The fast path is one atomic; the mutex is touched only when nothing is free.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>

#include "proxy/routing/backend_id.h"

namespace relay {

using routing::BackendId;

struct SlotRequest {
  uint32_t worker = 0;
  uint64_t ticket = 0;     // unique for its worker while it waits
  uint64_t session = 0;    // hash of the user, 0: unknown
  bool streaming = false;  // a `buffer: off` route
  int avoid = -1;          // a BackendId that just failed: taken only if there is no other
};

// A slot that was taken; goes back with exactly these facts.
struct Slot {
  BackendId backend = 0;
  uint64_t session = 0;
  bool streaming = false;
};

class SlotPool {
 public:
  // Called from any thread, under the pool's mutex: post the grant to the worker's mailbox. If
  // the ticket is gone there, the worker gives the slot back.
  using Grant = std::function<void(uint32_t worker, uint64_t ticket, Slot slot)>;
  SlotPool(Grant grant, int line_max) : grant_(std::move(grant)), line_max_(line_max) {}

  struct Backend {
    BackendId id = 0;
    int slots = 0;
    bool usable = false;  // its health
  };
  // Control thread. What is taken stays taken; fewer slots are reached as they come back.
  void configure(std::span<const Backend> backends);

  enum class Taken : uint8_t { granted, waiting, full };
  Taken take(const SlotRequest& request, Slot& slot);
  // Only what is free while nobody waits; never stands in the line.
  bool take_spare(const SlotRequest& request, Slot& slot) {
    return waiting_.load() == 0 && take_free(request, false, slot) == Found::slot;
  }
  // True: the ticket waited and is out of the line. False: a grant is on its way to the worker.
  bool cancel(uint32_t worker, uint64_t ticket);
  void give_back(const Slot& slot);

  int waiting() const { return waiting_.load(std::memory_order_relaxed); }
  int taken() const;  // over all addresses
  int slots_total() const { return total_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kSessionCells = 1024;
  struct alignas(64) Address {
    std::atomic<int> free{0};
    std::atomic<int> slots{0};
    std::atomic<bool> usable{false};
  };
  std::atomic<int>& held_by(uint64_t session) { return held_[session % kSessionCells]; }
  enum class Found : uint8_t { slot, nothing, refused };  // refused: by a rule of fairness
  Found take_free(const SlotRequest& request, bool others_wait, Slot& slot);
  int freest(int avoid, uint64_t turn, int& free) const;
  void serve_line();  // Needs: mutex_ held.

  Grant grant_;
  const int line_max_;
  std::array<Address, routing::kBackendsMax> addresses_;
  std::array<std::atomic<uint8_t>, 16> listed_{};  // ids of this color's addresses
  std::atomic<int> listed_count_{0};
  std::atomic<int> total_{0};
  std::atomic<int> streaming_{0};
  std::array<std::atomic<int>, kSessionCells> held_{};  // slots held, by session (hashed)
  std::atomic<int> waiting_{0};
  std::mutex mutex_;
  std::deque<SlotRequest> line_;
};

}  // namespace relay
