// A descriptor watched by a UvLoop. Owns the descriptor; the libuv handle behind it is recycled by
// the loop, because libuv lets go of a handle only after the turn in which it was closed.
#pragma once

#include <cstddef>
#include <utility>

#include "proxy/base/result.h"

namespace base {

class UvLoop;
struct PollSlot;

// Who is told about readiness. `status` is 0 or libuv's error; `events` are UV_READABLE and so on.
// After an error libuv has stopped watching.
class PollTarget {
 public:
  virtual void on_poll(int status, int events) = 0;

 protected:
  ~PollTarget() = default;
};

class PollHandle {
 public:
  PollHandle() = default;
  // Takes `descriptor`, also when it fails (it is closed then).
  static Result<PollHandle> open(UvLoop& loop, int descriptor, PollTarget* target);
  PollHandle(PollHandle&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  PollHandle& operator=(PollHandle&& other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~PollHandle();  // closes the descriptor at once

  void set_target(PollTarget* target);
  // Watches for these events, 0 for none. Costs system calls unless `events` is what watched() is.
  void watch(int events);
  int watched() const;
  int descriptor() const;

  // The loop ends before the owner of this handle (a uv_handle_t) does: only the descriptor is
  // left.
  static void leave_loop(void* handle);

 private:
  PollSlot* slot_ = nullptr;
};

// The recycled handles of one loop.
class PollPool {
 public:
  ~PollPool();

 private:
  friend class PollHandle;
  friend struct PollSlot;
  static constexpr size_t kFreeMax = 4096;
  PollSlot* take();
  void give_back(PollSlot* slot);
  PollSlot* free_ = nullptr;
  size_t free_count_ = 0;
};

}  // namespace base
