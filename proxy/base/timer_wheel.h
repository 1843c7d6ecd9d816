// Timers of one loop, coarse (16 ms) and cheap: starting one that already runs to a later moment
// costs a store. A wheel knows no clock; whoever turns it says what time it is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "proxy/base/clock.h"

namespace base {

class TimerWheel;

// One deadline. Owned by whoever waits; destroying it stops it. Fires once per start, never early,
// and never from inside start() or stop().
class Timer {
 public:
  using Fire = void (*)(void* owner);
  Timer(TimerWheel& wheel, void* owner, Fire fire) : wheel_(wheel), owner_(owner), fire_(fire) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // From the wheel's current time. Starting again replaces the deadline.
  void start(Millis after);
  void stop() { running_ = false; }  // stays listed until its slot comes up
  bool is_running() const { return running_; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  void* owner_;
  Fire fire_;
  uint64_t due_tick_ = 0;     // when to fire
  uint64_t listed_tick_ = 0;  // where it is listed; due_tick_ may be later meanwhile
  uint32_t level_ = 0;        // of the slot where it is listed
  uint32_t slot_ = 0;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  bool running_ = false;
  bool listed_ = false;
};

// Turns a member function into a Timer::Fire: Timer{wheel, this, fires<&Exchange::on_deadline>}.
template <auto Method>
struct FireMember;
template <class T, void (T::*Method)()>
struct FireMember<Method> {
  static void call(void* owner) { (static_cast<T*>(owner)->*Method)(); }
};
template <auto Method>
constexpr Timer::Fire fires = &FireMember<Method>::call;

class TimerWheel {
 public:
  static constexpr Millis kTick{16};
  explicit TimerWheel(Instant now) : start_(now), now_(now) {}
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  // Sets the time that start() counts from. Does not fire.
  void set_now(Instant now);
  Instant now() const { return now_; }
  // Fires what is due at `now`. A fired timer may start or destroy any timer, itself included.
  void advance(Instant now);
  // Time until advance() has something to look at; Millis::max() when no timer is listed. May be
  // too early (a timer was moved later), never too late.
  Millis until_next() const;
  bool is_empty() const { return count_ == 0; }

 private:
  friend class Timer;
  static constexpr int kSlotBits = 8;
  static constexpr int kLevels = 4;
  static constexpr uint64_t kSlots = 1u << kSlotBits;
  static constexpr uint64_t kNever = UINT64_MAX;

  uint64_t tick_of(Instant at) const;
  uint64_t due_tick(Millis after) const;
  void list(Timer& timer);
  void unlist(Timer& timer);
  void run_tick(uint64_t tick);
  void cascade(int level, uint64_t tick);
  void fire(uint64_t tick);
  uint64_t next_listed_tick() const;

  Instant start_;
  Instant now_;
  uint64_t done_tick_ = 0;       // all ticks up to here have fired
  uint64_t next_tick_ = kNever;  // no slot needs a look before this tick
  size_t count_ = 0;             // listed timers
  // Level n holds what is due within 256^(n+1) ticks, by the n-th byte of its tick. A slot is
  // looked at when its first tick comes: level 0 fires, the others move down.
  Timer* slots_[kLevels][kSlots] = {};
  uint64_t occupied_[kLevels][kSlots / 64] = {};  // a bit a slot: finds the next one quickly
};

}  // namespace base
