// Lets a scripted backend hold its requests until the test lets them through.
#pragma once

#include <condition_variable>
#include <mutex>

namespace harness {

class Gatekeeper {
 public:
  void wait_for_turn() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return open_ || turns_ > 0; });
    if (!open_) --turns_;
  }
  void let_one_through() {
    change([this] { ++turns_; });
  }
  void open() {
    change([this] { open_ = true; });
  }

 private:
  template <class Change>
  void change(Change what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  int turns_ = 0;
  bool open_ = false;
};

}  // namespace harness
