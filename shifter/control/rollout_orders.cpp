#include "shifter/control/rollout_orders.h"

#include <utility>

namespace control {
namespace {

tl::unexpected<AdminError> refuse_idle() { return refuse("no rollout runs"); }

std::string as_it_is(const Rollout& now) { return "the rollout is " + text_of(now); }

}  // namespace

RolloutStep begin_rollout(RolloutPlan plan, uint64_t number, base::Instant now,
                          const RolloutConfig& config) {
  RolloutStep step;
  step.next.state = RolloutState::preparing;
  step.next.plan = std::move(plan);
  step.next.number = number;
  step.next.began = now;
  step.next.since = now;
  step.next.deadline = now + config.prepare_max;
  return step;
}

Answer<RolloutStep> ask_pause(const Rollout& now, const RolloutSight& sight,
                              const RolloutConfig& config) {
  if (now.is_idle()) return refuse_idle();
  const RolloutState judged = now.judged();
  if (judged != RolloutState::canary && judged != RolloutState::switched) {
    return refuse(as_it_is(now) + ": a step or the bake can be paused");
  }
  if (now.hold == HoldReason::no_return) {
    return refuse(as_it_is(now) + ": it moves no more by itself");
  }
  return begin_hold(now, HoldReason::paused, sight.now, config);
}

Answer<RolloutStep> ask_resume(const Rollout& now, bool accept, const RolloutSight& sight,
                               const RolloutConfig& config) {
  if (now.is_idle()) return refuse_idle();
  if (now.state != RolloutState::holding) return refuse(as_it_is(now) + ", it does not hold");
  if (now.hold == HoldReason::paused) return end_hold(now, sight.now);
  if (now.hold != HoldReason::no_evidence) {
    return refuse(as_it_is(now) + ": it goes on by itself when that is over; promote or abort");
  }
  if (!accept) {
    return refuse(as_it_is(now) + ": accept-no-evidence=yes reason=… goes on without",
                  "accept-no-evidence");
  }
  if (!sight.canary.up) return refuse("the canary is down");
  return now.held == RolloutState::switched ? begin_drain(now, sight.now)
                                            : move_on(now, sight.now, config);
}

Answer<RolloutStep> ask_promote(const Rollout& now, bool full, const RolloutSight& sight,
                                const RolloutConfig& config) {
  if (now.is_idle()) return refuse_idle();
  switch (now.judged()) {
    case RolloutState::preparing:
    case RolloutState::warming: {
      if (!full) return refuse(as_it_is(now) + ": nobody is there yet; full=yes skips the steps");
      RolloutStep step{now, {}};
      step.next.plan.full = true;
      return step;
    }
    case RolloutState::canary:
      if (!sight.canary.up) return refuse("the canary is down");
      if (full) return begin_bake(now, RolloutEvent::all_steps, sight.now, config);
      return move_on(now, sight.now, config);
    case RolloutState::switched:
      return refuse(as_it_is(now) + ": all users are there; the bake ends by itself");
    default:
      return refuse(as_it_is(now));
  }
}

Answer<RolloutStep> ask_turn_back(const Rollout& now, const TurnBackAsk& ask,
                                  const RolloutSight& sight) {
  if (now.is_idle()) return refuse_idle();
  if (now.state == RolloutState::rolling_back) return RolloutStep{now, {}};
  if (now.no_return && !ask.old_code_breaks) {
    return refuse(
        "a contract was applied: the old code cannot work with it; "
        "old-code-breaks=yes reason=… goes back all the same",
        "old-code-breaks");
  }
  if (now.state == RolloutState::stopping && sight.stop != ActionSight::pending) {
    return refuse(
        "too_late(hook running): the old color is being stopped; rollback afterwards "
        "starts it again");
  }
  const bool has_stable = now.plan.stable != routing::kNoColor;
  if (has_stable && now.share() > 0 && !sight.stable.up && !ask.force) {
    return refuse("the old color is down: nobody could serve; force=yes goes back all the same",
                  "force");
  }
  return turn_back(now, ask.end, ask.reason, ask.text, sight.now);
}

}  // namespace control
