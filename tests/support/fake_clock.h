// A Clock that stands still until a test moves it. The wall can jump by itself, as it does when an
// operator or NTP sets it.
#pragma once

#include "proxy/base/clock.h"

namespace support {

class FakeClock : public base::Clock {
 public:
  base::Instant now() const override { return now_; }
  base::WallTime wall() const override { return wall_; }

  // Time passes: both clocks move.
  void advance(std::chrono::nanoseconds by) {
    now_ += by;
    passed_ += by;
    wall_ = wall_start_ + std::chrono::floor<base::Millis>(passed_);
  }
  // Somebody sets the wall clock, forwards or backwards; the monotonic one does not notice.
  void jump_wall(base::Millis by) {
    wall_start_ += by;
    wall_ += by;
  }
  void set_wall(base::WallTime to) { jump_wall(to - wall_); }

 private:
  // 2026-06-30T12:00:00Z and a machine that is up since a while.
  base::WallTime wall_start_{base::Millis(1'782'820'800'000)};
  base::WallTime wall_ = wall_start_;
  base::Instant now_{std::chrono::hours(100)};
  std::chrono::nanoseconds passed_{0};
};

}  // namespace support
