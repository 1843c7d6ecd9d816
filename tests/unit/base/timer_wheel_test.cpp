#include "proxy/base/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

namespace base {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBegin{1'000'000'000s};

// A timer that counts its firings.
struct Bell {
  explicit Bell(TimerWheel& wheel) : timer(wheel, this, fires<&Bell::ring>) {}
  void ring() {
    ++rings;
    if (when_rung) when_rung();
  }
  int rings = 0;
  std::function<void()> when_rung;
  Timer timer;
};

TEST(TimerWheel, FiresOnceNotEarlyAndAtMostOneTickLate) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.timer.start(100ms);
  wheel.advance(kBegin + 99ms);
  EXPECT_EQ(bell.rings, 0);
  EXPECT_TRUE(bell.timer.is_running());
  wheel.advance(kBegin + 116ms);
  EXPECT_EQ(bell.rings, 1);
  EXPECT_FALSE(bell.timer.is_running());
  wheel.advance(kBegin + 10h);
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, NeverFiresInsideStart) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.timer.start(0ms);
  EXPECT_EQ(bell.rings, 0);
  wheel.advance(kBegin + 16ms);
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, CountsFromTheTimeThatWasSet) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  wheel.set_now(kBegin + 1s);
  bell.timer.start(100ms);
  wheel.advance(kBegin + 1s + 99ms);
  EXPECT_EQ(bell.rings, 0);
  wheel.advance(kBegin + 1s + 116ms);
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, MovesARunningTimerLaterAndEarlier) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.timer.start(50ms);
  bell.timer.start(5s);
  wheel.advance(kBegin + 4999ms);
  EXPECT_EQ(bell.rings, 0);
  bell.timer.start(10ms);
  wheel.advance(kBegin + 4999ms + 26ms);
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, StoppedTimersStaySilent) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.timer.start(50ms);
  bell.timer.stop();
  EXPECT_FALSE(bell.timer.is_running());
  wheel.advance(kBegin + 1h);
  EXPECT_EQ(bell.rings, 0);
  EXPECT_TRUE(wheel.is_empty());
}

TEST(TimerWheel, AFiredTimerMayStartItselfAgain) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.when_rung = [&] { bell.timer.start(100ms); };
  bell.timer.start(100ms);
  for (int ms = 1; ms <= 1000; ++ms) wheel.advance(kBegin + Millis(ms));
  EXPECT_GE(bell.rings, 8);
  EXPECT_LE(bell.rings, 10);
}

TEST(TimerWheel, ATimerThatRestartsAtOnceDoesNotHoldUpTheWheel) {
  TimerWheel wheel(kBegin);
  Bell bell(wheel);
  bell.when_rung = [&] { bell.timer.start(0ms); };
  bell.timer.start(0ms);
  wheel.advance(kBegin + 1h + 1ms);
  EXPECT_EQ(bell.rings, 1);
}

TEST(TimerWheel, AFiredTimerMayDestroyItselfAndItsNeighbours) {
  TimerWheel wheel(kBegin);
  std::vector<std::unique_ptr<Bell>> bells;
  int rung = 0;
  for (int i = 0; i < 10; ++i) {
    bells.push_back(std::make_unique<Bell>(wheel));
    bells.back()->timer.start(20ms);
    bells.back()->when_rung = [&] {
      ++rung;
      auto gone = std::move(bells);
      bells.clear();
    };
  }
  wheel.advance(kBegin + 1s);
  EXPECT_EQ(rung, 1);
  EXPECT_TRUE(wheel.is_empty());
}

TEST(TimerWheel, MayEndBeforeItsTimers) {
  auto wheel = std::make_unique<TimerWheel>(kBegin);
  Bell bell(*wheel);
  bell.timer.start(20ms);
  wheel.reset();
  EXPECT_EQ(bell.rings, 0);
}

TEST(TimerWheel, SaysHowLongNothingWillHappen) {
  TimerWheel wheel(kBegin);
  EXPECT_EQ(wheel.until_next(), Millis::max());
  Bell bell(wheel);
  bell.timer.start(100ms);
  EXPECT_LE(wheel.until_next(), 116ms);
  EXPECT_GE(wheel.until_next(), 100ms);
}

TEST(TimerWheel, HoldsDeadlinesOfYearsAndCrossesThemQuickly) {
  TimerWheel wheel(kBegin);
  Bell soon(wheel);
  Bell years(wheel);
  Bell never(wheel);
  soon.timer.start(1h);
  years.timer.start(24h * 365 * 5);
  never.timer.start(Millis::max());
  wheel.advance(kBegin + 24h * 365 * 5 - 1ms);
  EXPECT_EQ(soon.rings, 1);
  EXPECT_EQ(years.rings, 0);
  wheel.advance(kBegin + 24h * 365 * 5 + 16ms);
  EXPECT_EQ(years.rings, 1);
  EXPECT_EQ(never.rings, 0);
}

// What the wheel must be indistinguishable from, up to a tick.
struct Model {
  std::map<int, Instant> due;
};

// Random starts, stops, restarts from inside firings and steps of time, at every scale.
void compare_with_model(unsigned seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto draw = [&](int64_t below) {
    return std::uniform_int_distribution<int64_t>(0, below - 1)(random);
  };
  const auto draw_scale = [&] { return Millis(draw(int64_t{1} << draw(30))); };
  Instant now = kBegin + std::chrono::nanoseconds(draw(1'000'000'000));
  TimerWheel wheel(now);
  Model model;
  std::vector<std::unique_ptr<Bell>> bells;
  for (int i = 0; i < 20; ++i) {
    bells.push_back(std::make_unique<Bell>(wheel));
    bells[i]->when_rung = [&, i] {
      ASSERT_TRUE(model.due.contains(i)) << "fired without a start";
      ASSERT_LE(model.due[i], now) << "early";
      model.due.erase(i);
      if (draw(4) == 0) {
        const int other = static_cast<int>(draw(20));
        const Millis after = draw_scale();
        bells[other]->timer.start(after);
        model.due[other] = now + after;
      }
      if (draw(8) == 0) {
        const int other = static_cast<int>(draw(20));
        bells[other]->timer.stop();
        model.due.erase(other);
      }
    };
  }
  for (int step = 0; step < 300; ++step) {
    const int i = static_cast<int>(draw(20));
    if (draw(3) > 0) {
      const Millis after = draw_scale();
      bells[i]->timer.start(after);
      model.due[i] = now + after;
    } else if (draw(4) == 0) {
      bells[i]->timer.stop();
      model.due.erase(i);
    }
    // Mostly go where the wheel says something is due, sometimes anywhere.
    const Millis next = wheel.until_next();
    if (next != Millis::max() && draw(2) == 0) {
      now += next;
    } else {
      now += draw_scale() / 8 + std::chrono::nanoseconds(draw(1'000'000));
    }
    if (draw(2) == 0) wheel.set_now(now);
    wheel.advance(now);
    for (const auto& [id, due] : model.due) {
      ASSERT_GT(due + TimerWheel::kTick, now) << "timer " << id << " is late";
      ASSERT_TRUE(bells[id]->timer.is_running());
      ASSERT_LE(now + wheel.until_next(), due + TimerWheel::kTick + 1ms) << "would look too late";
    }
  }
}

TEST(TimerWheel, AgreesWithANaiveModel) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    compare_with_model(seed);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace base
