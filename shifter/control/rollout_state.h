// What survives a restart of rollouts: the running one with its deadlines, the releases, the lock,
// how earlier ones ended, and the counts. Own section of the state file.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "shifter/control/releases.h"
#include "shifter/control/rollout.h"

namespace control {

struct TimeBase;

// Who keeps others from beginning a rollout. A rollout holds its own by running.
struct Lock {
  Actor who;
  std::string reason;
  base::WallTime since{};
};

// A rollout that is over, with the numbers behind its end.
struct PastRollout {
  uint64_t number = 0;
  Purpose purpose = Purpose::canary;
  std::string canary;
  std::string stable;  // empty: there was none
  uint64_t release = 0;
  uint64_t way_back = 0;
  std::string steps;
  Schema schema = Schema::none;
  bool aa = false;
  Actor who;
  std::string reason;
  base::WallTime began{};
  base::WallTime ended{};
  uint64_t epoch = 0;  // of the fleet at its end
  int share = 0;       // that the canary had at the most
  EndKind end = EndKind::done;
  EndReason end_reason = EndReason::none;
  std::string text;
  Verdict verdict;  // the last one; its inputs only for the last few
};

inline constexpr size_t kVerdictKinds = 5;

struct RolloutCounts {
  std::array<int64_t, kTurnBackReasons.size()> rollbacks{};  // in the order of kTurnBackReasons
  std::array<int64_t, kEndKinds.size()> ends{};              // in the order of kEndKinds
  std::array<int64_t, kVerdictKinds> verdicts{};             // by Verdict::Kind
  int64_t notices = 0;
  int64_t notice_failures = 0;
  int64_t aa_ends = 0;
  int64_t aa_rollbacks = 0;
};

struct SavedRollout {
  static constexpr size_t kPastMax = 50;
  static constexpr size_t kInputsMax = 10;  // of them have what their verdict was made of

  Rollout current;
  uint64_t last_number = 0;
  Releases::Saved releases;
  std::optional<Lock> lock;
  std::deque<PastRollout> past;  // oldest first
  RolloutCounts counts;
  std::string judge;  // what the judge keeps; empty: nothing
};

nlohmann::json write_rollout(const SavedRollout& rollout, const TimeBase& time);
// Throws std::exception where the shape is wrong.
SavedRollout read_rollout(const nlohmann::json& json, bool same_boot, const TimeBase& time);

}  // namespace control
