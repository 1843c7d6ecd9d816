#include "shifter/control/autoscaler.h"

#include <algorithm>
#include <cstdio>

namespace control {
namespace {

using base::Millis;
using policy::Policy;

// 95 %: one of twenty may be slower.
constexpr int64_t kTail = 20;

// What one color wants, before anything that may stand against it.
struct Want {
  ScaleKind kind = ScaleKind::hold;
  ScaleWhy why = ScaleWhy::steady;
  double urgency = 0;  // the greater one goes first
  std::string text;
};

std::string figure(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", share * 100);
  return text;
}

std::string time_left(base::Instant until, base::Instant now) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(until - now);
  return base::duration_text(std::max(Millis{0}, Millis{left}));
}

Millis slice_of(const Policy& policy) { return policy.window / policy::kSlices; }

// How many usable slices there are, counted from the newest. They follow each other without a gap.
size_t usable_slices(const ScaleColor& color) {
  size_t count = 0;
  const auto& slices = *color.slices;
  while (count < slices.size()) {
    const ScaleSlice& one = slices[slices.size() - 1 - count];
    if (!one.usable) break;
    if (count > 0 && one.end != slices[slices.size() - count].begin) break;
    ++count;
  }
  return count;
}

bool is_fresh(const Policy& policy, const ScaleColor& color, base::Instant now) {
  return usable_slices(color) > 0 && now - color.slices->back().end <= policy.blind_after;
}

// All windows, one for each slice that one may begin with, of a time that ends with the newest
// slice; empty: not so much was seen.
std::vector<ScaleSpan> windows_of(const Policy& policy, const ScaleColor& color, Millis over) {
  const auto needed = static_cast<size_t>(over / policy.window) * policy::kSlices;
  if (usable_slices(color) < needed) return {};
  std::vector<ScaleSpan> windows(needed - policy::kSlices + 1);
  const size_t first = color.slices->size() - needed;
  for (size_t i = 0; i < windows.size(); ++i) {
    for (size_t j = 0; j < policy::kSlices; ++j) windows[i].add((*color.slices)[first + i + j]);
  }
  return windows;
}

// The first slice of these windows.
size_t first_slice(const std::vector<ScaleSpan>& windows, const ScaleColor& color) {
  return color.slices->size() - (windows.size() + policy::kSlices - 1);
}

ScaleSpan sum_of(const std::vector<ScaleSpan>& windows, const ScaleColor& color) {
  ScaleSpan all;
  for (size_t i = first_slice(windows, color); i < color.slices->size(); ++i) {
    all.add((*color.slices)[i]);
  }
  return all;
}

std::string told(const Policy& policy, const ScaleColor& color, const ScaleSpan& span,
                 int64_t edge_us, Millis over) {
  return color.name + ": " + percent(span.slow_share(edge_us)) + " of " +
         std::to_string(span.requests()) + " requests above " + policy::seconds_text(edge_us) +
         " in " + base::duration_text(over) + " (p95 " + p95_text(span) + "), in flight " +
         figure(span.in_flight_mean()) + " (most " + std::to_string(span.in_flight_max) +
         "), queue at most " + std::to_string(span.queue_max) + ", waiting " +
         percent(span.waiting_share()) + " (limit " + percent(policy.waiting_permille / 1000.0) +
         "), workers " + (color.workers ? std::to_string(*color.workers) : "unknown");
}

bool is_slow(const ScaleSpan& span, int64_t edge_us) {
  return span.slow(edge_us) * kTail > span.requests();
}

// p95 is above the edge in each of the windows that follow each other; and no window, wherever it
// begins, nor the first or the last slice, is without a slow request: slow for nearly the whole
// time is not the whole time.
bool is_slow_throughout(const ScaleColor& color, const std::vector<ScaleSpan>& windows,
                        int64_t edge) {
  for (size_t i = 0; i < windows.size(); ++i) {
    const bool counts = i % policy::kSlices == 0;
    if (counts ? !is_slow(windows[i], edge) : windows[i].slow(edge) == 0) return false;
  }
  return (*color.slices)[first_slice(windows, color)].slow(edge) > 0 &&
         color.slices->back().slow(edge) > 0;
}

Want look_up(const Policy& policy, const ScaleColor& color) {
  const auto windows = windows_of(policy, color, policy.up.over);
  if (windows.empty()) return {ScaleKind::hold, ScaleWhy::collecting, 0, {}};
  const ScaleSpan all = sum_of(windows, color);
  Want want;
  want.text = told(policy, color, all, policy.up.edge_us, policy.up.over);
  want.urgency = all.slow_share(policy.up.edge_us);
  if (!is_slow_throughout(color, windows, policy.up.edge_us)) return want;
  const bool few = all.requests() < policy.up.requests ||
                   std::any_of(windows.begin(), windows.end(), [&](const ScaleSpan& window) {
                     return window.requests() < policy.window_requests;
                   });
  if (few) {
    want.why = ScaleWhy::few_requests;
  } else if (all.waiting_share() * 1000 < policy.waiting_permille) {
    want.why = ScaleWhy::not_queueing;
  } else {
    want.kind = ScaleKind::up;
    want.why = ScaleWhy::p95_high;
  }
  return want;
}

// p95 is told of windows with enough requests, and of the whole time.
bool is_fast(const Policy& policy, const std::vector<ScaleSpan>& windows, const ScaleSpan& all) {
  const int64_t edge = policy.down.edge_us;
  const auto fast = [&](const ScaleSpan& span) {
    return span.requests() < policy.window_requests ||
           span.slow(edge) * kTail < span.requests();
  };
  return std::all_of(windows.begin(), windows.end(), fast) && fast(all);
}

// Little's law: the mean number in flight is what the workers that remain must carry.
bool fits_the_rest(const Policy& policy, const ScaleColor& color, const ScaleSpan& all) {
  const int rest = std::max(policy.min_workers, *color.workers - policy.down.step);
  return all.in_flight_mean() * 1000 <= rest * policy.down.utilisation_permille;
}

Want look_down(const Policy& policy, const ScaleColor& color) {
  const auto windows = windows_of(policy, color, policy.down.over);
  if (windows.empty()) return {ScaleKind::hold, ScaleWhy::collecting, 0, {}};
  const ScaleSpan all = sum_of(windows, color);
  Want want;
  want.text = told(policy, color, all, policy.down.edge_us, policy.down.over);
  const bool fast = is_fast(policy, windows, all);
  const bool waits = all.waiting_share() * 1000 >= policy.waiting_permille;
  const bool fits = fits_the_rest(policy, color, all);
  want.urgency = -all.in_flight_mean() / *color.workers;
  if (!fast && (policy.down.rule == policy::DownRule::both || waits)) {
    // Not by chance in one window, but over the whole time, with room for one worker less.
    const bool unreachable = fits && !waits && *color.workers > policy.min_workers &&
                             all.slow(policy.down.edge_us) * kTail >= all.requests();
    want.why = unreachable ? ScaleWhy::down_threshold_unreachable : ScaleWhy::steady;
  } else if (waits) {
    want.why = ScaleWhy::waiting;
  } else if (all.errors * kTail > all.requests()) {
    want.why = ScaleWhy::errors;
  } else if (!fits) {
    want.why = ScaleWhy::utilisation;
  } else {
    want.kind = ScaleKind::down;
    want.why = ScaleWhy::low;
  }
  return want;
}

std::string collected(const Policy& policy, const ScaleColor& color) {
  const Millis seen = slice_of(policy) * static_cast<int64_t>(usable_slices(color));
  const Millis needed = seen < policy.up.over ? policy.up.over : policy.down.over;
  return color.name + ": " + base::duration_text(seen) + " of " + base::duration_text(needed) +
         " seen without a gap";
}

Want want_of(const Policy& policy, const ScaleColor& color) {
  if (!color.workers || *color.workers < 1) {
    return {ScaleKind::hold, ScaleWhy::workers_unknown, 0,
            color.name + ": nobody told how many workers it has"};
  }
  const Want up = look_up(policy, color);
  if (up.kind == ScaleKind::up) return up;
  if (up.why == ScaleWhy::not_queueing || up.why == ScaleWhy::few_requests) return up;
  Want down = look_down(policy, color);
  if (down.why == ScaleWhy::collecting) down.text = collected(policy, color);
  return down;
}

ScaleDecision hold(ScaleWhy why, std::string text) {
  ScaleDecision decision;
  decision.why = why;
  decision.text = std::move(text);
  return decision;
}

ScaleDecision blind(ScaleWhy why, std::string text) {
  ScaleDecision decision = hold(why, std::move(text));
  decision.kind = ScaleKind::blind;
  return decision;
}

// Nothing that counts is known of a color for too long. Before that, no verdict.
std::optional<ScaleDecision> blindness(const Policy& policy, const ScaleFacts& facts) {
  const bool is_early = facts.now - facts.watching_since <= policy.blind_after;
  if (facts.live.empty()) {
    if (is_early) return hold(ScaleWhy::collecting, "no color serves users yet");
    return blind(ScaleWhy::no_live_color, "no color that serves users is up");
  }
  for (const ScaleColor& color : facts.live) {
    if (is_fresh(policy, color, facts.now)) continue;
    const std::string text = color.name + ": nothing was counted for more than " +
                             base::duration_text(policy.blind_after);
    if (!is_early) return blind(ScaleWhy::no_data, text);
    return hold(ScaleWhy::collecting, color.name + ": counting has begun");
  }
  return std::nullopt;
}

// The worst wins: one that needs more before one that may shrink, and all must agree to shrink.
ScaleDecision worst_of(const Policy& policy, const ScaleFacts& facts) {
  std::vector<Want> wants;
  for (const ScaleColor& color : facts.live) wants.push_back(want_of(policy, color));
  const auto rank = [](const Want& want) {
    return want.kind == ScaleKind::up ? 2 : want.kind == ScaleKind::hold ? 1 : 0;
  };
  size_t worst = 0;
  for (size_t i = 1; i < wants.size(); ++i) {
    const bool is_worse = rank(wants[i]) > rank(wants[worst]) ||
                          (rank(wants[i]) == rank(wants[worst]) &&
                           wants[i].urgency > wants[worst].urgency);
    if (is_worse) worst = i;
  }
  ScaleDecision decision = hold(wants[worst].why, wants[worst].text);
  decision.kind = wants[worst].kind;
  decision.color = worst;
  decision.from = facts.live[worst].workers.value_or(0);
  decision.to = decision.from;
  if (decision.kind == ScaleKind::up) {
    decision.to = std::min(policy.max_workers, decision.from + policy.up.step);
  } else if (decision.kind == ScaleKind::down) {
    decision.to = std::max(policy.min_workers, decision.from - policy.down.step);
  }
  return decision;
}

// An operator's number, for the first color that does not have it.
ScaleDecision as_asked(const ScaleFacts& facts) {
  const int wanted = facts.state.number;
  for (size_t i = 0; i < facts.live.size(); ++i) {
    const ScaleColor& color = facts.live[i];
    if (!color.workers) {
      return hold(ScaleWhy::workers_unknown, color.name + ": nobody told how many workers it has");
    }
    if (*color.workers == wanted) continue;
    ScaleDecision decision = hold(
        ScaleWhy::asked, color.name + ": " + std::to_string(wanted) + " workers were asked for");
    decision.kind = wanted > *color.workers ? ScaleKind::up : ScaleKind::down;
    decision.color = i;
    decision.from = *color.workers;
    decision.to = wanted;
    return decision;
  }
  return hold(ScaleWhy::as_asked, std::to_string(wanted) + " workers were asked for");
}

ScaleDecision refuse(ScaleDecision decision, ScaleWhy why, const std::string& text) {
  decision.kind = ScaleKind::refused;
  decision.why = why;
  decision.text += "; " + text;
  return decision;
}

ScaleDecision wait(ScaleDecision decision, ScaleWhy why, const std::string& text) {
  decision.kind = ScaleKind::hold;
  decision.why = why;
  decision.text += "; " + text;
  return decision;
}

// The pause after the last change, unless a person asked.
std::optional<base::Instant> cooldown_end(const Policy& policy, const ScaleFacts& facts,
                                          const ScaleDecision& decision) {
  if (!facts.state.changed || decision.why == ScaleWhy::asked) return std::nullopt;
  const Millis pause =
      decision.kind == ScaleKind::up ? policy.cooldown_up : policy.cooldown_down;
  const base::Instant end = *facts.state.changed + pause;
  if (facts.now >= end) return std::nullopt;
  return end;
}

// What may stand against a change, in the order of what a person would want to hear first.
ScaleDecision gated(const Policy& policy, const ScaleFacts& facts, ScaleDecision decision) {
  if (decision.kind != ScaleKind::up && decision.kind != ScaleKind::down) return decision;
  const bool up = decision.kind == ScaleKind::up;
  if (facts.acting) return wait(decision, ScaleWhy::acting, "a change is under way");
  if (facts.rollout) return refuse(decision, ScaleWhy::rollout, "a rollout runs");
  if (decision.from == decision.to || (up && decision.to < decision.from)) {
    return wait(decision, up ? ScaleWhy::at_max : ScaleWhy::at_min,
                up ? "max_workers is " + std::to_string(policy.max_workers)
                   : "min_workers is " + std::to_string(policy.min_workers));
  }
  if (auto end = cooldown_end(policy, facts, decision)) {
    return wait(decision, ScaleWhy::cooldown, "pause for " + time_left(*end, facts.now));
  }
  if (facts.state.retry_at && facts.now < *facts.state.retry_at) {
    return wait(decision, ScaleWhy::backing_off,
                std::to_string(facts.state.failures) + " failed; again in " +
                    time_left(*facts.state.retry_at, facts.now));
  }
  if (!facts.has_agent) return refuse(decision, ScaleWhy::no_agent, "no agent is connected");
  if (policy.apply == policy::Apply::redeploy && !facts.has_cold) {
    return refuse(decision, ScaleWhy::no_cold_color, "no color stands by");
  }
  decision.limits =
      limits_of(policy, facts.machine, facts.live[decision.color], decision.from, decision.to);
  if (!decision.limits.empty()) {
    return refuse(decision, ScaleWhy::capacity,
                  std::to_string(decision.to) + " workers: " + decision.limits);
  }
  return decision;
}

}  // namespace

