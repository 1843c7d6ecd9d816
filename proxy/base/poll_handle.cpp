#include "proxy/base/poll_handle.h"

#include <unistd.h>
#include <uv.h>

#include "proxy/base/check.h"
#include "proxy/base/uv_loop.h"

namespace base {

struct PollSlot {
  uv_poll_t poll;
  UvLoop* loop;
  PollTarget* target;
  PollSlot* next_free;
  int descriptor;
  int watched;

  static void on_event(uv_poll_t* poll, int status, int events) {
    auto* slot = reinterpret_cast<PollSlot*>(poll);
    slot->loop->begin_turn();
    if (status < 0) slot->watched = 0;
    slot->target->on_poll(status, events);
  }
  static void on_closed(uv_handle_t* handle) {
    auto* slot = reinterpret_cast<PollSlot*>(handle);
    slot->loop->poll_pool().give_back(slot);
  }
};

Result<PollHandle> PollHandle::open(UvLoop& loop, int descriptor, PollTarget* target) {
  PollHandle handle;
  PollSlot* slot = loop.poll_pool().take();
  const int error = uv_poll_init(loop.raw(), &slot->poll, descriptor);
  if (error != 0) {
    loop.poll_pool().give_back(slot);
    close(descriptor);
    return fail(io_error("watch a descriptor", -error));
  }
  slot->loop = &loop;
  slot->target = target;
  slot->descriptor = descriptor;
  slot->watched = 0;
  handle.slot_ = slot;
  return handle;
}

PollHandle::~PollHandle() {
  if (slot_ == nullptr) return;
  if (slot_->loop == nullptr) {
    close(slot_->descriptor);
    delete slot_;
    return;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&slot_->poll), &PollSlot::on_closed);
  close(slot_->descriptor);  // allowed at once: libuv has taken it out of epoll
}

void PollHandle::set_target(PollTarget* target) { slot_->target = target; }

void PollHandle::leave_loop(void* handle) { static_cast<PollSlot*>(handle)->loop = nullptr; }

void PollHandle::watch(int events) {
  if (events == slot_->watched || slot_->loop == nullptr) return;
  slot_->watched = events;
  const int error = events == 0 ? uv_poll_stop(&slot_->poll)
                                : uv_poll_start(&slot_->poll, events, &PollSlot::on_event);
  CHECK(error == 0);
}

int PollHandle::watched() const { return slot_->watched; }
int PollHandle::descriptor() const { return slot_->descriptor; }

PollSlot* PollPool::take() {
  if (free_ == nullptr) return new PollSlot;
  PollSlot* slot = free_;
  free_ = slot->next_free;
  --free_count_;
  return slot;
}

void PollPool::give_back(PollSlot* slot) {
  if (free_count_ == kFreeMax) {
    delete slot;
    return;
  }
  slot->next_free = free_;
  free_ = slot;
  ++free_count_;
}

PollPool::~PollPool() {
  while (free_ != nullptr) delete std::exchange(free_, free_->next_free);
}

}  // namespace base
