// What is shown of rollouts, as JSON: in `status`, by `history` and by `explain`. Reads only.
#pragma once

#include <string>

#include "shifter/control/rollout_control.h"

namespace control {

// The running rollout, or how the last one ended; "null" if there never was one.
std::string rollout_json(const RolloutControl& rollouts, base::Instant now);
std::string number_json(double value);  // "null" where it is no number
std::string lock_json(const RolloutControl& rollouts, base::WallTime now);  // or "null"
std::string releases_json(const Releases& releases);
std::string past_json(const PastRollout& past);
std::string history_json(const SavedRollout& saved, const Releases& releases);
// The numbers behind one decision: of the running rollout, or of one that is over.
std::string verdict_json(const Verdict& verdict);
// The verdict made again from its stored inputs, with them, and whether it is the same; "null"
// where they were not stored.
std::string replay_json(const Verdict& stored);

}  // namespace control
