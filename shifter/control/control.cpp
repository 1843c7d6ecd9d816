#include "shifter/control/control.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/mac.h"
#include "shifter/control/control_parts.h"
#include "shifter/control/force_tokens.h"
#include "shifter/control/rollout_views.h"
#include "shifter/control/tls_files.h"

namespace control {
namespace {

std::set<std::string> color_names(const routing::RoutingConfig& config) {
  std::set<std::string> names;
  for (const auto& color : config.colors) names.insert(color.name);
  return names;
}

bool same_order(const routing::RoutingConfig& a, const routing::RoutingConfig& b) {
  return std::equal(a.colors.begin(), a.colors.end(), b.colors.begin(), b.colors.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name; });
}

// The color with the users; none if two share them alike.
routing::ColorIndex live_color(const Fleet& fleet) {
  routing::ColorIndex live = routing::kNoColor;
  int most = 0;
  for (size_t i = 0; i < fleet.colors.size(); ++i) {
    const FleetColor& color = fleet.colors[i];
    if (color.state != ColorState::ready || color.weight < most) continue;
    live = color.weight > most ? static_cast<routing::ColorIndex>(i) : routing::kNoColor;
    most = color.weight;
  }
  return live;
}

}  // namespace

base::Result<> Control::Parts::start() {
  started = loop.now();
  started_wall = loop.wall();
  for (const std::string& file : {config.state.file, config.audit, config.admin.socket}) {
    if (auto made = base::make_folder_of(file); !made) return made;
  }
  if (inherited) {
    state_lock = base::FileLock(std::move(inherited->lock));
  } else {
    auto lock = base::lock_file(config.state.file + ".lock");
    if (!lock) return tl::unexpected(lock.error());
    state_lock = std::move(*lock);
  }
  auto keys = base::read_or_create_keys(routing.affinity.secret_file);
  if (!keys) return tl::unexpected(keys.error());
  auto tokens = read_force_tokens(routing.force.token_file);
  if (!tokens) return tl::unexpected(tokens.error());
  routing.force.tokens = std::move(*tokens);
  auto opened = AuditLog::open(config.audit);
  if (!opened) return tl::unexpected(opened.error());
  audit = std::move(*opened);

  control = std::make_unique<ControlLoop>(loop, plane, events, config, routing, std::move(*keys));
  control->set_on_addresses([this] { take_targets(); });
  probes.set_on_refused(
      [this](const ProbeTarget& target, const std::string& why) { tell_refused(target, why); });
  control->share_slots(inherited.has_value());
  if (auto begun = control->start(); !begun) return begun;
  notices = std::make_unique<NoticeSender>(
      loop, resolver, events,
      [this]() -> const NotifyConfig& { return control->config().rollout.notify; },
      [this]() -> Actions& { return control->actions(); });
  judge = std::make_unique<LiveJudge>(loop, plane, config.state.file + ".traffic",
                                      [this](const auto& step) { control->take_judge_step(step); });
  judge->start();
  rollouts = std::make_unique<RolloutControl>(loop, *control, plane, *judge, events, *notices);
  rollouts->start();
  rollout_commands = std::make_unique<AdminRollout>(*control, *rollouts, judge->record());
  scale_hands = std::make_unique<FleetHands>(*control, *rollouts);
  scaling = std::make_unique<Scaling>(loop, *control, plane, events, *scale_hands);
  scaling->start();
  commands = std::make_unique<AdminCommands>(
      *control, plane, events, *audit,
      AdminCommands::Hooks{[this] { return process(); }, host.describe_config,
                           [this] { return reload(); }, rollout_commands.get()});
  commands->set_scaling(scaling.get());
  if (auto opened_admin = open_admin(); !opened_admin) return opened_admin;
  if (auto opened_door = open_door(); !opened_door) return opened_door;
  if (auto opened_metrics = open_metrics(); !opened_metrics) return opened_metrics;
  control->set_on_publish([this] { refresh_metrics(); });
  look_up_names();
  pages_timer.start(config.health.interval);
  tick_timer.start(kTick);
  return {};
}

