// Time as everything here sees it: a monotonic instant for deadlines and a wall time for logs,
// cookies and files. Tests and the simulation bring their own Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace base {

using Millis = std::chrono::milliseconds;
using Micros = std::chrono::microseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

inline int64_t us_between(Instant from, Instant to) {
  return std::chrono::duration_cast<Micros>(to - from).count();
}

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
  virtual WallTime wall() const = 0;
};

// The operating system's clocks.
class SystemClock final : public Clock {
 public:
  Instant now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
};

}  // namespace base
