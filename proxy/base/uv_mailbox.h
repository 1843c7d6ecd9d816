// The Mailbox of a UvLoop. It may outlive its loop: what is posted after close() is dropped.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "proxy/base/mailbox.h"

struct uv_async_s;
struct uv_loop_s;

namespace base {

class UvMailbox final : public Mailbox {
 public:
  // `begin_turn` runs on the loop's thread before the first closure of a batch.
  UvMailbox(uv_loop_s* loop, std::function<void()> begin_turn);
  ~UvMailbox() override;

  void post(std::function<void()> work) override;
  // On the loop's thread, while the loop still runs its closing callbacks.
  void close();

 private:
  void run_waiting();

  std::function<void()> begin_turn_;
  uv_async_s* async_;  // freed by its close callback
  std::mutex mutex_;
  std::vector<std::function<void()>> waiting_;
  bool closed_ = false;
};

}  // namespace base
