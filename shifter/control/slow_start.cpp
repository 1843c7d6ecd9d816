#include "shifter/control/slow_start.h"

#include <algorithm>

namespace control {

void SlowStart::observe(size_t index, const Look& look, const SlowStartConfig& config,
                        base::Instant now) {
  Color& color = colors_[index];
  if (look.out || !look.able) {
    color.was_out = color.was_out || look.out;
    color.warm_ups = 0;
    color.ramping = false;
    return;
  }
  if (color.was_out) {
    color.was_out = false;
    color.warm_ups = config.warm_up;
    color.ramping = config.ramp > base::Millis{0};
    color.since = now;
  }
  if (look.needed) color.warm_ups = 0;
  if (color.warm_ups > 0) color.since = now;  // the ramp begins with the first user
}

void SlowStart::on_warm_up(size_t color) {
  if (colors_[color].warm_ups > 0) --colors_[color].warm_ups;
}

int SlowStart::share(size_t index, const SlowStartConfig& config, base::Instant now) const {
  const Color& color = colors_[index];
  if (!color.ramping || config.ramp <= base::Millis{0}) return 100;
  const auto part = (now - color.since) * 10 / config.ramp;
  return static_cast<int>(std::clamp<int64_t>(part, 1, 10)) * 10;
}

}  // namespace control