base::Result<> Control::Parts::open_admin() {
  std::vector<uint32_t> uids = config.admin.allow_uids;  // commands look which of the two it is
  uids.insert(uids.end(), config.admin.agent_uids.begin(), config.admin.agent_uids.end());
  server = std::make_unique<AdminServer>(loop, std::move(uids), *commands);
  // Replaced in one step: a command finds one process or the other.
  return listen_for_admins(inherited.has_value());
}

base::Result<> Control::Parts::listen_for_admins(bool replace) {
  auto listener = loop.listen_unix(config.admin.socket, config.admin.mode, *server, replace);
  if (!listener) return tl::unexpected(listener.error());
  server->serve(std::move(*listener));
  return {};
}

base::Result<> Control::Parts::open_metrics() {
  refresh_metrics();
  auto begun = base::MetricsServer::start(config.metrics.listen, [this] {
    ControlMetrics facts;
    {
      const std::lock_guard guard(metrics_mutex);
      facts = metrics_facts;
    }
    return make_families(plane.totals(), facts);
  });
  if (!begun) return tl::unexpected(begun.error());
  metrics = std::move(*begun);
  return {};
}

void Control::Parts::tick() {
  control->tick();
  warm_colors();
  judge->tick(live_color(control->fleet()));
  rollouts->tick();
  scaling->tick();
  commands->tick();
  server->look_after_clients();
  refresh_metrics();
  tick_timer.start(kTick);
}

// Off this thread; a slow name server stops nothing here.
void Control::Parts::look_up_names() {
  for (const std::string& name : control->addresses().names()) {
    if (!names_asked.insert(name).second) continue;
    resolver.resolve(name, [this, name](base::Result<std::vector<base::Address>> answer) {
      names_asked.erase(name);
      control->on_name(name, answer);
    });
  }
  names_timer.start(control->config().names.interval);
}

void Control::Parts::probe_pages() {
  const HealthConfig& health = control->config().health;
  pages_timer.start(health.page_interval);
  if (pages.is_running() || health.page_path.empty()) return;
  std::vector<std::optional<ProbeTarget>> targets;
  for (size_t i = 0; i < routing.colors.size(); ++i) targets.push_back(page_target(i));
  pages.ask(targets, health);
}

std::optional<ProbeTarget> Control::Parts::page_target(size_t color) const {
  for (const KnownAddress& known : control->addresses().of_color(color)) {
    if (known.port == routing::Port::http && control->health().usable(known.id)) {
      return target_of(color, known);
    }
  }
  return std::nullopt;
}

// One request at a time for each color that begins slowly: the first pages of an Odoo take long.
void Control::Parts::warm_colors() {
  if (warm_ups.is_running()) return;
  std::vector<std::optional<ProbeTarget>> targets;
  bool any = false;
  for (size_t i = 0; i < routing.colors.size(); ++i) {
    targets.push_back(control->warm_ups_left(i) > 0 ? page_target(i) : std::nullopt);
    any = any || targets.back();
  }
  HealthConfig health = control->config().health;
  if (health.page_path.empty()) health.page_path = "/";
  if (any) warm_ups.ask(targets, health);
}

void Control::Parts::take_targets() {
  std::vector<ProbeTarget> targets;
  for (size_t i = 0; i < routing.colors.size(); ++i) {
    for (const KnownAddress& known : control->addresses().of_color(i)) {
      targets.push_back(target_of(i, known));
    }
  }
  probes.set_targets(targets);
}

ProbeTarget Control::Parts::target_of(size_t color, const KnownAddress& known) const {
  return {known.id, known.port, known.address, known.name,
          tls_towards(control->routing().colors[color], known.name)};
}

void Control::Parts::tell_refused(const ProbeTarget& target, const std::string& why) {
  std::string color = "none";
  for (size_t i = 0; i < routing.colors.size(); ++i) {
    for (const KnownAddress& known : control->addresses().of_color(i)) {
      if (known.id == target.id) color = routing.colors[i].name;
    }
  }
  base::LogLine line;
  line.add("color", color).add("address", target.address.text()).add("detail", why);
  events.add(base::Level::error, "certificate_refused", std::move(line));
}

