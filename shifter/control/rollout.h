// A rollout as a value: where it stands, what it is meant to do, and the table of its states.
// Pure; what moves it is in rollout_look.h (time, health, verdicts) and rollout_orders.h (people).
//
//  begin       fit           warm           good, all steps       good            empty
// idle ─► preparing ─► warming ─► canary(step) ─► switched(bake) ─► draining ─► stopping ─► idle
//              │           │        │   ▲   │        │   ▲   │          │
//              │           │   hold ▼   │   │   hold ▼   │   │          │ a person's rollback,
//              until │           │       holding  │      holding   │          │ the stop has begun
//              └───────────┴──────────┴─────┴─── turn back ──┴──────────┴──► rolling_back ─► idle
//
// preparing ends by rollout.prepare_max, warming by the same; a step waits for evidence under its
// hold's end; switched under the bake's end; draining under the drain's; stopping under the
// action's; rolling_back under the drain's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/backend_id.h"
#include "shifter/control/verdict.h"

namespace control {

enum class RolloutState : uint8_t {
  idle,
  preparing,     // the color is emptied, deployed and found healthy
  warming,       // healthy, without users
  canary,        // a share of the new users
  switched,      // all of them; the old color stands by (bake)
  draining,      // the old color loses its holders
  stopping,      // the old color is empty and is stopped
  holding,       // a step or the bake waits; a person or time ends it
  rolling_back,  // users are back; the canary is emptied
};
inline constexpr std::array kRolloutStates = {
    RolloutState::idle,     RolloutState::preparing, RolloutState::warming,
    RolloutState::canary,   RolloutState::switched,  RolloutState::draining,
    RolloutState::stopping, RolloutState::holding,   RolloutState::rolling_back};

enum class RolloutEvent : uint8_t {
  begun,
  fit,        // deployed (or found) and healthy
  warm,       // healthy for long enough
  straight,   // warm, and full was asked: no steps
  next_step,  // good, or a person says so
  all_steps,
  hold,
  hold_over,       // back to the step
  hold_over_bake,  // back to the bake
  baked,
  kept,  // baked without evidence: both colors stay
  drained,
  stopped,
  turn_back,
  turned_back,
  given_up,  // never got healthy
};

struct RolloutMove {
  RolloutState from;
  RolloutEvent event;
  RolloutState to;
};

inline constexpr RolloutMove kRolloutMoves[] = {
    {RolloutState::idle, RolloutEvent::begun, RolloutState::preparing},
    {RolloutState::preparing, RolloutEvent::fit, RolloutState::warming},
    {RolloutState::preparing, RolloutEvent::given_up, RolloutState::idle},
    {RolloutState::preparing, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::warming, RolloutEvent::warm, RolloutState::canary},
    {RolloutState::warming, RolloutEvent::straight, RolloutState::switched},
    {RolloutState::warming, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::canary, RolloutEvent::next_step, RolloutState::canary},
    {RolloutState::canary, RolloutEvent::all_steps, RolloutState::switched},
    {RolloutState::canary, RolloutEvent::hold, RolloutState::holding},
    {RolloutState::canary, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::switched, RolloutEvent::hold, RolloutState::holding},
    {RolloutState::switched, RolloutEvent::baked, RolloutState::draining},
    {RolloutState::switched, RolloutEvent::kept, RolloutState::idle},
    {RolloutState::switched, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::holding, RolloutEvent::hold_over, RolloutState::canary},
    {RolloutState::holding, RolloutEvent::hold_over_bake, RolloutState::switched},
    {RolloutState::holding, RolloutEvent::next_step, RolloutState::canary},
    {RolloutState::holding, RolloutEvent::all_steps, RolloutState::switched},
    {RolloutState::holding, RolloutEvent::baked, RolloutState::draining},
    {RolloutState::holding, RolloutEvent::kept, RolloutState::idle},
    {RolloutState::holding, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::draining, RolloutEvent::drained, RolloutState::stopping},
    {RolloutState::draining, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::stopping, RolloutEvent::stopped, RolloutState::idle},
    {RolloutState::stopping, RolloutEvent::turn_back, RolloutState::rolling_back},
    {RolloutState::rolling_back, RolloutEvent::turned_back, RolloutState::idle},
};

constexpr std::optional<RolloutState> next_state(RolloutState from, RolloutEvent event) {
  for (const RolloutMove& move : kRolloutMoves) {
    if (move.from == from && move.event == event) return move.to;
  }
  return std::nullopt;
}
static_assert(next_state(RolloutState::idle, RolloutEvent::begun) == RolloutState::preparing);
static_assert(!next_state(RolloutState::idle, RolloutEvent::turn_back));
static_assert(!next_state(RolloutState::canary, RolloutEvent::baked));

enum class HoldReason : uint8_t {
  none,
  no_evidence,
  paused,
  stable_unhealthy,
  stable_down,
  dependency,  // what both colors share is down: nothing is judged
  no_return,   // worse, but the old code cannot read what the new one wrote
};
inline constexpr std::array kHoldReasons = {HoldReason::no_evidence,      HoldReason::paused,
                                            HoldReason::stable_unhealthy, HoldReason::stable_down,
                                            HoldReason::dependency,       HoldReason::no_return};

enum class EndKind : uint8_t {
  none,  // it runs
  done,
  rolled_back,
  aborted,
  failed,
  stop_failed,
  stop_unknown,
};
inline constexpr std::array kEndKinds = {EndKind::done,        EndKind::rolled_back,
                                         EndKind::aborted,     EndKind::failed,
                                         EndKind::stop_failed, EndKind::stop_unknown};

// Why users were taken back: the label of shifter_rollbacks_total.
enum class EndReason : uint8_t {
  none,
  error,
  slow,
  rpc_error,
  hard_limit,
  canary_down,
  no_evidence,  // on_no_evidence at the end of the bake
  max_hold,
  operator_asked,
  replaced,
  deploy,  // it could not be deployed, or never got healthy
  hook,    // pre_canary failed
};
inline constexpr std::array kTurnBackReasons = {
    EndReason::error,       EndReason::slow,        EndReason::rpc_error, EndReason::hard_limit,
    EndReason::canary_down, EndReason::no_evidence, EndReason::max_hold,  EndReason::operator_asked,
    EndReason::replaced,    EndReason::deploy,      EndReason::hook};

enum class Purpose : uint8_t { canary, switch_over, rollback, scale };
enum class Schema : uint8_t { none, expand, contract };
enum class OnNoEvidence : uint8_t { keep, promote, rollback };

std::string_view text_of(RolloutState state);
std::string_view text_of(HoldReason reason);
std::string_view text_of(EndKind kind);
std::string_view text_of(EndReason reason);
std::string_view text_of(Purpose purpose);
std::string_view text_of(Schema schema);
std::string_view text_of(OnNoEvidence what);

// Who asked, as conflicts name it.
struct Actor {
  uint32_t uid = 0;
  std::string user;  // of that uid; "uid 1000" if it has no name
  std::string host;
};

// What is meant to happen. Fixed when it begins.
struct RolloutPlan {
  Purpose purpose = Purpose::canary;
  routing::ColorIndex canary = routing::kNoColor;
  routing::ColorIndex stable = routing::kNoColor;  // kNoColor: a first deploy, nothing to compare
  std::string canary_name;                         // colors by name, as the state file keeps them
  std::string stable_name;
  uint64_t release = 0;    // that the canary will hold
  uint64_t way_back = 0;   // the release that was live; 0: none
  std::vector<int> steps;  // percent, rising, the last is 100
  base::Millis step_min{300'000};
  base::Millis bake{1'800'000};
  Schema schema = Schema::none;
  bool floors = true;   // false: silence is good (switch, rollback, scale)
  bool full = false;    // promote full=yes: straight to the bake
  bool aa = false;      // both colors hold the same: a false alarm is counted as one
  bool deploy = false;  // an agent starts the color with `image` and `workers`
  int workers = 0;      // 0: as it is configured
  std::string image;    // digest; empty: as it is configured
  std::string label;    // of the release, for people
  Actor who;
  std::string reason;
};

struct Rollout {
  RolloutState state = RolloutState::idle;
  RolloutPlan plan;
  uint64_t number = 0;  // of this rollout, from 1
  int step = 0;         // index into plan.steps
  uint64_t epoch = 0;   // of the fleet when the running step was published
  base::Instant began{};
  base::Instant since{};     // of the step or the state; a restart begins a step's time anew
  base::Instant deadline{};  // of the state, where it has one

  HoldReason hold = HoldReason::none;
  RolloutState held = RolloutState::idle;  // what waits: canary or switched
  base::Instant held_since{};
  base::Instant bake_end{};

  bool no_return = false;      // a contract was applied
  uint64_t deploy_action = 0;  // asked; 0: none
  uint64_t hook_action = 0;    // pre_canary, then post_switch
  uint64_t stop_action = 0;
  bool hook_told = false;  // that post_switch failed

  EndKind end = EndKind::none;  // known from rolling_back on
  EndReason end_reason = EndReason::none;
  std::string end_text;             // for people: signal, counts, e, limit, rule
  Verdict verdict;                  // the last one looked at
  int share_max = 0;                // percent that the canary ever had
  std::optional<RolloutPlan> next;  // begins when this one is over (replace)

  bool is_idle() const { return state == RolloutState::idle; }
  int share() const;  // percent of new users that the canary has now
  // The step or the bake that is being judged, also while it holds.
  RolloutState judged() const { return state == RolloutState::holding ? held : state; }
};

// "canary(10)", "holding(no_evidence)", "switched".
std::string text_of(const Rollout& rollout);
// "rolled_back(error)", "done".
std::string end_text_of(const Rollout& rollout);

}  // namespace control
