// What a person may ask of a running rollout. Pure; abort always wins.
#pragma once

#include <string>

#include "shifter/control/admin_error.h"
#include "shifter/control/rollout_look.h"

namespace control {

RolloutStep begin_rollout(RolloutPlan plan, uint64_t number, base::Instant now,
                          const RolloutConfig& config);

Answer<RolloutStep> ask_pause(const Rollout& now, const RolloutSight& sight,
                              const RolloutConfig& config);
// accept: goes on although there is no evidence.
Answer<RolloutStep> ask_resume(const Rollout& now, bool accept, const RolloutSight& sight,
                               const RolloutConfig& config);
// The next step without waiting for evidence; full: straight to the bake.
Answer<RolloutStep> ask_promote(const Rollout& now, bool full, const RolloutSight& sight,
                                const RolloutConfig& config);

struct TurnBackAsk {
  EndKind end = EndKind::aborted;  // or rolled_back
  EndReason reason = EndReason::operator_asked;
  bool old_code_breaks = false;  // after a contract: all the same
  bool force = false;            // though the old color is down
  std::string text;
};
Answer<RolloutStep> ask_turn_back(const Rollout& now, const TurnBackAsk& ask,
                                  const RolloutSight& sight);

}  // namespace control
