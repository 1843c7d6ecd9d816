#include "proxy/base/timer_wheel.h"

#include <algorithm>
#include <bit>

#include "proxy/base/check.h"

namespace base {
namespace {

constexpr std::chrono::nanoseconds kTickNs = TimerWheel::kTick;

}  // namespace

Timer::~Timer() {
  if (listed_) wheel_.unlist(*this);
}

void Timer::start(Millis after) {
  due_tick_ = wheel_.due_tick(after);
  running_ = true;
  if (listed_) {
    // Later than where it is listed: it is moved when that slot comes up.
    if (due_tick_ >= listed_tick_) return;
    wheel_.unlist(*this);
  }
  wheel_.list(*this);
}

TimerWheel::~TimerWheel() {
  for (auto& level : slots_) {
    for (Timer*& head : level) {
      while (head != nullptr) unlist(*head);
    }
  }
}

uint64_t TimerWheel::tick_of(Instant at) const {
  return at <= start_ ? 0 : static_cast<uint64_t>((at - start_) / kTickNs);
}

// The first tick that is not before now_ + after, and not yet done.
uint64_t TimerWheel::due_tick(Millis after) const {
  constexpr Millis kLongest = std::chrono::hours(24 * 365 * 100);
  after = std::clamp(after, Millis(0), kLongest);
  return std::max(tick_of(now_ + after + kTickNs - std::chrono::nanoseconds(1)), done_tick_ + 1);
}

void TimerWheel::set_now(Instant now) { now_ = std::max(now_, now); }

void TimerWheel::list(Timer& timer) {
  constexpr uint64_t kReach = (uint64_t{1} << (kSlotBits * kLevels)) - 1;
  const uint64_t ahead = std::min(timer.due_tick_ - done_tick_, kReach);
  const uint64_t tick = done_tick_ + ahead;
  int level = 0;
  while (level + 1 < kLevels && ahead >> (kSlotBits * (level + 1)) != 0) ++level;
  const uint64_t block = tick >> (kSlotBits * level);
  const uint64_t slot = block % kSlots;

  timer.listed_ = true;
  timer.listed_tick_ = tick;
  timer.level_ = static_cast<uint32_t>(level);
  timer.slot_ = static_cast<uint32_t>(slot);
  timer.previous_ = nullptr;
  timer.next_ = slots_[level][slot];
  if (timer.next_ != nullptr) timer.next_->previous_ = &timer;
  slots_[level][slot] = &timer;
  occupied_[level][slot / 64] |= uint64_t{1} << (slot % 64);
  next_tick_ = std::min(next_tick_, block << (kSlotBits * level));
  ++count_;
}

void TimerWheel::unlist(Timer& timer) {
  if (timer.next_ != nullptr) timer.next_->previous_ = timer.previous_;
  if (timer.previous_ != nullptr) {
    timer.previous_->next_ = timer.next_;
  } else {
    slots_[timer.level_][timer.slot_] = timer.next_;
    if (timer.next_ == nullptr) {
      occupied_[timer.level_][timer.slot_ / 64] &= ~(uint64_t{1} << (timer.slot_ % 64));
    }
  }
  timer.next_ = timer.previous_ = nullptr;
  timer.listed_ = false;
  if (--count_ == 0) next_tick_ = kNever;
}

// The smallest tick after done_tick_ at which an occupied slot of any level has its turn.
uint64_t TimerWheel::next_listed_tick() const {
  uint64_t next = kNever;
  for (int level = 0; level < kLevels; ++level) {
    const uint64_t block = (done_tick_ >> (kSlotBits * level)) + 1;
    const uint64_t first = block % kSlots;
    // Round the slots once from `first`, the word with `first` both first and last.
    for (uint64_t step = 0; step <= kSlots / 64; ++step) {
      const uint64_t word = (first / 64 + step) % (kSlots / 64);
      uint64_t bits = occupied_[level][word];
      if (step == 0) bits &= ~uint64_t{0} << (first % 64);
      if (bits == 0) continue;
      const uint64_t slot = word * 64 + static_cast<uint64_t>(std::countr_zero(bits));
      const uint64_t distance = (slot + kSlots - first) % kSlots;
      next = std::min(next, (block + distance) << (kSlotBits * level));
      break;
    }
  }
  return next;
}

void TimerWheel::advance(Instant now) {
  set_now(now);
  const uint64_t target = tick_of(now_);
  while (next_tick_ <= target) {
    run_tick(next_tick_);
    next_tick_ = next_listed_tick();
  }
  done_tick_ = std::max(done_tick_, target);
}

void TimerWheel::run_tick(uint64_t tick) {
  // From here on start() lists nothing in the slots that have their turn now.
  done_tick_ = tick;
  for (int level = kLevels - 1; level > 0; --level) {
    if (tick % (uint64_t{1} << (kSlotBits * level)) == 0) cascade(level, tick);
  }
  fire(tick);
}

void TimerWheel::cascade(int level, uint64_t tick) {
  Timer*& head = slots_[level][(tick >> (kSlotBits * level)) % kSlots];
  while (head != nullptr) {
    Timer& timer = *head;
    unlist(timer);
    if (timer.running_) list(timer);
  }
}

void TimerWheel::fire(uint64_t tick) {
  Timer*& head = slots_[0][tick % kSlots];
  while (head != nullptr) {
    Timer& timer = *head;
    unlist(timer);
    if (!timer.running_) continue;
    if (timer.due_tick_ > tick) {  // it was moved later
      list(timer);
      continue;
    }
    timer.running_ = false;
    timer.fire_(timer.owner_);  // may destroy `timer`
  }
}

Millis TimerWheel::until_next() const {
  if (count_ == 0) return Millis::max();
  const Instant at = start_ + kTickNs * static_cast<int64_t>(next_tick_);
  if (at <= now_) return Millis(0);
  return std::chrono::ceil<Millis>(at - now_);
}

}  // namespace base
