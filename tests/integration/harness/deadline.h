// Waiting in tests: always for an event, always with an end.
#pragma once

#include <poll.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "tests/support/slowness.h"

namespace harness {

using Millis = std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

using support::kSlowness;

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Deadline {
 public:
  explicit Deadline(Millis within) : end_(SteadyClock::now() + within) {}
  int left_ms() const {
    const auto left = std::chrono::ceil<Millis>(end_ - SteadyClock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
  }
  bool passed() const { return left_ms() == 0; }

 private:
  SteadyClock::time_point end_;
};

inline double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

// Asks `condition` again and again; throws when `within` has passed without it.
template <class Condition>
void await(const std::string& what, Condition condition, Millis within = Millis{10'000}) {
  const Deadline deadline(within * kSlowness);
  while (!condition()) {
    if (deadline.passed()) throw Failure("waited in vain for: " + what);
    ::poll(nullptr, 0, 2);
  }
}

// Sees whether `condition` holds all the time for `during`.
template <class Condition>
bool stays(Condition condition, Millis during) {
  const Deadline deadline(during);
  while (!deadline.passed()) {
    if (!condition()) return false;
    ::poll(nullptr, 0, 2);
  }
  return condition();
}

}  // namespace harness
