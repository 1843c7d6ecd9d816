// A day of the same load under two policies, side by side: the one of this project and the script
// of the first design, which is fed with exact buckets and whose changes always succeed. Prints
// the table of docs/autoscaler.md.
#include <cmath>
#include <cstdio>

#include "tests/unit/control/scale_day.h"

namespace {

using control::DayPlan;
using control::DayResult;

struct Scene {
  const char* name;
  DayPlan plan;
};

// A working day: quiet at night, two peaks.
double office(double hour) {
  const double morning = std::exp(-(hour - 10.5) * (hour - 10.5) / 4.5);
  const double afternoon = std::exp(-(hour - 16) * (hour - 16) / 4.5);
  return 0.05 + morning + 0.8 * afternoon;
}

void print(const char* name, const DayResult& first, const DayResult& ours) {
  std::printf("| %s | %d | %d | %d (%.1f h) | %d | %d | %d (%.1f h) |\n", name, first.changes,
              first.minutes_above, first.last, first.constant_hours, ours.changes,
              ours.minutes_above, ours.last, ours.constant_hours);
}

}  // namespace

int main() {
  const Scene scenes[] = {
      {"3.75 erlang, mean 0.15 s, from 4 workers", {0.15, 3.75, 4, 1, {}}},
      {"the same from 5 workers", {0.15, 3.75, 5, 2, {}}},
      {"3.6 erlang, mean 0.15 s, from 4 workers", {0.15, 3.6, 4, 3, {}}},
      {"0.5 erlang, mean 0.217 s, from 16 workers", {0.217, 0.5, 16, 4, {}}},
      {"6 erlang, mean 0.2 s, from 4 workers", {0.2, 6, 4, 5, {}}},
      {"a working day up to 5 erlang, mean 0.15 s, from 4", {0.15, 5, 4, 6, office}},
      {"no requests at all, from 8 workers", {0.15, 1e-9, 8, 7, {}}},
  };
  policy::Policy little;
  little.down.rule = policy::DownRule::little;
  std::printf(
      "| load | first: changes a day | minutes above 1.2 s | final count (constant for) | ours: "
      "changes a day | minutes above 1.2 s | final count (constant for) |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n");
  for (const Scene& scene : scenes) {
    const DayResult first = control::run_day(scene.plan, control::first_design());
    const DayResult ours = control::run_day(scene.plan, control::ours(policy::Policy{}));
    print(scene.name, first, ours);
    if (ours.last_hold != "hold(down_threshold_unreachable)") continue;
    std::string name = std::string(scene.name) + ", ours with `rule: little`";
    print(name.c_str(), first, control::run_day(scene.plan, control::ours(little)));
  }
  return 0;
}
