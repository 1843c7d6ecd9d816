#include "proxy/relay/session_sample.h"

#include <algorithm>
#include <bit>

namespace relay {
namespace {

using routing::ColorCounts;
using routing::Fault;
using routing::Group;

constexpr size_t kLineWords = 8;  // a cache line
constexpr int kBitsOfId = 3;
constexpr int kTimeBits = 3;  // eight buckets an octave

// (The finaliser of SplitMix64.)
uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

size_t time_bucket(int64_t us) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(us, 0));
  if (value < (1u << kTimeBits)) return value;
  const auto octave = static_cast<int>(std::bit_width(value)) - 1 - kTimeBits;
  return std::min<size_t>(static_cast<size_t>(octave) * 8 + (value >> octave), 343);
}

// The largest time of a bucket.
int64_t time_edge(size_t bucket) {
  if (bucket < (1u << (kTimeBits + 1))) return static_cast<int64_t>(bucket);
  const size_t octave = bucket / 8 - 1;
  return static_cast<int64_t>(((bucket % 8 + 9) << octave) - 1);
}

int64_t percentile(const std::array<int64_t, 344>& times, double part) {
  int64_t all = 0;
  for (const int64_t count : times) all += count;
  const auto wanted = static_cast<int64_t>(static_cast<double>(all) * part);
  int64_t seen = 0;
  for (size_t bucket = 0; bucket < times.size(); ++bucket) {
    seen += times[bucket];
    if (seen > wanted) return time_edge(bucket);
  }
  return 0;
}

}  // namespace

// --- the filter -------------------------------------------------------------------------------

SessionFilter::SessionFilter() {
  for (Slot& slot : slots_) {
    for (Words& words : slot.groups) words.reset(new std::atomic<uint64_t>[kWords]());
  }
}

void SessionFilter::begin(uint64_t step) {
  if (slots_[current_].step.load(std::memory_order_relaxed) == step) return;
  current_ = 1 - current_;
  Slot& slot = slots_[current_];
  for (Words& words : slot.groups) {
    for (size_t i = 0; i < kWords; ++i) words[i].store(0, std::memory_order_relaxed);
  }
  slot.step.store(step, std::memory_order_release);
}

std::optional<SessionFilter::Step> SessionFilter::step(uint64_t id) {
  for (Slot& slot : slots_) {
    if (id != 0 && slot.step.load(std::memory_order_acquire) == id) return Step(slot);
  }
  return std::nullopt;
}

void SessionFilter::Step::add(uint64_t session, Group group) {
  uint64_t hash = mix(session);
  std::atomic<uint64_t>* line =
      &slot_->groups[static_cast<size_t>(group)][(hash % (kWords / kLineWords)) * kLineWords];
  hash >>= 32;
  for (int i = 0; i < kBitsOfId; ++i, hash >>= 9) {
    std::atomic<uint64_t>& word = line[(hash >> 6) & 7];
    const uint64_t bit = uint64_t{1} << (hash & 63);
    if ((word.load(std::memory_order_relaxed) & bit) == 0) {
      word.fetch_or(bit, std::memory_order_relaxed);
    }
  }
}

std::optional<Group> SessionFilter::Step::group_of(uint64_t session) const {
  const uint64_t whole = mix(session);
  for (const Group group : {Group::redrawn, Group::drawn}) {
    const std::atomic<uint64_t>* line =
        &slot_->groups[static_cast<size_t>(group)][(whole % (kWords / kLineWords)) * kLineWords];
    uint64_t hash = whole >> 32;
    bool is_in = true;
    for (int i = 0; i < kBitsOfId && is_in; ++i, hash >>= 9) {
      const uint64_t word = line[(hash >> 6) & 7].load(std::memory_order_relaxed);
      is_in = (word >> (hash & 63) & 1) != 0;
    }
    if (is_in) return group;
  }
  return std::nullopt;
}

// --- a worker's counts ------------------------------------------------------------------------

void SessionSample::apply(const std::optional<routing::JudgeStep>& step) {
  if (!step) {
    parts_.reset();
    drawn_.reset();
    step_ = {};
    return;
  }
  if (parts_ != nullptr && step_.id == step->id) {
    step_ = *step;
    return;
  }
  step_ = *step;
  drawn_ = filter_.step(step_.id);
  parts_ = std::make_unique<SampleParts>();
}

SampleParts::Color* SessionSample::color_of(routing::ColorIndex color) {
  if (color == routing::kNoColor) return nullptr;
  if (color == step_.canary) return parts_->colors.data();
  return color == step_.stable ? &parts_->colors[1] : nullptr;
}

void SessionSample::mark(uint64_t session, routing::ColorIndex color, Group group) {
  if (session != 0 && drawn_ && color_of(color) != nullptr) drawn_->add(session, group);
}

