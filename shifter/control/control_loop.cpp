#include "shifter/control/control_loop.h"

#include <algorithm>

#include "proxy/base/check.h"
#include "shifter/control/agent_families.h"
#include "shifter/control/follower.h"

namespace control {
namespace {

using base::Level;
using base::LogLine;

constexpr base::Millis kSaveRetry{1'000};
constexpr base::Millis kHealthSave{20'000};  // saved health is believed for a minute

std::vector<std::string> names_of(const routing::RoutingConfig& config) {
  std::vector<std::string> names;
  for (const auto& color : config.colors) names.push_back(color.name);
  return names;
}

}  // namespace

ControlLoop::ControlLoop(const base::Clock& clock, routing::DataPlane& plane, Events& events,
                         ControlConfig config, routing::RoutingConfig routing,
                         std::vector<base::Key> cookie_keys)
    : clock_(clock),
      plane_(plane),
      events_(events),
      config_(std::move(config)),
      routing_(std::move(routing)),
      cookie_keys_(std::move(cookie_keys)),
      state_file_(config_.state.file),
      health_(config_.health, names_of(routing_)),
      ejection_(routing_.colors.size()),
      slow_start_(routing_.colors.size()),
      actions_(clock),
      publisher_(plane),
      watches_(routing_.colors.size()) {}

base::Result<> ControlLoop::start() {
  started_ = clock_.now();
  const TimeBase time = time_base(clock_);
  boot_id_ = time.boot_id;
  auto loaded = state_file_.load(time);
  if (!loaded) return tl::unexpected(loaded.error());
  if (!loaded->warning.empty()) {
    events_.add(Level::error, "state_fell_back", LogLine().add("detail", loaded->warning));
  }
  saved_at_ = started_;
  const bool is_fresh = !loaded->found || !loaded->warning.empty();
  if (loaded->found) {
    fleet_ = merge_fleet(loaded->state.fleet, routing_);
    draw_key_ = loaded->state.draw_key;
    rollout_ = std::move(loaded->state.rollout);
    scale_ = std::move(loaded->state.scale);
    health_.restore(std::move(loaded->state.health), time.wall, time.now);
    actions_.restore(std::move(loaded->state.actions));
  } else {
    fleet_ = initial_fleet(routing_);
    base::random_bytes(draw_key_);
  }
  actions_.set_guard([this](const Action& action) { return why_not(action); });
  routes_ = routing_.routes;
  CHECK(route_numbers_.number(routes_));  // the config reader bounds them
  addresses_.configure(routing_.colors);
  apply_addresses();
  // Else what is on disk stays as it is: it knows better when the colors were last seen up.
  if (is_fresh) save(fleet_);
  publish({});
  events_.add(Level::info, "fleet_loaded",
              LogLine()
                  .add("saved", loaded->found)
                  .add("epoch", static_cast<int64_t>(fleet_.epoch))
                  .add("fleet", text_of(fleet_)));
  return {};
}

std::vector<std::string> ControlLoop::degraded() const {
  std::vector<std::string> reasons;
  for (size_t i = 0; i < fleet_.colors.size(); ++i) {
    const FleetColor& color = fleet_.colors[i];
    const ColorHealth& health = health_.color(i);
    if (color.state == ColorState::maint || color.state == ColorState::closing) continue;
    if (!health.up && color.weight > 0) {
      reasons.push_back(color.name + " has weight and is " + text_of(health));
    }
    if (health.no_websocket) reasons.push_back(color.name + " has no websocket address that is up");
  }
  if (!health_.any_up()) reasons.push_back("no color is up");
  if (health_.dependency_down()) {
    reasons.push_back("the page fails on all colors at once: look at what they share");
  }
  if (unsaved_) reasons.push_back("the state is not saved: " + state_file_.path());
  if (addresses_.left_out() > 0) reasons.push_back("too many addresses: some are not served");
  return reasons;
}

bool ControlLoop::is_before_first_verdict() const {
  return !health_.any_up() && !health_.all_judged() && clock_.now() - started_ < kFirstVerdictMax;
}

bool ControlLoop::closing_applied(size_t color) const {
  return fleet_.colors[color].state == ColorState::closing &&
         plane_.applied_version() >= watches_[color].closing_version;
}

std::function<bool(size_t)> ControlLoop::is_up() const {
  return [this](size_t color) { return health_.color(color).up; };
}

Answer<bool> ControlLoop::change(Fleet next, bool must_act, std::function<void()> applied,
                                 const std::function<void()>& take) {
  const bool saved = save(next);
  if (!saved && !must_act) {
    return deny(AdminCode::state_unwritable, {},
                "the state could not be saved to " + state_file_.path() + "; nothing was changed");
  }
  const Fleet before = std::exchange(fleet_, std::move(next));
  if (take) take();
  publish(std::move(applied));
  act_on_states(before);
  return saved;
}

void ControlLoop::end_drain(size_t color) {
  auto next = apply_event(fleet_, color, ColorEvent::deadline_passed);
  CHECK(next.has_value());
  (void)change(std::move(*next), /*must_act=*/true, {});
}

void ControlLoop::take_config(const ControlConfig& config, routing::RoutingConfig routing) {
  CHECK(names_of(routing) == names_of(routing_));
  routes_ = routing.routes;
  CHECK(route_numbers_.number(routes_));
  config_.health = config.health;
  config_.drain = config.drain;
  config_.eject = config.eject;
  config_.slow_start = config.slow_start;
  config_.names = config.names;
  config_.rollout = config.rollout;
  config_.scaling = config.scaling;
  routing_ = std::move(routing);
  health_.set_limits(config_.health);
  addresses_.configure(routing_.colors);
  apply_addresses();
}

void ControlLoop::take_tls(const routing::RoutingConfig& opened) {
  CHECK(names_of(opened) == names_of(routing_));
  routing_.tls_context = opened.tls_context;
  for (size_t i = 0; i < routing_.colors.size(); ++i) {
    routing_.colors[i].tls_contexts = opened.colors[i].tls_contexts;
  }
  if (on_addresses_) on_addresses_();
  publish({});
}

void ControlLoop::share_slots(bool on) {
  if (std::exchange(shares_slots_, on) != on && publisher_.version() > 0) publish({});
}

void ControlLoop::take_judge_step(const std::optional<routing::JudgeStep>& step) {
  judge_step_ = step;
  publish({});
}

void ControlLoop::on_probe(routing::BackendId id, ProbeOutcome outcome) {
  ++probes_;
  if (outcome != ProbeOutcome::pass) ++probe_failures_;
  const routing::Totals totals = plane_.totals();
  health_.observe(totals, clock_.now());
  health_.on_probe(id, outcome, clock_.now());
  keep_out(totals);
}

void ControlLoop::on_pages(std::vector<std::optional<ProbeOutcome>> round) {
  for (const auto& outcome : round) {
    if (!outcome) continue;
    ++probes_;
    if (outcome != ProbeOutcome::pass) ++probe_failures_;
  }
  const routing::Totals totals = plane_.totals();
  health_.observe(totals, clock_.now());
  health_.on_pages(std::move(round), clock_.now());
  keep_out(totals);
}

void ControlLoop::on_name(const std::string& name,
                          const base::Result<std::vector<base::Address>>& answer) {
  if (!answer) ++name_failures_;
  if (!addresses_.take_answer(name, answer)) return;
  events_.add(answer ? Level::info : Level::warning, "name_changed",
              LogLine().add("name", name).add("resolves", answer.has_value()));
  apply_addresses();
}

void ControlLoop::tick() {
  // Asked before the totals are read: only a zero that was counted after `closing` was applied
  // everywhere is final.
  for (size_t i = 0; i < watches_.size(); ++i) watches_[i].closing_seen = closing_applied(i);
  const routing::Totals totals = plane_.totals();
  health_.observe(totals, clock_.now());
  keep_out(totals);
  watch_drains(totals);
  for (size_t i = 0; i < watches_.size(); ++i) {
    const bool serving = fleet_.colors[i].state == ColorState::ready && health_.color(i).up;
    if (serving && !watches_[i].serving) watches_[i].serving_since = clock_.now();
    watches_[i].serving = serving;
  }
  actions_.tick();
  publish_if_changed();
  const auto since_save = clock_.now() - saved_at_;
  if (((unsaved_ || actions_.is_unsaved()) && since_save >= kSaveRetry) ||
      (health_.any_up() && since_save >= kHealthSave)) {
    save(fleet_);
  }
}

// What an action asks for may no longer be right when an agent comes to take it.
std::optional<std::string> ControlLoop::why_not(const Action& action) const {
  // A notice is of no color.
  if (action.ask.kind == ActionKind::custom && action.ask.color.empty()) return std::nullopt;
  const auto color = fleet_.color_named(action.ask.color);
  if (!color) return "no color is named " + action.ask.color + " now";
  const FleetColor& one = fleet_.colors[*color];
  const std::string state(routing::text_of(one.state));
  if (action.hook == "stop" && one.state != ColorState::maint) {
    return one.name + " is " + state + " now, only what is empty is stopped";
  }
  const bool serves = one.state == ColorState::ready && one.weight > 0 && health_.color(*color).up;
  if (action.ask.kind == ActionKind::deploy && serves) {
    return one.name + " has users now, only a color without users is deployed";
  }
  return std::nullopt;
}

void ControlLoop::when_true_everywhere(std::function<void()> then) {
  publish_if_changed();
  publisher_.when_applied([this, then = std::move(then)]() mutable {
    // A probe may have ended while the workers took the table: that is not true there yet.
    if (is_publish_due()) return when_true_everywhere(std::move(then));
    then();
  });
}

bool ControlLoop::save_now() { return save(fleet_); }

void ControlLoop::fill(ControlMetrics& metrics) const {
  metrics.colors.clear();
  for (size_t i = 0; i < fleet_.colors.size(); ++i) {
    const ColorHealth& health = health_.color(i);
    ColorMetrics color{fleet_.colors[i].name,
                       fleet_.colors[i].state,
                       fleet_.colors[i].weight,
                       health.up,
                       health.busy,
                       health.no_websocket,
                       0,
                       0,
                       ejection_.times(i)};
    for (const KnownAddress& known : addresses_.of_color(i)) {
      auto& count = known.port == routing::Port::http ? color.http_up : color.websocket_up;
      if (health_.usable(known.id)) ++count;
    }
    metrics.colors.push_back(std::move(color));
  }
  metrics.routes = route_numbers_.names();
  metrics.epoch = fleet_.epoch;
  metrics.version = publisher_.version();
  metrics.applied_version = publisher_.applied_version();
  metrics.held = fleet_.hold.on;
  metrics.dependency_down = health_.dependency_down();
  metrics.state_saves = saves_;
  metrics.state_save_failures = save_failures_;
  metrics.state_unsaved = unsaved_ ? 1 : 0;
  metrics.probes = probes_;
  metrics.probe_failures = probe_failures_;
  metrics.name_failures = name_failures_;
  fill_agent_metrics(actions_, metrics.agent);
}

void ControlLoop::publish(std::function<void()> applied) {
  TableFacts facts{fleet_,
                   health_,
                   addresses_,
                   routing_,
                   routes_,
                   cookie_keys_,
                   draw_key_,
                   std::vector<bool>(watches_.size()),
                   is_before_first_verdict(),
                   slots_auto(),
                   weight_shares()};
  for (size_t i = 0; i < watches_.size(); ++i) facts.settled[i] = is_settled(i);
  published_changes_ = health_.changes();
  published_settled_ = facts.settled;
  published_slots_ = facts.slots_auto;
  published_shares_ = facts.weight_shares;
  published_starting_ = facts.before_first_verdict;
  const uint64_t version = publisher_.version() + 1;
  for (size_t i = 0; i < watches_.size(); ++i) {
    const bool closing = fleet_.colors[i].state == ColorState::closing;
    if (!closing) watches_[i].closing_version = 0;
    if (closing && watches_[i].closing_version == 0) watches_[i].closing_version = version;
  }
  routing::RoutingTable table = make_table(facts);
  for (routing::ColorEntry& color : table.colors) {
    if (shares_slots_) color.slots = std::max(1, color.slots - Follower::kept_slots(color.slots));
  }
  table.judge = judge_step_;
  publisher_.publish(std::move(table), std::move(applied));
}

// The workers that the agent counted last, and some more. It may be away since.
std::vector<int> ControlLoop::slots_auto() const {
  std::vector<int> slots;
  const auto& workers = actions_.figures().workers;
  for (const FleetColor& color : fleet_.colors) {
    const auto at = workers.find(color.name);
    const bool known = at != workers.end() && at->second > 0;
    slots.push_back(known ? at->second + kSlotsAbove : kSlotsAuto);
  }
  return slots;
}

bool ControlLoop::is_publish_due() const {
  std::vector<bool> settled;
  for (size_t i = 0; i < watches_.size(); ++i) settled.push_back(is_settled(i));
  return health_.changes() != published_changes_ || settled != published_settled_ ||
         is_before_first_verdict() != published_starting_ || slots_auto() != published_slots_ ||
         weight_shares() != published_shares_;
}

void ControlLoop::publish_if_changed() {
  if (is_publish_due()) publish({});
}

bool ControlLoop::save(const Fleet& fleet) {
  TimeBase time{clock_.now(), clock_.wall(), boot_id_};
  saved_at_ = time.now;
  auto saved = state_file_.save(
      {fleet, health_.save(time.wall), draw_key_, actions_.saved(), rollout_, scale_}, time);
  if (saved) actions_.mark_saved();
  const bool was_unsaved = std::exchange(unsaved_, !saved);
  if (saved) {
    ++saves_;
    if (was_unsaved) events_.add(Level::info, "state_saved_again");
    return true;
  }
  ++save_failures_;
  if (!was_unsaved) {
    events_.add(Level::error, "state_unwritable", LogLine().add("detail", saved.error().detail));
  }
  return false;
}

void ControlLoop::apply_addresses() {
  for (size_t i = 0; i < routing_.colors.size(); ++i) {
    std::vector<HealthAddress> known;
    for (const KnownAddress& one : addresses_.of_color(i)) {
      known.push_back({one.id, one.port, one.address});
    }
    health_.set_addresses(i, known, addresses_.has_websocket(i), addresses_.dns_failed(i),
                          clock_.now());
  }
  tell_health();
  if (on_addresses_) on_addresses_();
}

// The events of drains that are due. They act even if they cannot be saved: what was promised to
// the operator goes on, and the save is tried again.
void ControlLoop::watch_drains(const routing::Totals& totals) {
  std::optional<Fleet> next;
  for (size_t i = 0; i < fleet_.colors.size(); ++i) {
    CHECK(i < totals.colors.size());
    watches_[i].visits.observe(totals.colors[i], clock_.now());
    const FleetColor& color = fleet_.colors[i];
    DrainView view;
    view.state = color.state;
    view.drain = color.drain;
    view.now = clock_.now();
    view.last_visit = watches_[i].visits.last();
    view.closing_applied = watches_[i].closing_seen;
    view.in_flight = in_flight_of(totals.colors[i]);
    if (auto event = look(view)) {
      next = apply_event(next ? *next : fleet_, i, *event);
      CHECK(next.has_value());
    }
    close_long_drained(i);
  }
  if (next) (void)change(std::move(*next), /*must_act=*/true, {});
}

// Websockets may outlast a drain's beginning, but not for ever.
void ControlLoop::close_long_drained(size_t color) {
  const FleetColor& one = fleet_.colors[color];
  ColorWatch& watch = watches_[color];
  if (!one.drain || watch.websockets_told) return;
  if (clock_.now() - one.drain->since < config_.drain.ws_max_after_switch) return;
  watch.websockets_told = true;
  plane_.close_websockets(static_cast<routing::ColorIndex>(color), config_.drain.ws_close_over);
}

// What follows from a color's new state, apart from the table.
void ControlLoop::act_on_states(const Fleet& before) {
  for (size_t i = 0; i < fleet_.colors.size(); ++i) {
    const ColorState now = fleet_.colors[i].state;
    if (before.colors[i].state == now) continue;
    const auto color = static_cast<routing::ColorIndex>(i);
    if (now == ColorState::ready) watches_[i].websockets_told = false;
    if (now == ColorState::draining || now == ColorState::closing) plane_.close_idle(color);
    if (now == ColorState::closing && !watches_[i].websockets_told) {
      watches_[i].websockets_told = true;
      plane_.close_websockets(color, config_.drain.ws_close_over);
    }
    events_.add(Level::info, "color_state",
                LogLine()
                    .add("color", fleet_.colors[i].name)
                    .add("from", routing::text_of(before.colors[i].state))
                    .add("to", routing::text_of(now))
                    .add("epoch", static_cast<int64_t>(fleet_.epoch)));
  }
}

void ControlLoop::tell_health() {
  for (size_t i = 0; i < watches_.size(); ++i) {
    std::string text = text_of(health_.color(i));
    if (text == watches_[i].health_text) continue;
    watches_[i].health_text = text;
    events_.add(health_.color(i).up ? Level::info : Level::warning, "color_health",
                LogLine().add("color", fleet_.colors[i].name).add("health", text));
  }
  if (health_.dependency_down() == dependency_told_) return;
  dependency_told_ = health_.dependency_down();
  events_.add(dependency_told_ ? Level::error : Level::info, "dependency",
              LogLine().add("down", dependency_told_));
}

// What keeps a color from users although its probes pass. Never the last one that serves. Looked at
// before anything is published.
void ControlLoop::keep_out(const routing::Totals& totals) {
  const auto others = [this](size_t color) {
    return others_take_users(fleet_, color, is_up(), routing_.fallback_allow);
  };
  ejection_.observe(totals, config_.eject, others, clock_.now());
  for (size_t i = 0; i < fleet_.colors.size(); ++i) {
    const ColorState state = fleet_.colors[i].state;
    const ColorHealth& health = health_.color(i);
    SlowStart::Look look;
    look.out = state == ColorState::closing || state == ColorState::maint ||
               (health.judged && !health.able);
    look.able = state == ColorState::ready && health.able;
    look.needed = !others(i);
    slow_start_.observe(i, look, config_.slow_start, clock_.now());
    std::optional<DownReason> reason;
    if (slow_start_.warm_ups_left(i) > 0) reason = DownReason::warming;
    if (ejection_.is_out(i)) reason = DownReason::ejected;
    health_.keep_out(i, reason, clock_.now());
  }
  tell_health();
}

int ControlLoop::weight_share(size_t color) const {
  return slow_start_.share(color, config_.slow_start, clock_.now());
}

std::vector<int> ControlLoop::weight_shares() const {
  std::vector<int> shares;
  for (size_t i = 0; i < fleet_.colors.size(); ++i) shares.push_back(weight_share(i));
  return shares;
}

bool ControlLoop::is_settled(size_t color) const {
  const ColorWatch& watch = watches_[color];
  return watch.serving && clock_.now() - watch.serving_since >= kSettledAfter;
}

}  // namespace control
