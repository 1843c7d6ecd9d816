#include "shifter/control/rollout_look.h"

#include <utility>

#include "proxy/base/check.h"

namespace control {
namespace {

using Kind = Verdict::Kind;

// Enters the state that the table says.
Rollout moved(const Rollout& from, RolloutEvent event, base::Instant now) {
  const auto to = next_state(from.state, event);
  CHECK(to.has_value());
  Rollout next = from;
  next.state = *to;
  next.since = now;
  next.deadline = {};
  next.hold = HoldReason::none;
  next.held = RolloutState::idle;
  return next;
}

EndReason reason_of(Reason reason) {
  switch (reason) {
    case Reason::slow:
      return EndReason::slow;
    case Reason::rpc_error:
      return EndReason::rpc_error;
    case Reason::hard_limit:
      return EndReason::hard_limit;
    default:
      return EndReason::error;
  }
}

bool has_stable(const Rollout& rollout) { return rollout.plan.stable != routing::kNoColor; }

bool is_worse(const Verdict& verdict) {
  return verdict.kind == Kind::worse || verdict.kind == Kind::hard_limit;
}

// In a step, in the bake, and while one of them holds: what cannot wait. Nothing: all is well.
std::optional<RolloutStep> look_for_harm(const Rollout& from, const RolloutSight& sight,
                                         const RolloutConfig& config) {
  const bool holds = from.state == RolloutState::holding;
  const auto hold = [&](HoldReason reason, std::string page) -> std::optional<RolloutStep> {
    if (holds && from.hold == reason) return std::nullopt;
    // What a person asked for, or has to decide, is not replaced by what may pass.
    const bool is_kept = from.hold == HoldReason::paused || from.hold == HoldReason::no_return;
    if (holds && is_kept && reason != HoldReason::no_return) return std::nullopt;
    RolloutStep step = begin_hold(from, reason, sight.now, config);
    step.effects.page = std::move(page);
    return step;
  };
  if (sight.dependency_down) return hold(HoldReason::dependency, {});
  const bool stable_down = has_stable(from) && !sight.stable.up;
  const bool is_bake = from.judged() == RolloutState::switched;
  if (stable_down && !is_bake) {
    return hold(HoldReason::stable_down, "the stable color is down; nothing is moved");
  }
  std::string harm;
  EndReason reason = EndReason::canary_down;
  if (!sight.canary.up) {
    harm = "the canary is down";
  } else if (sight.verdict && is_worse(*sight.verdict)) {
    harm = sight.verdict->text;
    reason = reason_of(sight.verdict->reason);
  } else {
    return std::nullopt;
  }
  if (from.no_return || !has_stable(from)) {
    return hold(HoldReason::no_return, "worse, and there is no way back: " + harm);
  }
  if (stable_down) {
    return hold(HoldReason::stable_down, "worse, but the old color is down: " + harm);
  }
  return turn_back(from, EndKind::rolled_back, reason, std::move(harm), sight.now);
}

std::optional<RolloutStep> look_preparing(const Rollout& from, const RolloutSight& sight,
                                          const RolloutConfig& config) {
  const auto fail = [&](std::string text) {
    return to_idle(from, RolloutEvent::given_up, EndKind::failed, EndReason::deploy,
                   std::move(text), sight.now);
  };
  if (from.plan.deploy && from.deploy_action == 0) {
    const ColorState state = sight.canary.state;
    RolloutStep step{from, {}};
    if (state == ColorState::ready || state == ColorState::draining) {
      step.effects.close_canary = true;  // a deploy ends what runs there: nothing may
      return step;
    }
    if (state == ColorState::maint) {
      step.effects.ask = Ask::deploy;
      return step;
    }
  }
  if (sight.deploy == ActionSight::failed || sight.deploy == ActionSight::unknown) {
    return fail("deploy: " + sight.action_text);
  }
  const bool deployed = !from.plan.deploy || sight.deploy == ActionSight::done;
  if (deployed && sight.canary.up && sight.canary.proven) {
    RolloutStep step{moved(from, RolloutEvent::fit, sight.now), {}};
    step.next.deadline = sight.now + config.prepare_max;
    step.next.no_return = from.plan.schema == Schema::contract;
    step.effects.open_canary = true;
    return step;
  }
  // What the agent does has a deadline of its own.
  const bool works = sight.deploy == ActionSight::running;
  if (sight.now >= from.deadline && !works) {
    return fail(deployed ? "it was not healthy in time" : "nobody deployed it in time");
  }
  return std::nullopt;
}

std::optional<RolloutStep> look_warming(const Rollout& from, const RolloutSight& sight,
                                        const RolloutConfig& config) {
  if (sight.hook == ActionSight::failed || sight.hook == ActionSight::unknown) {
    return turn_back(from, EndKind::aborted, EndReason::hook, "pre_canary: " + sight.action_text,
                     sight.now);
  }
  if (sight.now >= from.deadline && sight.hook != ActionSight::running) {
    return turn_back(from, EndKind::failed, EndReason::deploy, "it did not stay healthy",
                     sight.now);
  }
  const bool wants_hook = config.pre_canary && from.plan.purpose != Purpose::scale;
  if (wants_hook && sight.has_agent && from.hook_action == 0) {
    RolloutStep step{from, {}};
    step.effects.ask = Ask::pre_canary;
    return step;
  }
  if (!sight.canary.up) {
    if (from.since == sight.now) return std::nullopt;
    RolloutStep step{from, {}};
    step.next.since = sight.now;  // healthy from the start again
    return step;
  }
  const bool hook_over = from.hook_action == 0 || sight.hook == ActionSight::done;
  if (!hook_over || sight.now - from.since < config.warm_for) return std::nullopt;
  if (from.plan.full || !has_stable(from) || from.plan.steps.front() == 100) {
    return begin_bake(from, RolloutEvent::straight, sight.now, config);
  }
  RolloutStep step{moved(from, RolloutEvent::warm, sight.now), {}};
  step.next.step = 0;
  step.next.hook_action = 0;
  step.effects.share = step.next.share();
  step.effects.redraw = true;
  step.effects.judge_step = true;
  return step;
}

// A color that was just started is not given more than it can serve.
bool is_loaded(const Rollout& from, const RolloutSight& sight) {
  const int workers = from.plan.workers;
  return from.plan.purpose == Purpose::rollback && workers > 0 &&
         sight.canary.in_flight > int64_t{2} * workers;
}

std::optional<RolloutStep> look_canary(const Rollout& from, const RolloutSight& sight,
                                       const RolloutConfig& config) {
  if (auto harm = look_for_harm(from, sight, config)) return harm;
  if (!sight.verdict) return std::nullopt;
  const Kind kind = sight.verdict->kind;
  if (kind == Kind::stable_unhealthy && from.plan.floors) {
    return begin_hold(from, HoldReason::stable_unhealthy, sight.now, config);
  }
  if (sight.now - from.since < from.plan.step_min) return std::nullopt;
  if (kind == Kind::not_enough && from.plan.floors) {
    return begin_hold(from, HoldReason::no_evidence, sight.now, config);
  }
  if (!sight.window_open || is_loaded(from, sight)) return std::nullopt;
  return move_on(from, sight.now, config);
}

std::optional<RolloutStep> look_switched(const Rollout& from, const RolloutSight& sight,
                                         const RolloutConfig& config) {
  if (from.plan.bake.count() > 0) {
    if (auto harm = look_for_harm(from, sight, config)) return harm;
  }
  if (from.plan.bake.count() > 0 && (sight.now < from.bake_end || !sight.verdict)) {
    return std::nullopt;
  }
  if (!sight.canary.up) return std::nullopt;  // whoever stands by is not drained now
  const bool is_good =
      !from.plan.floors || from.plan.bake.count() == 0 || sight.verdict->kind == Kind::good;
  if (!is_good) {
    RolloutStep step = begin_hold(from, HoldReason::no_evidence, sight.now, config);
    step.effects.page = "no evidence at the end of the bake; the old color stays up";
    return step;
  }
  if (sight.hook == ActionSight::running) return std::nullopt;
  return begin_drain(from, sight.now);
}

std::optional<RolloutStep> end_of_hold(const Rollout& from, const RolloutSight& sight,
                                       const RolloutConfig& config) {
  // Nobody to go back to, or no way back: a person is told again, and it holds on.
  if (from.hold == HoldReason::no_return || from.hold == HoldReason::stable_down ||
      from.hold == HoldReason::dependency || !has_stable(from) ||
      (from.held == RolloutState::canary && !sight.stable.up)) {
    RolloutStep step{from, {}};
    step.next.deadline = sight.now + config.hold_max;
    step.effects.page = "still holding: " + std::string(text_of(from.hold));
    return step;
  }
  if (from.held == RolloutState::canary) {
    if (from.no_return) return begin_hold(from, HoldReason::no_return, sight.now, config);
    return turn_back(from, EndKind::aborted, EndReason::max_hold,
                     "held as " + std::string(text_of(from.hold)) + " for " +
                         base::duration_text(config.hold_max),
                     sight.now);
  }
  const std::string why =
      "no evidence in the bake; on_no_evidence is " + std::string(text_of(config.on_no_evidence));
  const bool may_turn = !from.no_return && sight.stable.up;
  if (config.on_no_evidence == OnNoEvidence::promote && sight.canary.up) {
    return begin_drain(from, sight.now);
  }
  if (config.on_no_evidence == OnNoEvidence::rollback && may_turn) {
    return turn_back(from, EndKind::rolled_back, EndReason::no_evidence, why, sight.now);
  }
  if (sight.hook == ActionSight::running) return std::nullopt;
  RolloutStep step =
      to_idle(from, RolloutEvent::kept, EndKind::done, EndReason::none, why, sight.now);
  return step;
}

std::optional<RolloutStep> look_holding(const Rollout& from, const RolloutSight& sight,
                                        const RolloutConfig& config) {
  if (auto harm = look_for_harm(from, sight, config)) return harm;
  const bool has_verdict = sight.verdict.has_value();
  const bool is_good = has_verdict && sight.verdict->kind == Kind::good;
  switch (from.hold) {
    case HoldReason::dependency:
      if (!sight.dependency_down) return end_hold(from, sight.now);
      break;
    case HoldReason::stable_down:
      if (sight.stable.up) return end_hold(from, sight.now);
      break;
    case HoldReason::stable_unhealthy:
      if (has_verdict && sight.verdict->kind != Kind::stable_unhealthy) {
        return end_hold(from, sight.now);
      }
      break;
    case HoldReason::no_evidence:
      if (!is_good) break;
      if (from.held == RolloutState::canary && sight.window_open) {
        return move_on(from, sight.now, config);
      }
      if (from.held == RolloutState::switched && sight.hook != ActionSight::running) {
        return begin_drain(from, sight.now);
      }
      break;
    default:
      break;
  }
  if (sight.now >= from.deadline) return end_of_hold(from, sight, config);
  return std::nullopt;
}

std::optional<RolloutStep> look_draining(const Rollout& from, const RolloutSight& sight) {
  if (!sight.canary.up && sight.stable.up && !sight.dependency_down && !from.no_return) {
    return turn_back(from, EndKind::rolled_back, EndReason::canary_down,
                     "it is down while the old color drains", sight.now);
  }
  if (sight.stable.state != ColorState::maint) return std::nullopt;
  RolloutStep step{moved(from, RolloutEvent::drained, sight.now), {}};
  step.effects.ask = Ask::stop;
  step.effects.end_redraw = true;
  return step;
}

std::optional<RolloutStep> look_stopping(const Rollout& from, const RolloutSight& sight) {
  const auto end = [&](EndKind kind, std::string text) {
    return to_idle(from, RolloutEvent::stopped, kind, EndReason::none, std::move(text), sight.now);
  };
  if (sight.hook == ActionSight::running) return std::nullopt;  // the lock covers it
  switch (sight.stop) {
    case ActionSight::done:
      return end(EndKind::done, {});
    case ActionSight::failed:
      return end(EndKind::stop_failed, sight.action_text);
    case ActionSight::unknown:
    case ActionSight::none:  // forgotten: it was asked for long ago
      return end(EndKind::stop_unknown, sight.action_text);
    case ActionSight::pending:
      if (sight.has_agent) return std::nullopt;
      return end(EndKind::done, "no agent: the old color is empty; stop it by hand");
    case ActionSight::running:
      break;
  }
  return std::nullopt;
}

std::optional<RolloutStep> look_rolling_back(const Rollout& from, const RolloutSight& sight) {
  if (sight.deploy == ActionSight::running || sight.hook == ActionSight::running) {
    return std::nullopt;  // it cannot be stopped; it ends by its own deadline
  }
  const ColorState state = sight.canary.state;
  const bool is_open = state == ColorState::ready || state == ColorState::draining;
  if (is_open && has_stable(from)) {
    // While nobody else is up the canary stays as the last resort.
    if (!sight.stable.up) return std::nullopt;
    RolloutStep step{from, {}};
    step.effects.close_canary = true;
    step.effects.must_act = true;
    return step;
  }
  if (state == ColorState::closing) return std::nullopt;
  return to_idle(from, RolloutEvent::turned_back, from.end, from.end_reason, from.end_text,
                 sight.now);
}

}  // namespace

RolloutStep end_hold(const Rollout& from, base::Instant now) {
  const bool is_bake = from.held == RolloutState::switched;
  const Rollout before = from;
  RolloutStep step{
      moved(from, is_bake ? RolloutEvent::hold_over_bake : RolloutEvent::hold_over, now), {}};
  if (before.hold == HoldReason::paused || before.hold == HoldReason::no_evidence) {
    step.next.since = before.since;
  }
  return step;
}

RolloutStep move_on(const Rollout& from, base::Instant now, const RolloutConfig& config) {
  const bool is_last = static_cast<size_t>(from.step) + 1 >= from.plan.steps.size();
  if (is_last || from.plan.steps[static_cast<size_t>(from.step) + 1] == 100) {
    return begin_bake(from, RolloutEvent::all_steps, now, config);
  }
  RolloutStep step{moved(from, RolloutEvent::next_step, now), {}};
  ++step.next.step;
  step.effects.share = step.next.share();
  step.effects.judge_step = true;
  return step;
}

RolloutStep begin_bake(const Rollout& from, RolloutEvent event, base::Instant now,
                       const RolloutConfig& config) {
  RolloutStep step{moved(from, event, now), {}};
  step.next.step = static_cast<int>(from.plan.steps.size()) - 1;
  step.next.hook_action = 0;
  step.next.bake_end = now + from.plan.bake;
  step.next.deadline = step.next.bake_end;
  step.effects.share = 100;
  step.effects.redraw = has_stable(from);
  step.effects.judge_step = true;
  if (config.post_switch && from.plan.purpose != Purpose::scale) {
    step.effects.ask = Ask::post_switch;
  }
  return step;
}

RolloutStep begin_drain(const Rollout& from, base::Instant now) {
  if (!has_stable(from)) {
    return to_idle(from, RolloutEvent::kept, EndKind::done, EndReason::none,
                   "unjudged: there was nothing to compare with", now);
  }
  RolloutStep step{moved(from, RolloutEvent::baked, now), {}};
  step.effects.drain_stable = true;
  step.effects.judge_stop = true;
  return step;
}

RolloutStep begin_hold(const Rollout& from, HoldReason reason, base::Instant now,
                       const RolloutConfig& config) {
  if (from.state == RolloutState::holding) {
    RolloutStep step{from, {}};  // it holds for another reason now; its end stays
    step.next.hold = reason;
    step.next.held_since = now;
    return step;
  }
  RolloutStep step{moved(from, RolloutEvent::hold, now), {}};
  step.next.hold = reason;
  step.next.held = from.state;
  step.next.since = from.since;  // of the step, which goes on
  step.next.held_since = now;
  const bool is_bake = from.state == RolloutState::switched;
  step.next.deadline = now + (is_bake ? config.bake_hold_max : config.hold_max);
  return step;
}

RolloutStep turn_back(const Rollout& from, EndKind end, EndReason reason, std::string text,
                      base::Instant now) {
  RolloutStep step{moved(from, RolloutEvent::turn_back, now), {}};
  step.next.end = end;
  step.next.end_reason = reason;
  step.next.end_text = std::move(text);
  step.effects.end_redraw = true;
  step.effects.judge_stop = true;
  step.effects.must_act = true;
  if (has_stable(from)) {
    step.effects.share = 0;
    step.effects.void_canary = true;
    step.effects.open_stable = true;
  }
  return step;
}

RolloutStep to_idle(const Rollout& from, RolloutEvent event, EndKind end, EndReason reason,
                    std::string text, base::Instant now) {
  RolloutStep step{moved(from, event, now), {}};
  step.next.end = end;
  step.next.end_reason = reason;
  step.next.end_text = std::move(text);
  step.effects.end_redraw = true;
  step.effects.judge_stop = true;
  return step;
}

std::optional<RolloutStep> look(const Rollout& now, const RolloutSight& sight,
                                const RolloutConfig& config) {
  const bool hook_failed = sight.hook == ActionSight::failed || sight.hook == ActionSight::unknown;
  if (hook_failed && now.share() == 100 && !now.hook_told) {
    RolloutStep step{now, {}};
    step.next.hook_told = true;
    step.effects.page = "post_switch: " + sight.action_text;
    return step;
  }
  switch (now.state) {
    case RolloutState::idle:
      return std::nullopt;
    case RolloutState::preparing:
      return look_preparing(now, sight, config);
    case RolloutState::warming:
      return look_warming(now, sight, config);
    case RolloutState::canary:
      return look_canary(now, sight, config);
    case RolloutState::switched:
      return look_switched(now, sight, config);
    case RolloutState::draining:
      return look_draining(now, sight);
    case RolloutState::stopping:
      return look_stopping(now, sight);
    case RolloutState::holding:
      return look_holding(now, sight, config);
    case RolloutState::rolling_back:
      return look_rolling_back(now, sight);
  }
  return std::nullopt;
}

}  // namespace control
