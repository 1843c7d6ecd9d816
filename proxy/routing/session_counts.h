// What the workers count for the judge: sessions of one step, by color. A session is an opaque
// 64-bit number (the nonce of its cookie, else the keyed hash of its session key). Values.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/routing/backend_id.h"

namespace routing {

// How a session came into the sample. New users and redrawn holders meet different odds of getting
// the canary, so each group is compared within itself.
enum class Group : uint8_t { drawn, redrawn };
inline constexpr int kGroups = 2;

// What a session may do, once a step. In the order of control::Signal.
enum class Fault : uint8_t { error, slow, rpc_error };
inline constexpr int kFaults = 3;

// The step that is counted; part of the routing table. Another id: all counts start anew.
struct JudgeStep {
  uint64_t id = 0;
  ColorIndex canary = kNoColor;  // kNoColor: only the stable color is counted, for the record
  ColorIndex stable = kNoColor;
  bool everyone = false;        // sessions of earlier draws too: in the bake and outside rollouts
  int64_t slow_us = 1'200'000;  // above it a request is slow
  // While the canary has not had so many requests in this step, on each worker, slowness of both
  // colors goes into a slice of its own.
  int warm_up_requests = 0;

  bool operator==(const JudgeStep&) const = default;
};

struct GroupCounts {
  double exposed = 0;  // distinct sessions; an estimate (1.6 %) above a few thousand
  std::array<uint64_t, kFaults> faulty{};  // distinct sessions, exact
};

struct ColorCounts {
  std::array<GroupCounts, kGroups> groups;
  // Requests inside the sample, with or without a session: attempts, not final answers.
  int64_t requests = 0;
  int64_t errors = 0;       // 5xx and no answer
  int64_t measured = 0;     // answered, and not in the warm-up
  int64_t slow = 0;         // of those
  int64_t rpc_answers = 0;  // of JSON-RPC calls, whose outcome could be told
  int64_t rpc_unknown = 0;  // those of which it could not
  int64_t warm_up = 0;      // requests in the warm-up
  int64_t warm_up_slow = 0;
  int64_t p99_us = 0;  // of all answered ones, warm-up included; to within an eighth
  int64_t max_us = 0;
  int64_t dropped = 0;  // faulty sessions that were not counted: a set was full

  double exposed() const;
  uint64_t faulty(Fault fault) const;
};

// The longest run of failing canary requests on one worker, and what the stable color answered
// there meanwhile.
struct FailureRun {
  int64_t failures = 0;
  int sessions = 0;  // distinct, up to 8
  int64_t stable_good = 0;
  int64_t stable_bad = 0;
};

struct SessionCounts {
  uint64_t step = 0;
  ColorCounts canary;
  ColorCounts stable;
  FailureRun run;  // the one that goes on now
};

inline double ColorCounts::exposed() const {
  double sum = 0;
  for (const GroupCounts& group : groups) sum += group.exposed;
  return sum;
}

inline uint64_t ColorCounts::faulty(Fault fault) const {
  uint64_t sum = 0;
  for (const GroupCounts& group : groups) sum += group.faulty[static_cast<size_t>(fault)];
  return sum;
}

}  // namespace routing