std::optional<ScaleSpan> last_window(const Policy& policy, const ScaleColor& color,
                                     base::Instant now) {
  if (!is_fresh(policy, color, now)) return std::nullopt;
  auto windows = windows_of(policy, color, policy.window);
  if (windows.empty()) return std::nullopt;
  return windows.front();
}

std::string limits_of(const Policy& policy, const ScaleMachine& machine, const ScaleColor& color,
                      int from, int to) {
  const policy::Capacity& capacity = policy.capacity;
  // A redeploy starts all of them while the old ones still run.
  const int added =
      policy.apply == policy::Apply::redeploy ? to : std::max(0, to - from);
  std::string limits;
  const auto add = [&limits](const std::string& one) {
    limits += (limits.empty() ? "" : ", ") + one;
  };
  if (machine.cpus && to > from) {
    const int most = capacity.workers_per_cpu * *machine.cpus + 1;
    if (to > most) add("cpu " + std::to_string(most));
  }
  if (machine.memory_free &&
      added * capacity.memory_per_worker > *machine.memory_free - capacity.memory_reserve) {
    if (added > 0) add("ram");
  }
  if (machine.connections && machine.connections_max && added > 0) {
    const int64_t then = *machine.connections + int64_t{added} * capacity.connections_per_worker;
    if (then * 1000 > *machine.connections_max * capacity.connections_permille) add("connections");
  }
  if (color.slots > 0 && to > color.slots) add("slots");
  return limits;
}