std::optional<Group> SessionSample::group_of(const AttemptEnd& end) {
  if (end.session == 0) return std::nullopt;
  if (end.drawn) {
    mark(end.session, end.color, *end.drawn);
    return end.drawn;
  }
  std::optional<Group> group;
  if (drawn_) group = drawn_->group_of(end.session);
  if (!group && step_.everyone) group = Group::redrawn;
  return group;
}

void SessionSample::note_fault(SampleParts::Color& color, Group group, Fault fault,
                               uint64_t session) {
  routing::SessionSet& set = color.faulty[static_cast<size_t>(group)][static_cast<size_t>(fault)];
  if (set.add(session) == routing::SessionSet::Added::full) ++color.sums.dropped;
}

void SessionSample::note_run(const AttemptEnd& end, bool is_canary) {
  routing::FailureRun& run = parts_->run;
  if (!is_canary) {
    if (run.failures > 0) ++(end.failed ? run.stable_bad : run.stable_good);
    return;
  }
  if (!end.failed) {
    if (run.failures > 0) run = {};
    return;
  }
  ++run.failures;
  const auto known = failing_.begin() + run.sessions;
  const bool is_new = end.session != 0 && run.sessions < static_cast<int>(failing_.size()) &&
                      std::find(failing_.begin(), known, end.session) == known;
  if (is_new) failing_[static_cast<size_t>(run.sessions++)] = end.session;
}

void SessionSample::note(const AttemptEnd& end) {
  SampleParts::Color* color = color_of(end.color);
  if (color == nullptr) return;
  const bool is_canary = color == parts_->colors.data();
  const bool is_warming = parts_->colors[0].sums.requests < step_.warm_up_requests;
  ColorCounts& sums = color->sums;
  ++sums.requests;
  if (end.failed) ++sums.errors;
  const bool is_slow = !end.failed && end.us > step_.slow_us;
  if (is_warming) {
    ++sums.warm_up;
    if (is_slow) ++sums.warm_up_slow;
  } else if (!end.failed) {
    ++sums.measured;
    if (is_slow) ++sums.slow;
  }
  if (!end.failed) {
    ++color->times[time_bucket(end.us)];
    sums.max_us = std::max(sums.max_us, end.us);
  }
  const bool is_told = end.rpc == RpcOutcome::fine || end.rpc == RpcOutcome::unexpected;
  if (is_told) ++sums.rpc_answers;
  if (end.rpc == RpcOutcome::unknown) ++sums.rpc_unknown;
  note_run(end, is_canary);

  const std::optional<Group> group = group_of(end);
  if (!group) return;
  color->exposed[static_cast<size_t>(*group)].add(end.session);
  if (end.failed) note_fault(*color, *group, Fault::error, end.session);
  if (is_slow && !is_warming) note_fault(*color, *group, Fault::slow, end.session);
  if (end.rpc == RpcOutcome::unexpected) {
    note_fault(*color, *group, Fault::rpc_error, end.session);
  }
}

// --- over all workers ---------------------------------------------------------------------------

void SampleParts::add(const SampleParts& other) {
  for (size_t i = 0; i < colors.size(); ++i) {
    Color& to = colors[i];
    const Color& from = other.colors[i];
    for (size_t group = 0; group < routing::kGroups; ++group) {
      to.exposed[group].merge(from.exposed[group]);
      for (size_t fault = 0; fault < routing::kFaults; ++fault) {
        routing::SessionSet& set = to.faulty[group][fault];
        from.faulty[group][fault].each([&](uint64_t id) {
          if (set.add(id) == routing::SessionSet::Added::full) ++to.sums.dropped;
        });
      }
    }
    to.sums.requests += from.sums.requests;
    to.sums.errors += from.sums.errors;
    to.sums.measured += from.sums.measured;
    to.sums.slow += from.sums.slow;
    to.sums.rpc_answers += from.sums.rpc_answers;
    to.sums.rpc_unknown += from.sums.rpc_unknown;
    to.sums.warm_up += from.sums.warm_up;
    to.sums.warm_up_slow += from.sums.warm_up_slow;
    to.sums.dropped += from.sums.dropped;
    to.sums.max_us = std::max(to.sums.max_us, from.sums.max_us);
    for (size_t bucket = 0; bucket < to.times.size(); ++bucket) {
      to.times[bucket] += from.times[bucket];
    }
  }
  if (other.run.failures > run.failures) run = other.run;
}

routing::SessionCounts SampleParts::counts(uint64_t step) const {
  routing::SessionCounts counts;
  counts.step = step;
  counts.run = run;
  for (size_t i = 0; i < colors.size(); ++i) {
    const Color& from = colors[i];
    ColorCounts& to = i == 0 ? counts.canary : counts.stable;
    to = from.sums;
    for (size_t group = 0; group < routing::kGroups; ++group) {
      to.groups[group].exposed = from.exposed[group].estimate();
      for (size_t fault = 0; fault < routing::kFaults; ++fault) {
        to.groups[group].faulty[fault] = from.faulty[group][fault].size();
      }
    }
    to.p99_us = std::min(percentile(from.times, 0.99), to.max_us);
  }
  return counts;
}

}  // namespace relay
