#include "shifter/control/ejection.h"

namespace control {

AnswerCounts count_answers(const routing::ColorTotals& totals) {
  AnswerCounts counts;
  for (const routing::RouteTotals& route : totals.routes) {
    for (int slot = 0; slot < routing::kCodeSlots; ++slot) {
      const int64_t count = route.requests[static_cast<size_t>(slot)];
      if (slot == routing::code_slot(499) || slot == routing::code_slot(503)) continue;
      counts.answers += count;
      const bool failed = slot == routing::code_slot(500) || slot == routing::code_slot(502) ||
                          slot == routing::code_slot(504);
      if (failed) counts.failed += count;
    }
  }
  return counts;
}

void Ejection::observe(const routing::Totals& totals, const EjectConfig& limits,
                       const std::function<bool(size_t)>& may_go, base::Instant now) {
  for (size_t i = 0; i < colors_.size() && i < totals.colors.size(); ++i) {
    Color& color = colors_[i];
    if (color.out) {
      if (now < color.until && limits.percent > 0 && may_go(i)) continue;
      color.out = false;
      color.window.clear();  // what failed before says nothing of now
    }
    if (limits.percent == 0) continue;
    const AnswerCounts counts = count_answers(totals.colors[i]);
    if (color.window.empty() || now - color.window.back().at >= limits.window / kSamples) {
      color.window.push_back({now, counts});
    }
    while (color.window.size() > 1 && now - color.window[1].at >= limits.window) {
      color.window.pop_front();
    }
    const AnswerCounts& before = color.window.front().counts;
    const int64_t answers = counts.answers - before.answers;
    const int64_t failed = counts.failed - before.failed;
    if (answers < limits.requests || failed * 100 < answers * limits.percent || !may_go(i)) {
      continue;
    }
    color.out = true;
    color.until = now + limits.time;
    ++color.times;
  }
}

}  // namespace control