ScaleDecision decide(const Policy& policy, const ScaleFacts& facts) {
  const ScaleState& state = facts.state;
  const bool by_number = state.mode == ScaleMode::number && !facts.live.empty();
  if (by_number && !state.frozen) return gated(policy, facts, as_asked(facts));
  if (auto decision = blindness(policy, facts)) return *decision;
  if (state.mode == ScaleMode::freeze) {
    return hold(ScaleWhy::frozen_by_operator,
                state.until ? "for " + time_left(*state.until, facts.now) : "until `scale auto`");
  }
  if (state.frozen) {
    return hold(ScaleWhy::frozen_failures,
                std::to_string(state.failures) + " changes failed in a row; `scale auto` goes on");
  }
  return gated(policy, facts, worst_of(policy, facts));
}

ScaleState change_succeeded(ScaleState state, base::Instant now) {
  state.changed = now;
  state.failures = 0;
  state.retry_at.reset();
  return state;
}

ScaleState change_failed(ScaleState state, const policy::Retry& retry, base::Instant now) {
  Millis pause = retry.first;
  for (int i = 0; i < state.failures && pause < retry.most; ++i) pause *= 2;
  ++state.failures;
  state.retry_at = now + std::min(pause, retry.most);
  state.frozen = state.failures >= retry.failures;
  return state;
}

