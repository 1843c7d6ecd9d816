// The real control loop with its probes, commands, names and state file, on the same virtual time.
#include <algorithm>
#include <array>

#include "proxy/base/log.h"
#include "proxy/relay/worker.h"
#include "shifter/control/admin_commands.h"
#include "shifter/control/audit_log.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/probes.h"
#include "tests/simulation/operator.h"
#include "tests/simulation/stand_ins.h"
#include "tests/support/fake_data_plane.h"

namespace simulation {

using std::chrono::milliseconds;

namespace {

class ControlOperator;

// An operator's terminal.
class SimReply final : public control::Reply {
 public:
  SimReply(ControlOperator& owner, std::string line) : owner_(owner), line_(std::move(line)) {}
  const control::Caller& caller() const override { return caller_; }
  bool is_gone() const override { return gone; }
  void stream(std::string) override {}
  void finish(std::string json) override;

  bool gone = false;

 private:
  friend class ControlOperator;
  ControlOperator& owner_;
  const std::string line_;
  const control::Caller caller_;
  bool finished_ = false;
};

class ControlOperator final : public Operator {
 public:
  explicit ControlOperator(const Surroundings& around);
  void start() override;
  void stop() override;
  void check() override;
  void on_answer(const std::string& line, const std::string& json);

 private:
  void tick();
  void probe_pages();
  void take_targets();
  void answer_names();
  void act();
  std::string some_command();
  void send(const std::string& line);
  void change_health();
  bool other_serves(size_t color) const;
  void check_empty(size_t color);
  void check_weights();
  void check_saved();
  void check_published();
  void check_websockets();
  void check_deadlines();
  control::ProbeTarget target_of(const control::KnownAddress& known) const {
    return {known.id, known.port, known.address, known.name};
  }

