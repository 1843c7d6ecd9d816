// What time, health, actions and the judge make of a rollout. Pure: a rollout and what is seen in,
// the next rollout and what has to be done out; the wiring acts (rollout_control.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shifter/control/color_state.h"
#include "shifter/control/rollout.h"
#include "shifter/control/rollout_config.h"

namespace control {

struct ColorSight {
  ColorState state = ColorState::ready;
  bool up = false;
  bool proven = true;  // by a probe of this process
  int64_t in_flight = 0;
};

// An action of the agent.
enum class ActionSight : uint8_t { none, pending, running, done, failed, unknown };

struct RolloutSight {
  base::Instant now;
  ColorSight canary;
  ColorSight stable;  // of no meaning in a first deploy
  bool dependency_down = false;
  bool window_open = true;
  bool has_agent = false;
  ActionSight deploy = ActionSight::none;
  ActionSight hook = ActionSight::none;
  ActionSight stop = ActionSight::none;
  std::string action_text;         // the last words of an action that failed
  std::optional<Verdict> verdict;  // if the judge was asked just now
};

enum class Ask : uint8_t { none, deploy, pre_canary, post_switch, stop };

// What follows from a move, all of it in one change of the fleet.
struct Effects {
  std::optional<int> share;  // percent of new users for the canary, the rest for the stable color
  bool redraw = false;       // holders of the stable color are drawn again from now on
  bool end_redraw = false;
  bool void_canary = false;   // its cookies: its users are free at once
  bool open_canary = false;   // ready
  bool close_canary = false;  // closing
  bool open_stable = false;
  bool drain_stable = false;
  Ask ask = Ask::none;
  bool judge_step = false;  // a step begins
  bool judge_stop = false;
  bool must_act = false;  // even if it cannot be saved
  std::string page;       // a person is wanted, and why
};

struct RolloutStep {
  Rollout next;
  Effects effects;
};

// Nothing: it stays as it is.
std::optional<RolloutStep> look(const Rollout& now, const RolloutSight& sight,
                                const RolloutConfig& config);

// Building blocks of the orders too. Needs: the table of states allows the move.
RolloutStep move_on(const Rollout& from, base::Instant now, const RolloutConfig& config);
RolloutStep begin_bake(const Rollout& from, RolloutEvent event, base::Instant now,
                       const RolloutConfig& config);
RolloutStep begin_drain(const Rollout& from, base::Instant now);
RolloutStep begin_hold(const Rollout& from, HoldReason reason, base::Instant now,
                       const RolloutConfig& config);
// Back to what was held; its time anew, but for a pause.
RolloutStep end_hold(const Rollout& from, base::Instant now);
RolloutStep turn_back(const Rollout& from, EndKind end, EndReason reason, std::string text,
                      base::Instant now);
RolloutStep to_idle(const Rollout& from, RolloutEvent event, EndKind end, EndReason reason,
                    std::string text, base::Instant now);

}  // namespace control
