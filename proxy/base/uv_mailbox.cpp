#include "proxy/base/uv_mailbox.h"

#include <uv.h>

#include "proxy/base/check.h"

namespace base {

UvMailbox::UvMailbox(uv_loop_s* loop, std::function<void()> begin_turn)
    : begin_turn_(std::move(begin_turn)), async_(new uv_async_t) {
  async_->data = this;
  const int error = uv_async_init(
      loop, async_, [](uv_async_t* async) { static_cast<UvMailbox*>(async->data)->run_waiting(); });
  CHECK(error == 0);
}

UvMailbox::~UvMailbox() { CHECK(closed_); }

void UvMailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  waiting_.push_back(std::move(work));
  // One wake-up for all that is posted before the loop looks.
  if (waiting_.size() == 1) uv_async_send(async_);
}

void UvMailbox::run_waiting() {
  begin_turn_();
  std::vector<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(waiting_);
  }
  for (std::function<void()>& work : batch) {
    work();
    work = nullptr;  // what it holds goes now, not when the whole batch is done
  }
}

void UvMailbox::close() {
  std::vector<std::function<void()>> dropped;  // destroyed outside the lock: may hold anything
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  closed_ = true;
  dropped.swap(waiting_);
  uv_close(reinterpret_cast<uv_handle_t*>(async_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

}  // namespace base
