// Passive ejection: a color whose answers to users fail is taken out for a time, whatever its
// probes say. Apart from active checks: a passing probe does not bring it back, and nothing here
// touches their verdict. Counts in, a flag out; knows no loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/totals.h"
#include "shifter/control/config.h"

namespace control {

// Of a color, since the workers started. Failed: 500, 502 and 504; a client that left (499) and a
// full queue (503) are no fault of what is behind.
struct AnswerCounts {
  int64_t answers = 0;
  int64_t failed = 0;
};
AnswerCounts count_answers(const routing::ColorTotals& totals);

class Ejection {
 public:
  explicit Ejection(size_t colors) : colors_(colors) {}

  // Once a tick. may_go: other colors would serve the users of this one now; if that ends while a
  // color is out, it comes back at once.
  void observe(const routing::Totals& totals, const EjectConfig& limits,
               const std::function<bool(size_t color)>& may_go, base::Instant now);
  bool is_out(size_t color) const { return colors_[color].out; }
  int64_t times(size_t color) const { return colors_[color].times; }  // ejected so far

 private:
  struct Sample {
    base::Instant at;
    AnswerCounts counts;
  };
  struct Color {
    std::deque<Sample> window;  // at most kSamples and one
    bool out = false;
    base::Instant until{};
    int64_t times = 0;
  };
  static constexpr int kSamples = 10;
  std::vector<Color> colors_;
};

}  // namespace control
