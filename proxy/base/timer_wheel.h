// Timers of one loop, coarse (16 ms) and cheap: starting one that already runs to a later moment
// costs a store. A wheel knows no clock; whoever turns it says what time it is.
#pragma once

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
  ~Timer() { stop(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // From the wheel's current time. Starting again replaces the deadline.
  void start(Millis after);
  void stop();
  bool is_running() const { return running_; }

 private:
  friend class TimerWheel;
  TimerWheel& wheel_;
  void* owner_;
  Fire fire_;
  uint64_t due_tick_ = 0;     // when to fire
  uint64_t listed_tick_ = 0;  // the slot's tick where it is listed; due_tick_ may be later
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

  uint64_t tick_of(Instant at) const;
  void list(Timer& timer);
  void unlist(Timer& timer);
  void cascade(int level, uint64_t tick);

  Instant start_;
  Instant now_;
  uint64_t done_tick_ = 0;  // all ticks up to here have fired
  Timer* slots_[kLevels][kSlots] = {};
  Timer** iterating_ = nullptr;  // the next timer of the list being fired, kept valid by unlist
  size_t count_ = 0;
};

}  // namespace base
