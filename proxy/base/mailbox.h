// Runs a closure on another thread's loop. The one way in between threads.
#pragma once

#include <functional>

namespace base {

class Mailbox {
 public:
  virtual ~Mailbox() = default;
  // From any thread. Closures run in order on the loop's thread; those that are still waiting when
  // the loop ends are dropped, not run.
  virtual void post(std::function<void()> work) = 0;
};

}  // namespace base