void Control::Parts::refresh_metrics() {
  ControlMetrics facts;
  control->fill(facts);
  fill_rollout_metrics(*rollouts, *control, *notices, facts.rollout);
  facts.rollout.sessions_dropped = judge->dropped();
  scaling->fill(facts.scale);
  facts.lame_duck = lame_duck;
  facts.commands = commands->commands();
  facts.commands_refused = commands->refused();
  facts.admin_clients = static_cast<int64_t>(server->clients());
  facts.log_dropped = log.dropped();
  facts.started_seconds = static_cast<double>(started_wall.time_since_epoch().count()) / 1e3;
  facts.program_version = host.version;
  const std::lock_guard guard(metrics_mutex);
  metrics_facts = std::move(facts);
}

AdminCommands::Reloaded Control::Parts::reload() {
  ReloadedConfig fresh = host.reload();
  AdminCommands::Reloaded answer{fresh.faults, fresh.needs_restart, {}};
  if (fresh.policy_failed) scaling->policy_refused();
  if (!control->route_numbers().has_room_for(fresh.routing.routes)) {
    answer.faults.push_back("routes: too many names since the start; restart to forget old ones");
  }
  if (auto tokens = read_force_tokens(fresh.routing.force.token_file)) {
    fresh.routing.force.tokens = std::move(*tokens);
  } else {
    answer.faults.push_back(tokens.error().detail);
  }
  if (!answer.faults.empty()) return answer;
  if (!same_order(fresh.routing, control->routing())) {
    const bool same = color_names(fresh.routing) == color_names(control->routing());
    answer.needs_restart.push_back(same ? "colors (their order)" : "colors (their names)");
    fresh.routing.colors = control->routing().colors;
  }
  answer.take = [this, fresh = std::move(fresh)] {
    control->take_config(fresh.control, fresh.routing);
    scaling->take_policy(fresh.control.scaling.policy);
    probes.set_config(control->config().health);
    host.config_hash = fresh.hash;
    if (fresh.taken) fresh.taken();
  };
  return answer;
}

ProcessView Control::Parts::process() const {
  ProcessView view;
  if (host.listening) view.listening = host.listening();
  if (metrics) view.metrics = metrics->bound().text();
  view.config_hash = host.config_hash;
  view.version = host.version;
  view.uptime_s = std::chrono::duration_cast<std::chrono::seconds>(loop.now() - started).count();
  view.lame_duck = lame_duck;
  view.rollout = rollout_json(*rollouts, loop.now());
  view.lock = lock_json(*rollouts, loop.wall());
  view.scaler = scaling->json();
  view.degraded = scaling->degraded();
  return view;
}

Control::Control(base::UvLoop& loop, routing::DataPlane& plane, ControlConfig config,
                 routing::RoutingConfig routing, base::Log& log, Host host)
    : parts_(std::make_unique<Parts>(loop, plane, std::move(config), std::move(routing), log,
                                     std::move(host))) {}

Control::~Control() { shut_down(); }

base::Result<> Control::start() { return parts_->start(); }

base::Result<> Control::renew_tls() {
  if (parts_->follower) return {};  // the tables are another process's now
  routing::RoutingConfig opened = parts_->control->routing();
  if (!uses_tls(opened)) return {};
  if (const auto faults = open_tls_files(opened); !faults.empty()) {
    return base::fail(base::ErrorCode::bad_config, base::Side::proxy,
                      faults[0].key + ": " + faults[0].detail);
  }
  parts_->control->take_tls(opened);
  return {};
}

void Control::inherit(Inheritance inheritance) { parts_->inherited = std::move(inheritance); }

base::Result<> Control::take_over() { return parts_->take_over(); }

void Control::reopen_logs() {
  if (parts_->audit) parts_->audit->reopen();
}

void Control::begin_lame_duck() {
  parts_->lame_duck = true;
  if (parts_->commands) parts_->commands->refuse_changes();
  parts_->events.add(base::Level::info, "lame_duck");
}

void Control::shut_down() {
  Parts& parts = *parts_;
  parts.rest();
  if (parts.follower) parts.follower->finish();
  parts.metrics.reset();
  if (parts.door) parts.door->close();
  if (parts.server) parts.server->close();
  if (!parts.control || std::exchange(parts.is_shut, true) || parts.frozen) return;
  parts.control->save_now();
  if (parts.judge) parts.judge->shut_down();
}

std::optional<base::Address> Control::metrics_bound() const {
  if (!parts_->metrics) return std::nullopt;
  return parts_->metrics->bound();
}

}  // namespace control