ScaleState change_refused(ScaleState state, const policy::Retry& retry, base::Instant now) {
  state.retry_at = now + retry.first;
  return state;
}

ScaleState set_automatic(ScaleState state) {
  ScaleState next;
  next.changed = state.changed;
  next.under_way = state.under_way;
  return next;
}

ScaleState settle(ScaleState state, base::Instant now) {
  if (state.mode == ScaleMode::automatic || !state.until || now < *state.until) return state;
  state.mode = ScaleMode::automatic;
  state.until.reset();
  state.number = 0;
  state.reason.clear();
  return state;
}

std::string_view text_of(ScaleKind kind) {
  constexpr std::string_view kNames[] = {"hold", "up", "down", "refused", "blind"};
  return kNames[static_cast<size_t>(kind)];
}

std::string_view text_of(ScaleWhy why) {
  constexpr std::string_view kNames[] = {"steady",
                                         "p95_high",
                                         "low",
                                         "asked",
                                         "collecting",
                                         "few_requests",
                                         "not_queueing",
                                         "utilisation",
                                         "waiting",
                                         "errors",
                                         "down_threshold_unreachable",
                                         "at_max",
                                         "at_min",
                                         "cooldown",
                                         "backing_off",
                                         "acting",
                                         "as_asked",
                                         "frozen_by_operator",
                                         "frozen_failures",
                                         "no_data",
                                         "no_live_color",
                                         "workers_unknown",
                                         "rollout",
                                         "no_agent",
                                         "no_cold_color",
                                         "capacity"};
  static_assert(std::size(kNames) == kScaleWhys);
  return kNames[static_cast<size_t>(why)];
}

std::string text_of(const ScaleDecision& decision) {
  std::string text(text_of(decision.kind));
  if (decision.kind == ScaleKind::up || decision.kind == ScaleKind::down) {
    return text + "(" + std::to_string(decision.from) + " to " + std::to_string(decision.to) + ")";
  }
  if (!decision.limits.empty()) return text + "(" + decision.limits + ")";
  return text + "(" + std::string(text_of(decision.why)) + ")";
}

}  // namespace control
