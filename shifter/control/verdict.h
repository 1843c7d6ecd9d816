// What the judge says about a canary, and how the rollout machine asks. Values and one interface:
// the machine knows no test, the judge knows no state.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/backend_id.h"

namespace control {

enum class Signal : uint8_t {
  error,      // sessions with a 5xx or without an answer
  slow,       // sessions with a slow request
  rpc_error,  // sessions with an unexpected JSON-RPC error
};
inline constexpr int kSignals = 3;

constexpr std::string_view text_of(Signal signal) {
  switch (signal) {
    case Signal::error:
      return "error";
    case Signal::slow:
      return "slow";
    case Signal::rpc_error:
      return "rpc_error";
  }
  return "error";
}

// One signal of the running step: sessions, each counted once a step.
struct SignalEvidence {
  Signal signal = Signal::error;
  uint64_t canary_bad = 0;
  uint64_t control_bad = 0;
  uint64_t canary_exposed = 0;
  uint64_t control_exposed = 0;
  double e_value = 1.0;  // carried over the steps of one rollout
  double limit = 0.0;    // at or above it the canary is worse
  bool enough = false;   // its floor is reached
  std::string missing;   // "3/300 sessions"; empty if enough
};

// Why a verdict is not `good`: a closed set, the label of shifter_rollbacks_total.
enum class Reason : uint8_t {
  none,
  error,
  slow,
  rpc_error,
  hard_limit,   // clearly broken: a ratio, or failures in a row
  no_evidence,  // too little was seen
  stable_unhealthy,
};
inline constexpr int kReasons = 7;

constexpr std::string_view text_of(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::error:
      return "error";
    case Reason::slow:
      return "slow";
    case Reason::rpc_error:
      return "rpc_error";
    case Reason::hard_limit:
      return "hard_limit";
    case Reason::no_evidence:
      return "no_evidence";
    case Reason::stable_unhealthy:
      return "stable_unhealthy";
  }
  return "none";
}

struct Verdict {
  enum class Kind : uint8_t {
    good,              // every signal was measured, none is worse
    worse,             // a signal's e-value reached its limit
    not_enough,        // neither; `text` says what is missing
    stable_unhealthy,  // the control is broken itself: equal is not good
    hard_limit,        // worse, without waiting for a test
  };
  Kind kind = Kind::not_enough;
  Reason reason = Reason::no_evidence;
  std::vector<SignalEvidence> signals;
  std::string text;    // one line for people: signal, both counts, e, limit
  std::string inputs;  // from which it can be made again (judgement.h); empty: not known
};

constexpr std::string_view text_of(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::good:
      return "good";
    case Verdict::Kind::worse:
      return "worse";
    case Verdict::Kind::not_enough:
      return "not_enough";
    case Verdict::Kind::stable_unhealthy:
      return "stable_unhealthy";
    case Verdict::Kind::hard_limit:
      return "hard_limit";
  }
  return "not_enough";
}

// The step that is being judged.
struct StepFacts {
  uint64_t epoch = 0;  // of the step: events of other epochs do not count
  int number = 0;      // 1 for the first
  int share = 0;       // percent of new users that the canary gets, as asked
  routing::ColorIndex canary = routing::kNoColor;
  routing::ColorIndex stable = routing::kNoColor;  // kNoColor: a first deploy without control
  bool bake = false;       // at 100: hard limits, the stable color's last hour, remaining holders
  bool no_floors = false;  // a scale: only `worse` and hard limits count, silence is good
  base::Instant started;   // of the step; floors count from here
  base::Instant now;
};

// How the machine asks. Main thread; the judge keeps the counts.
class JudgeView {
 public:
  virtual ~JudgeView() = default;

  // A rollout's step begins, with floors of its own and the e-values carried on. A rollout whose
  // `number` is 1 starts with no evidence at all.
  virtual void start_step(const StepFacts& step) = 0;
  // The running step. Needs: start_step, with the same epoch, came before.
  virtual Verdict look(const StepFacts& step) = 0;
  // What look() said just now is made of, to be stored: read_inputs() of judgement.h reads it.
  virtual std::string inputs(const StepFacts& step) const = 0;
  // The rollout is over; nothing of it is kept but what was stored.
  virtual void stop() = 0;

  // What must survive a restart (the e-values), as one JSON object of at most 16 KiB; and back,
  // before the first start_step after it. Floors of the running step start anew.
  virtual std::string save() const = 0;
  virtual void restore(const std::string& saved) = 0;

  // What a canary with these shares can find at yesterday's traffic. `weak`: nothing that
  // matters; then `canary` is refused without accept-weak=yes. `recorded`: a whole day is known.
  struct Power {
    std::string text;  // lines for people
    bool weak = false;
    bool recorded = false;
  };
  virtual Power power(routing::ColorIndex stable, const std::vector<int>& shares) const = 0;
  // Is the stable color fit to be compared with? Empty, or why not.
  virtual std::string stable_fault(routing::ColorIndex stable, base::Instant now) const = 0;
};

}  // namespace control