  const Surroundings around_;
  World& world_;
  control::ControlConfig config_;
  routing::RoutingConfig routing_;
  control::Events events_;
  std::unique_ptr<control::ControlLoop> control_;
  std::unique_ptr<control::AuditLog> audit_;
  std::unique_ptr<control::AdminCommands> commands_;
  std::unique_ptr<control::AddressProbes> probes_;
  std::unique_ptr<control::PageProbes> pages_;
  std::vector<std::shared_ptr<SimReply>> replies_;
  int commands_sent_ = 0;
  std::string last_weights_;  // the last that was asked for
  Millis tick_every_{300};
  std::array<Instant, 2> closing_since_{Instant::max(), Instant::max()};
  bool stopped_ = false;
  const Instant acts_until_ = world_.now() + 2 * around_.scenario.active + milliseconds(10'000);
};

void SimReply::finish(std::string json) {
  if (finished_) owner_.on_answer(line_, "twice");
  finished_ = true;
  owner_.on_answer(line_, json);
}

ControlOperator::ControlOperator(const Surroundings& around)
    : around_(around), world_(around.world), events_(quiet_log()) {
  Random& random = world_.random;
  config_.state.file = "state.json";
  config_.health.interval = Millis(random.between(500, 3'000));
  config_.health.page_interval = Millis(random.between(2'000, 8'000));
  config_.health.busy_max = Millis(random.between(2'000, 20'000));
  config_.drain.ws_close_over = Millis(random.between(0, 4'000));
  config_.drain.ws_max_after_switch = Millis(random.between(1'000, 10'000));
  config_.names.interval = Millis(2'000);
  tick_every_ = Millis(random.between(50, 600));
  routing_.affinity.cookie = "color";
  routing_.affinity.session_keys = {"session_id"};
  routing_.hold.timeout = around.hold_timeout;
  routing_.hold.max = around.hold_max;
  routing_.routes = some_routes(around);
  for (size_t i = 0; i < 2; ++i) {
    routing::ColorConfig& color = routing_.colors.emplace_back();
    color.name = i == 0 ? "blue" : "green";
    color.weight = static_cast<int>(random.between(i == 0 ? 1 : 0, 10));
    color.slots = around.scenario.slots;
    color.reuse = around.scenario.reuse[i];
    for (const auto& backend : around.backends) {
      if (backend->color() != static_cast<int>(i)) continue;
      auto& list = backend->is_http() ? color.http : color.websocket;
      if (around.scenario.addresses_move) {
        if (list.empty()) list.push_back({"odoo-" + color.name, backend->address().port});
      } else {
        list.push_back({backend->address().host(), backend->address().port});
      }
    }
  }
}

void ControlOperator::start() {
  std::vector<base::Key> keys(1);
  keys[0][0] = 1;
  control_ = std::make_unique<control::ControlLoop>(around_.main, around_.plane, events_, config_,
                                                    routing_, keys);
  probes_ = std::make_unique<control::AddressProbes>(
      around_.main, config_.health, [this](routing::BackendId id, control::ProbeOutcome outcome) {
        control_->on_probe(id, outcome);
      });
  pages_ = std::make_unique<control::PageProbes>(
      around_.main,
      [this](control::PageProbes::Round round) { control_->on_pages(std::move(round)); });
  control_->set_on_addresses([this] { take_targets(); });
  if (auto begun = control_->start(); !begun) world_.fail("control does not start");
  audit_ = std::move(*control::AuditLog::open("/dev/null"));
  control::AdminCommands::Hooks hooks;
  hooks.process = [] { return control::ProcessView{}; };
  hooks.describe_config = [] { return std::vector<std::pair<std::string, std::string>>(); };
  hooks.reload = [this] {
    control::AdminCommands::Reloaded reloaded;
    reloaded.take = [this] {
      for (auto& color : routing_.colors) {
        color.slots = static_cast<int>(world_.random.between(1, 8));
      }
      control_->take_config(config_, routing_);
    };
    return reloaded;
  };
  commands_ = std::make_unique<control::AdminCommands>(*control_, around_.plane, events_, *audit_,
                                                       std::move(hooks));
  take_targets();
  answer_names();
  tick();
  around_.main.after(config_.health.interval, [this] { probe_pages(); });
  if (around_.scenario.operator_acts) {
    around_.main.after(world_.some(around_.scenario.active), [this] { act(); });
  }
}

void ControlOperator::stop() {
  if (stopped_) return;
  stopped_ = true;
  set_disk_fails(false);
  pages_.reset();
  probes_->set_targets({});
  check_saved();
}

// A process that starts from the file knows what this one did.
void ControlOperator::check_saved() {
  if (!control_->save_now()) world_.fail("the state cannot be saved");
  support::FakeDataPlane nowhere;
  control::ControlLoop next(around_.main, nowhere, events_, config_, routing_,
                            std::vector<base::Key>(1));
  if (!next.start()) world_.fail("the saved state cannot be read");
  const control::Fleet& before = control_->fleet();
  const control::Fleet& after = next.fleet();
  bool same = text_of(before) == text_of(after) && before.epoch == after.epoch;
  for (size_t i = 0; i < before.colors.size(); ++i) {
    const auto& x = before.colors[i];
    const auto& y = after.colors[i];
    same = same && x.valid_from == y.valid_from && x.drain.has_value() == y.drain.has_value();
    // On the monotonic clock, whatever the other one did.
    if (same && x.drain) {
      same = std::chrono::abs(x.drain->deadline - y.drain->deadline) <= milliseconds(1);
    }
  }
  if (!same)
    world_.fail("saved \"%s\", read \"%s\"", text_of(before).c_str(), text_of(after).c_str());
}

void ControlOperator::tick() {
  if (stopped_) return;
  if (around_.scenario.disk_fails && world_.random.percent(10)) {
    set_disk_fails(world_.random.percent(50));
  }
  control_->tick();
  check_published();
  commands_->tick();
  around_.main.after(tick_every_, [this] { tick(); });
}

void ControlOperator::probe_pages() {
  if (stopped_) return;
  around_.main.after(config_.health.page_interval, [this] { probe_pages(); });
  if (pages_->is_running()) return;
  std::vector<std::optional<control::ProbeTarget>> targets;
  for (size_t i = 0; i < routing_.colors.size(); ++i) {
    targets.emplace_back();
    for (const control::KnownAddress& known : control_->addresses().of_color(i)) {
      if (known.port != routing::Port::http || !control_->health().usable(known.id)) continue;
      targets.back() = target_of(known);
      break;
    }
  }
  pages_->ask(targets, config_.health);
}

void ControlOperator::take_targets() {
  if (stopped_) return;
  std::vector<control::ProbeTarget> targets;
  for (size_t i = 0; i < routing_.colors.size(); ++i) {
    for (const control::KnownAddress& known : control_->addresses().of_color(i)) {
      targets.push_back(target_of(known));
    }
  }
  probes_->set_targets(targets);
}

// What a name server says of each color: some of its addresses, all, or nothing.
void ControlOperator::answer_names() {
  if (stopped_ || !around_.scenario.addresses_move) return;
  around_.main.after(config_.names.interval, [this] { answer_names(); });
  for (const std::string& name : control_->addresses().names()) {
    const int color = name == "odoo-blue" ? 0 : 1;
    if (!around_.scenario.gentle && world_.random.percent(10)) {
      control_->on_name(name, base::fail(base::ErrorCode::io_failed, base::Side::proxy, "no"));
      continue;
    }
    std::vector<base::Address> found;
    for (const auto& backend : around_.backends) {
      if (backend->color() != color) continue;
      base::Address at = backend->address();
      at.port = 0;
      const bool known = std::find(found.begin(), found.end(), at) != found.end();
      if (known || (!found.empty() && world_.random.percent(20))) continue;
      found.push_back(at);
    }
    control_->on_name(name, found);
  }
}

void ControlOperator::act() {
  if (stopped_ || world_.now() > acts_until_) return;
  if (world_.random.percent(30)) {
    change_health();
  } else {
    send(some_command());
  }
  if (world_.random.percent(10) && !replies_.empty()) {
    replies_[world_.random.below(replies_.size())]->gone = true;
  }
  const auto wait = nanoseconds(int64_t{1'000'000} << world_.random.between(4, 12));
  around_.main.after(world_.some(wait) + milliseconds(1), [this] { act(); });
}

void ControlOperator::send(const std::string& line) {
  if (line.empty()) return;
  world_.trace("command: %s", line.c_str());
  auto reply = std::make_shared<SimReply>(*this, line);
  replies_.push_back(reply);
  commands_->run(line, reply);
}

bool ControlOperator::other_serves(size_t color) const {
  for (const auto& backend : around_.backends) {
    if (backend->color() != static_cast<int>(color) && !backend->answers_probes) return false;
  }
  const routing::ColorEntry& other = around_.plane.last().colors[1 - color];
  return other.takes_new() &&
         control_->fleet().colors[1 - color].state == routing::ColorState::ready;
}

std::string ControlOperator::some_command() {
  Random& random = world_.random;
  const size_t color = random.below(2);
  const std::string name = color == 0 ? "blue" : "green";
  const auto seconds = [&](int most) { return std::to_string(random.between(0, most)) + "s"; };
  const bool may_lose = !around_.scenario.gentle || other_serves(color);
  switch (random.below(10)) {
    case 0:
    case 1:
      last_weights_ = "weights blue=" + std::to_string(random.below(10)) +
                      " green=" + std::to_string(random.below(10)) +
                      " reason=" + std::to_string(++commands_sent_);
      return last_weights_;
    case 2:
    case 3:
    case 4: {
      if (!may_lose) return {};
      std::string line = "drain " + name + " deadline=" + seconds(6) + " wait=" + seconds(8);
      if (random.percent(30)) line += " quiet=" + seconds(3);
      if (!around_.scenario.gentle && random.percent(30)) line += " force=yes";
      if (!around_.scenario.gentle && random.percent(30)) line += " last=yes";
      return line;
    }
    case 5:
      return may_lose ? "maint " + name : std::string();
    case 6:
    case 7:
      return "ready " + name;
    case 8:
      if (!around_.scenario.gentle && random.percent(60)) {
        return "hold on max=" + std::to_string(random.below(20)) +
               " timeout=" + std::to_string(random.between(1, 5)) + "s";
      }
      return "hold off";
    default:
      constexpr const char* kLooks[] = {"status",    "inflight",      "inflight blue",
                                        "reload",    "connections",   "routes",
                                        "drain red", "weights blue=x"};
      return kLooks[random.below(8)];
  }
}

void ControlOperator::change_health() {
  Backend& backend = *world_.random.pick(around_.backends);
  if (!backend.answers_probes || backend.connects != Host::Answer::accept) {
    backend.answers_probes = true;
    backend.connects = Host::Answer::accept;
    return;
  }
  const auto color = static_cast<size_t>(backend.color());
  if (around_.scenario.gentle) {
    if (!backend.is_http()) return;  // without one websockets get 503
    // Not while the other color is on its way out or down as well.
    for (const auto& other : around_.backends) {
      if (other->color() != backend.color() && !other->answers_probes) return;
    }
    if (!other_serves(color)) return;
    backend.answers_probes = false;
    return;
  }
  if (world_.random.percent(50) || !around_.scenario.connect_faults) {
    backend.answers_probes = false;
  } else {
    constexpr Host::Answer kAnswers[] = {Host::Answer::refuse, Host::Answer::hang,
                                         Host::Answer::unreachable};
    backend.connects = kAnswers[world_.random.below(3)];
  }
}

void ControlOperator::on_answer(const std::string& line, const std::string& json) {
  world_.trace("answer to \"%s\": %.300s", line.c_str(), json.c_str());
  if (json == "twice") world_.fail("a command was answered twice: %s", line.c_str());
  const bool ok = json.starts_with("{\"ok\":true");
  if (!ok && !json.starts_with("{\"ok\":false")) world_.fail("not an answer: %s", json.c_str());
  if (ok && line == last_weights_) check_weights();
  const bool must_be_saved = line.starts_with("weights") || line.starts_with("ready");
  if (ok && must_be_saved && json.find("\"saved\":true") == std::string::npos) {
    world_.fail("done without being saved: %s", line.c_str());
  }
  if (ok && json.find("\"empty\":true") != std::string::npos) {
    check_empty(line.find("blue") != std::string::npos ? 0 : 1);
  }
}

// The answer means that it is true on every worker.
void ControlOperator::check_weights() {
  relay::Plane& plane = around_.plane.plane();
  for (int i = 0; i < plane.count(); ++i) {
    const routing::RoutingTable& table = plane.worker(static_cast<size_t>(i)).table();
    for (const routing::ColorEntry& color : table.colors) {
      const std::string word = color.name + "=" + std::to_string(color.weight);
      if (last_weights_.find(word) == std::string::npos) {
        world_.fail("\"%s\" was answered, and a worker has %s", last_weights_.c_str(),
                    word.c_str());
      }
    }
  }
}

void ControlOperator::check_empty(size_t color) {
  for (const auto& backend : around_.backends) {
    if (backend->color() == static_cast<int>(color) && backend->open() > 0) {
      world_.fail("color %zu was answered empty with %d connections", color, backend->open());
    }
  }
}

// What is known is routed by, from the next tick on.
void ControlOperator::check_published() {
  const routing::RoutingTable& table = around_.plane.last();
  for (size_t i = 0; i < table.colors.size(); ++i) {
    const routing::ColorEntry& entry = table.colors[i];
    const control::FleetColor& wanted = control_->fleet().colors[i];
    bool same = entry.state == wanted.state && entry.weight == wanted.weight &&
                entry.up == control_->health().color(i).up;
    for (const auto* list : {&entry.http, &entry.websocket}) {
      for (const routing::Backend& one : *list) {
        same = same && one.usable == control_->health().usable(one.id);
      }
    }
    if (!same) world_.fail("what is published of color %zu is not what is known", i);
  }
}

// Websockets of a closing color are told to go, and gone in time.
void ControlOperator::check_websockets() {
  constexpr Millis kGoodbyes{14'000};  // for the peers' answers, late mail and sleep
  for (size_t i = 0; i < 2; ++i) {
    const routing::ColorState state = control_->fleet().colors[i].state;
    const bool closing = state == routing::ColorState::closing;
    if (!closing) closing_since_[i] = Instant::max();
    if (closing && closing_since_[i] == Instant::max()) closing_since_[i] = world_.now();
    if (!closing || world_.now() - closing_since_[i] < config_.drain.ws_close_over + kGoodbyes) {
      continue;
    }
    const auto kind = static_cast<size_t>(routing::Kind::websocket);
    if (around_.plane.totals().colors[i].in_flight[kind] > 0) {
      world_.fail("a websocket outlives the end of color %zu", i);
    }
  }
}

// Draining ends with its deadline, at the next tick.
void ControlOperator::check_deadlines() {
  const auto slack = 2 * tick_every_ + world_.mood.stall_max;
  for (const control::FleetColor& color : control_->fleet().colors) {
    if (color.state != routing::ColorState::draining || stopped_) continue;
    if (!color.drain || world_.now() > color.drain->deadline + slack) {
      world_.fail("%s drains beyond its deadline", color.name.c_str());
    }
  }
}

void ControlOperator::check() {
  check_websockets();
  check_deadlines();
  for (size_t i = 0; i < 2; ++i) {
    if (control_->fleet().colors[i].state == routing::ColorState::maint) check_empty(i);
  }
}

}  // namespace

std::unique_ptr<Operator> make_control_operator(const Surroundings& around) {
  return std::make_unique<ControlOperator>(around);
}

}  // namespace simulation
