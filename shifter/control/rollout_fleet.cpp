#include "shifter/control/rollout_fleet.h"

#include "proxy/base/check.h"

namespace control {
namespace {

const IsUp kAnyUp = [](size_t) { return true; };

void open(Fleet& fleet, size_t color) {
  if (fleet.colors[color].state == ColorState::ready) return;
  auto next = set_ready(fleet, color);
  CHECK(next.has_value());
  fleet = *std::move(next);
}

void close(Fleet& fleet, size_t color) {
  const ColorState state = fleet.colors[color].state;
  if (state == ColorState::closing || state == ColorState::maint) return;
  auto next = ask_maint(fleet, color, /*last=*/true, kAnyUp, /*fallback_allow=*/true);
  CHECK(next.has_value());
  fleet = *std::move(next);
}

void drain(Fleet& fleet, size_t color, base::Instant now, const DrainConfig& config) {
  DrainAsk ask;
  ask.deadline_default = config.deadline;
  ask.quiet_default = config.quiet;
  ask.last = true;  // the canary has all the weight
  auto next = ask_drain(fleet, color, ask, now, kAnyUp, /*fallback_allow=*/true);
  CHECK(next.has_value());
  fleet = *std::move(next);
}

void share_out(Fleet& fleet, size_t canary, int percent) {
  for (size_t i = 0; i < fleet.colors.size(); ++i) {
    fleet.colors[i].weight = i == canary ? percent : 100 - percent;
  }
}

}  // namespace

Fleet fleet_after(const Fleet& fleet, const RolloutPlan& plan, const Effects& effects,
                  base::Instant now, const DrainConfig& config) {
  Fleet next = fleet;
  const bool has_stable = plan.stable != routing::kNoColor;
  if (effects.open_canary) open(next, plan.canary);
  if (effects.open_stable && has_stable) open(next, plan.stable);
  if (effects.close_canary) close(next, plan.canary);
  if (effects.drain_stable && has_stable) drain(next, plan.stable, now, config);
  const bool is_moved = effects.share || effects.void_canary;
  const bool is_redraw_over = effects.end_redraw && next.redraw;
  if (is_moved || effects.redraw || is_redraw_over) ++next.epoch;
  if (effects.share) share_out(next, plan.canary, *effects.share);
  if (effects.void_canary) next.colors[plan.canary].valid_from = next.epoch;
  if (effects.end_redraw) next.redraw.reset();
  if (effects.redraw && has_stable && !next.redraw) {
    next.redraw = routing::Redraw{plan.stable, next.epoch};
  }
  return next;
}

}  // namespace control
