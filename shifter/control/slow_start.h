// How a color that was down or out of service begins again: first some requests of our own, then a
// share of new users that grows. Pure; the wiring sends the requests and publishes the share.
#pragma once

#include <vector>

#include "proxy/base/clock.h"
#include "shifter/control/config.h"

namespace control {

class SlowStart {
 public:
  explicit SlowStart(size_t colors) : colors_(colors) {}

  struct Look {
    bool out = false;     // seen down by a verdict, or closing, or in maint
    bool able = false;    // its state and its probes would let it take users
    bool needed = false;  // nobody else takes them: no time to lose
  };
  void observe(size_t color, const Look& look, const SlowStartConfig& config, base::Instant now);

  // Kept from users until this many more warm-up requests have ended; 0: it may serve.
  int warm_ups_left(size_t color) const { return colors_[color].warm_ups; }
  void on_warm_up(size_t color);  // one has ended, however
  // Percent of its weight that it takes now, in steps: 10 to 100.
  int share(size_t color, const SlowStartConfig& config, base::Instant now) const;

 private:
  struct Color {
    bool was_out = false;
    int warm_ups = 0;
    bool ramping = false;
    base::Instant since{};  // of the ramp
  };
  std::vector<Color> colors_;
};

}  // namespace control
