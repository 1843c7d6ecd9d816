#include "shifter/control/scaling.h"

#include <algorithm>
#include <utility>

namespace control {
namespace {

using base::Level;
using base::LogLine;
using base::Millis;

constexpr Millis kDecide{1'000};

size_t direction(int from, int to) { return to > from ? 0 : 1; }

double seconds_until(base::Instant until, base::Instant now) {
  return std::max(0.0, std::chrono::duration<double>(until - now).count());
}

int64_t permille(double share) { return static_cast<int64_t>(share * 1000 + 0.5); }

}  // namespace

Scaling::Scaling(const base::Clock& clock, ControlLoop& control, routing::DataPlane& plane,
                 Events& events, ScaleHands& hands)
    : clock_(clock),
      control_(control),
      plane_(plane),
      events_(events),
      hands_(hands),
      windows_(control.fleet().colors.size()) {}

void Scaling::start() {
  watching_since_ = counted_ = clock_.now();
  take_policy(control_.config().scaling.policy);
}

void Scaling::take_policy(const policy::Policy& policy) {
  policy_ = policy;
  policy_failed_ = false;
  const Millis slice = policy_.window / policy::kSlices;
  windows_.set_slices(slice,
                      static_cast<size_t>(std::max(policy_.up.over, policy_.down.over) / slice));
}

Answer<ScaleState> Scaling::ask_number(int number, Millis time, const std::string& reason) const {
  if (number < policy_.min_workers || number > policy_.max_workers) {
    return deny(AdminCode::refused, std::to_string(number),
                "the policy allows " + std::to_string(policy_.min_workers) + " to " +
                    std::to_string(policy_.max_workers) + " workers");
  }
  for (size_t color : live()) {
    const ScaleFacts seen = facts();
    for (const ScaleColor& one : seen.live) {
      if (one.name != control_.fleet().colors[color].name) continue;
      const std::string limits =
          limits_of(policy_, seen.machine, one, one.workers.value_or(number), number);
      if (!limits.empty()) {
        return deny(AdminCode::refused, std::to_string(number),
                    one.name + " cannot have " + std::to_string(number) + " workers: " + limits);
      }
    }
  }
  ScaleState next = set_automatic(state());
  next.mode = ScaleMode::number;
  next.number = number;
  next.until = clock_.now() + time;
  next.reason = reason;
  return next;
}

ScaleState Scaling::ask_freeze(Millis time, const std::string& reason) const {
  ScaleState next = state();
  next.mode = ScaleMode::freeze;
  next.number = 0;
  next.until = clock_.now() + time;
  next.reason = reason;
  return next;
}

void Scaling::decide_now() {
  decided_ = {};
  tick();
}

void Scaling::tick() {
  const base::Instant now = clock_.now();
  std::vector<ScaleWindows::Sight> sights;
  for (size_t i = 0; i < control_.fleet().colors.size(); ++i) {
    const bool in_service = control_.fleet().colors[i].state == ColorState::ready;
    sights.push_back({in_service && control_.health().color(i).up &&
                          !control_.health().dependency_down(),
                      workers_of(i)});
  }
  windows_.observe(plane_.totals(), sights, worker_routes(control_.routes()), now);
  look_after_change();
  if (decided_ != base::Instant{} && now - decided_ < kDecide) return;
  decided_ = now;
  if (const ScaleState settled = settle(state(), now); settled.mode != state().mode) {
    events_.add(Level::info, "scale_mode_over");
    keep(settled);
  }
  const bool held = hands_.is_held();
  // What was seen while users moved says nothing about the time after it.
  if (std::exchange(was_held_, held) && !held) windows_.begin_anew();
  const ScaleDecision before = std::exchange(decision_, decide(policy_, facts()));
  if (now - counted_ >= policy_.window) {
    counted_ = now;
    ++decisions_[static_cast<size_t>(decision_.kind)];
  }
  tell(before);
  if (decision_.kind == ScaleKind::up || decision_.kind == ScaleKind::down) begin();
}

std::optional<int> Scaling::workers_of(size_t color) const {
  if (!control_.actions().has_agent()) return std::nullopt;
  const auto& workers = control_.actions().figures().workers;
  const auto at = workers.find(control_.fleet().colors[color].name);
  if (at == workers.end() || at->second < 1) return std::nullopt;
  return at->second;
}

// The colors that new users go to; in a rollout the one whose users are moved.
std::vector<size_t> Scaling::live() const {
  if (auto stable = hands_.stable()) return {*stable};
  std::vector<size_t> colors;
  for (size_t i = 0; i < control_.fleet().colors.size(); ++i) {
    const FleetColor& color = control_.fleet().colors[i];
    if (color.state == ColorState::ready && color.weight > 0 && control_.health().color(i).up) {
      colors.push_back(i);
    }
  }
  return colors;
}

ScaleFacts Scaling::facts() const {
  ScaleFacts facts;
  facts.now = clock_.now();
  facts.watching_since = watching_since_;
  const std::vector<size_t> colors = live();
  for (size_t color : colors) {
    ScaleColor one;
    one.name = control_.fleet().colors[color].name;
    one.workers = workers_of(color);
    one.slots = control_.routing().colors[color].slots;
    one.slices = &windows_.slices(color);
    facts.live.push_back(std::move(one));
  }
  facts.has_cold = colors.size() == 1 && control_.fleet().colors.size() > 1;
  facts.has_agent = control_.actions().has_agent();
  facts.rollout = hands_.is_held();
  facts.acting = state().under_way.has_value();
  const AgentFigures& figures = control_.actions().figures();
  facts.machine = {figures.cpus, figures.memory_free_bytes, figures.connections,
                   figures.connections_max};
  facts.state = state();
  return facts;
}

void Scaling::keep(ScaleState next) {
  control_.scale() = std::move(next);
  control_.save_now();
}

void Scaling::look_after_change() {
  if (!state().under_way) {
    if (auto id = hands_.forgotten()) {
      ScaleState next = state();
      next.under_way = ScaleUnderWay{*id, policy::Apply::redeploy, 0, 0};
      keep(std::move(next));
    }
    return;
  }
  const base::Instant now = clock_.now();
  if (looked_ != base::Instant{} && now - looked_ < Millis{200}) return;
  looked_ = now;
  const ScaleHands::Seen seen = hands_.look(state().under_way->apply, state().under_way->id);
  if (seen.state != ScaleHands::State::running) end_change(seen);
}

void Scaling::end_change(const ScaleHands::Seen& seen) {
  const ScaleUnderWay change = *state().under_way;
  const bool done = seen.state == ScaleHands::State::done;
  ScaleState next = state();
  next.under_way.reset();
  next = done ? change_succeeded(std::move(next), clock_.now())
              : change_failed(std::move(next), policy_.retry, clock_.now());
  const size_t way = direction(change.from, change.to);
  ++(done ? counts_.done : counts_.failed)[way];
  LogLine line;
  line.add("from", change.from).add("to", change.to).add("failures", next.failures);
  if (!seen.text.empty()) line.add("detail", seen.text);
  events_.add(done ? Level::info : Level::error, done ? "scale_done" : "scale_failed",
              std::move(line));
  if (next.frozen && !state().frozen) {
    events_.add(Level::error, "scale_frozen", LogLine().add("failures", next.failures));
  }
  keep(std::move(next));
  if (done) windows_.begin_anew();  // a failure changed nothing: what was seen still holds
}

void Scaling::tell(const ScaleDecision& before) {
  const bool same = before.kind == decision_.kind &&
                    (decision_.kind == ScaleKind::hold || before.why == decision_.why);
  if (same) return;
  const bool bad = decision_.kind == ScaleKind::refused || decision_.kind == ScaleKind::blind;
  events_.add(bad ? Level::warning : Level::info, "scale_decision",
              LogLine().add("decision", text_of(decision_)).add("detail", decision_.text));
}

void Scaling::begin() {
  const std::vector<size_t> colors = live();
  ScaleOrder order{policy_.apply, colors[decision_.color], decision_.from, decision_.to,
                   decision_.text};
  auto id = hands_.begin(order);
  ScaleState next = state();
  LogLine line;
  line.add("color", control_.fleet().colors[order.color].name)
      .add("from", order.from)
      .add("to", order.to)
      .add("apply", policy::text_of(order.apply))
      .add("detail", order.reason);
  if (!id) {
    ++counts_.refused[direction(order.from, order.to)];
    events_.add(Level::warning, "scale_refused",
                std::move(line.add("error", id.error().message)));
    keep(change_refused(std::move(next), policy_.retry, clock_.now()));
    return;
  }
  next.under_way = ScaleUnderWay{*id, order.apply, order.from, order.to};
  events_.add(Level::info, "scale_begun", std::move(line));
  keep(std::move(next));
}

std::vector<std::string> Scaling::degraded() const {
  std::vector<std::string> reasons;
  if (state().frozen) reasons.emplace_back("the scaler is frozen: too many changes failed");
  if (policy_failed_) reasons.emplace_back("the scaling policy has a fault; the one before holds");
  return reasons;
}

std::string Scaling::json() const {
  const base::Instant now = clock_.now();
  const ScaleState& kept = state();
  constexpr std::string_view kModes[] = {"auto", "number", "freeze"};
  LogLine line;
  line.add("mode", kModes[static_cast<size_t>(kept.mode)]);
  if (kept.mode == ScaleMode::number) line.add("number", kept.number);
  if (kept.until) {
    line.add("for_s", static_cast<int64_t>(seconds_until(*kept.until, now)));
    line.add("reason", kept.reason);
  }
  line.add("decision", text_of(decision_)).add("detail", decision_.text);
  ScaleMetrics metrics;
  fill(metrics);
  line.add("cooldown_up_s", static_cast<int64_t>(metrics.cooldown_up_s))
      .add("cooldown_down_s", static_cast<int64_t>(metrics.cooldown_down_s))
      .add("failures", kept.failures)
      .add("frozen", kept.frozen)
      .add("apply", policy::text_of(policy_.apply))
      .add("min_workers", policy_.min_workers)
      .add("max_workers", policy_.max_workers);
  if (kept.under_way) {
    LogLine change;
    change.add("id", static_cast<int64_t>(kept.under_way->id))
        .add("from", kept.under_way->from)
        .add("to", kept.under_way->to);
    line.add_raw("under_way", json_of(change));
  } else {
    line.add_raw("under_way", "null");
  }
  LogLine colors;
  for (size_t i = 0; i < metrics.colors.size(); ++i) {
    const ScaleColorMetrics& one = metrics.colors[i];
    LogLine color;
    const auto workers = workers_of(i);
    color.add_raw("workers", workers ? std::to_string(*workers) : "null").add("known", one.known);
    if (one.known) {
      color.add("slow_up_permille", permille(one.slow_up))
          .add("slow_down_permille", permille(one.slow_down))
          .add("in_flight_hundredths", static_cast<int64_t>(one.in_flight * 100 + 0.5))
          .add("queue_max", static_cast<int64_t>(one.queue_max))
          .add("waiting_permille", permille(one.waiting));
    }
    colors.add_raw(one.color, json_of(color));
  }
  line.add_raw("colors", json_of(colors));
  return json_of(line);
}

void Scaling::fill(ScaleMetrics& metrics) const {
  const base::Instant now = clock_.now();
  const ScaleState& kept = state();
  metrics.decision = decision_;
  metrics.decisions = decisions_;
  metrics.counts = counts_;
  metrics.blind = decision_.kind == ScaleKind::blind;
  metrics.policy_failed = policy_failed_;
  metrics.frozen = kept.frozen;
  metrics.mode = kept.mode;
  metrics.failures = kept.failures;
  metrics.min_workers = policy_.min_workers;
  metrics.max_workers = policy_.max_workers;
  if (kept.changed) {
    metrics.cooldown_up_s = seconds_until(*kept.changed + policy_.cooldown_up, now);
    metrics.cooldown_down_s = seconds_until(*kept.changed + policy_.cooldown_down, now);
  }
  metrics.colors.clear();
  for (size_t i = 0; i < control_.fleet().colors.size(); ++i) {
    ScaleColorMetrics one;
    one.color = control_.fleet().colors[i].name;
    ScaleColor color{one.color, workers_of(i), 0, &windows_.slices(i)};
    if (auto window = last_window(policy_, color, now)) {
      one.known = true;
      one.slow_up = window->slow_share(policy_.up.edge_us);
      one.slow_down = window->slow_share(policy_.down.edge_us);
      one.in_flight = window->in_flight_mean();
      one.queue_max = static_cast<double>(window->queue_max);
      one.waiting = window->waiting_share();
    }
    metrics.colors.push_back(std::move(one));
  }
}

}  // namespace control
