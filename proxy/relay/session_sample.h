// What one worker counts for the judge in the running step, and the memory of who is in the
// sample. A worker's counts belong to its thread; the control thread gets copies by mailbox.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/relay/rpc_outcome.h"
#include "proxy/routing/distinct.h"
#include "proxy/routing/session_counts.h"

namespace relay {

// Sessions that were drawn, or drawn again, in the running step, as all workers see them: a Bloom
// filter for each group, in one cache line an id. Without locks; written at draws only. Of 40,000
// sessions that were not drawn about one in a hundred is taken for one that was. Any thread.
class SessionFilter {
 public:
  SessionFilter();
  // A step begins: empty. Main thread, before the first table with that step goes to the workers.
  void begin(uint64_t step);

  class Step;
  // Nothing: no such step, or no longer.
  std::optional<Step> step(uint64_t id);

 private:
  static constexpr size_t kWords = size_t{1} << 14;  // 2^20 bits, 128 KiB
  using Words = std::unique_ptr<std::atomic<uint64_t>[]>;
  struct Slot {
    std::atomic<uint64_t> step{0};
    std::array<Words, routing::kGroups> groups;
  };
  std::array<Slot, 2> slots_;  // a worker may still use the one before
  size_t current_ = 0;
};

// One step's filter, as a worker holds it.
class SessionFilter::Step {
 public:
  explicit Step(Slot& slot) : slot_(&slot) {}
  void add(uint64_t session, routing::Group group);
  std::optional<routing::Group> group_of(uint64_t session) const;

 private:
  Slot* slot_;
};

// The end of one attempt at a backend.
struct AttemptEnd {
  routing::ColorIndex color = routing::kNoColor;
  uint64_t session = 0;                 // 0: nobody can be told apart
  std::optional<routing::Group> drawn;  // drawn for this very request
  bool failed = false;                  // 5xx, or no answer
  int64_t us = 0;                       // from the last request byte to the answer's last
  RpcOutcome rpc = RpcOutcome::none;
};

// Copies of counts, summed over workers.
struct SampleParts {
  struct Color {
    std::array<routing::DistinctCount, routing::kGroups> exposed;
    std::array<std::array<routing::SessionSet, routing::kFaults>, routing::kGroups> faulty;
    routing::ColorCounts sums;         // but for what is distinct, and the times
    std::array<int64_t, 344> times{};  // eight buckets an octave of microseconds
  };
  std::array<Color, 2> colors;  // canary, stable
  routing::FailureRun run;

  void add(const SampleParts& other);
  routing::SessionCounts counts(uint64_t step) const;
};

class SessionSample {
 public:
  explicit SessionSample(SessionFilter& filter) : filter_(filter) {}

  // The table's step: another id starts anew, none switches counting off.
  void apply(const std::optional<routing::JudgeStep>& step);
  bool is_on() const { return parts_ != nullptr; }
  uint64_t step() const { return step_.id; }

  // Needs, all three: is_on().
  void note(const AttemptEnd& end);
  // A new user got its cookie: in the sample from its next request on.
  void mark(uint64_t session, routing::ColorIndex color, routing::Group group);
  const SampleParts& parts() const { return *parts_; }

 private:
  SampleParts::Color* color_of(routing::ColorIndex color);
  std::optional<routing::Group> group_of(const AttemptEnd& end);
  void note_run(const AttemptEnd& end, bool is_canary);
  void note_fault(SampleParts::Color& color, routing::Group group, routing::Fault fault,
                  uint64_t session);

  SessionFilter& filter_;
  routing::JudgeStep step_;
  std::optional<SessionFilter::Step> drawn_;
  std::unique_ptr<SampleParts> parts_;
  std::array<uint64_t, 8> failing_{};  // sessions of the run
};

}  // namespace relay
