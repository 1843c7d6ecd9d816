// Tables out of thin air: every change that a table can carry, also those that the control plane
// would make seldom, in any order.
#include <algorithm>

#include "tests/simulation/operator.h"

namespace simulation {

using routing::ColorEntry;
using routing::ColorState;
using std::chrono::milliseconds;

std::vector<routing::Route> some_routes(const Surroundings& around) {
  std::vector<routing::Route> routes;
  const auto add = [&](const char* name, const char* prefix) -> routing::Route& {
    routing::Route& route = routes.emplace_back();
    route.index = static_cast<routing::RouteIndex>(routes.size() - 1);
    route.name = name;
    route.prefixes = {prefix};
    route.answer_timeout = around.answer_timeout;
    return route;
  };
  for (const auto& [name, prefix] :
       {std::pair("websocket", "/websocket"), std::pair("longpoll", "/longpolling")}) {
    routing::Route& route = add(name, prefix);
    route.port = routing::Port::websocket;
    route.buffer = false;
  }
  add("stream", "/stream").buffer = false;
  add("assets", "/web/assets").asset_fallback = true;
  add("database", "/web/database").deny_all = true;
  add("pinned", "/pinned").pin = 0;
  add("web", "/web");
  return routes;
}

namespace {

class TableOperator final : public Operator {
 public:
  explicit TableOperator(const Surroundings& around) : around_(around), world_(around.world) {}
  void start() override;
  void stop() override { stopped_ = true; }

 private:
  void act();
  void watch();
  void change();
  void change_state(size_t color);
  void change_addresses(size_t color);
  void change_usable(size_t color);
  void change_routes();
  void change_connects();
  bool may_lose(size_t color) const;
  bool serves(const ColorEntry& color) const;
  bool is_needed(const std::vector<routing::Backend>& list) const;
  void publish();
  void watch_empty(size_t color);
  std::vector<routing::Backend> addresses(size_t color, bool http) const;

  const Surroundings around_;
  World& world_;
  routing::RoutingTable table_;
  bool stopped_ = false;
  const Instant acts_until_ = world_.now() + 2 * around_.scenario.active + milliseconds(10'000);
  uint64_t hold_epoch_ = 0;
};

std::vector<routing::Backend> TableOperator::addresses(size_t color, bool http) const {
  std::vector<routing::Backend> list;
  for (size_t i = 0; i < around_.backends.size(); ++i) {
    const Backend& backend = *around_.backends[i];
    if (backend.color() != static_cast<int>(color) || backend.is_http() != http) continue;
    list.push_back({static_cast<routing::BackendId>(i), backend.address(), true});
  }
  return list;
}

void TableOperator::start() {
  Random& random = world_.random;
  const Scenario& scenario = around_.scenario;
  table_.epoch = 10;
  table_.cookie_name = "color";
  table_.cookie_keys.resize(1);
  table_.cookie_keys[0][0] = 1;
  table_.session_keys.names = {"session_id"};
  table_.hold_timeout = around_.hold_timeout;
  table_.hold_max = around_.hold_max;
  table_.routes = some_routes(around_);
  for (size_t i = 0; i < 2; ++i) {
    ColorEntry& color = table_.colors.emplace_back();
    color.name = i == 0 ? "blue" : "green";
    color.weight = static_cast<int>(random.below(11));
    color.up = scenario.gentle || random.percent(90);
    color.settled = random.percent(50);
    color.slots = scenario.slots;
    color.reuse = scenario.reuse[i];
    color.http = addresses(i, true);
    color.websocket = addresses(i, false);
  }
  if (table_.colors[0].weight + table_.colors[1].weight == 0) table_.colors[0].weight = 1;
  publish();
  if (!scenario.operator_acts) return;
  watch();
  around_.main.after(world_.some(scenario.active), [this] { act(); });
}

void TableOperator::publish() {
  ++table_.version;
  around_.plane.publish(std::make_shared<const routing::RoutingTable>(table_), {});
}

void TableOperator::watch() {
  if (stopped_) return;
  for (size_t i = 0; i < table_.colors.size(); ++i) watch_empty(i);
  around_.main.after(milliseconds(1) + world_.some(milliseconds(300)), [this] { watch(); });
}

void TableOperator::act() {
  if (stopped_ || world_.now() > acts_until_) return;
  const int changes = static_cast<int>(world_.random.between(1, 3));
  for (int i = 0; i < changes; ++i) change();
  publish();
  const auto wait = nanoseconds(int64_t{1'000'000} << world_.random.between(0, 12));
  around_.main.after(world_.some(wait) + milliseconds(1), [this] { act(); });
}

bool TableOperator::serves(const ColorEntry& color) const {
  const auto usable = [](const routing::Backend& one) { return one.usable; };
  return color.takes_new() && std::any_of(color.http.begin(), color.http.end(), usable) &&
         std::any_of(color.websocket.begin(), color.websocket.end(), usable);
}

// In a gentle run somebody always serves.
bool TableOperator::may_lose(size_t color) const {
  return !around_.scenario.gentle || serves(table_.colors[1 - color]);
}

void TableOperator::change() {
  Random& random = world_.random;
  const Scenario& scenario = around_.scenario;
  const size_t index = random.below(2);
  ColorEntry& color = table_.colors[index];
  switch (random.below(14)) {
    case 0:
    case 1:
      for (ColorEntry& one : table_.colors) one.weight = static_cast<int>(random.below(11));
      if (table_.colors[0].weight + table_.colors[1].weight == 0) color.weight = 5;
      ++table_.epoch;
      return;
    case 2:
    case 3:
    case 4:
      return change_state(index);
    case 5:
      if (color.up && !may_lose(index)) return;
      color.up = !color.up;
      color.settled = false;
      return;
    case 6:
      return change_usable(index);
    case 7:
      if (scenario.addresses_move) change_addresses(index);
      return;
    case 8:
      color.slots = static_cast<int>(random.between(1, 8));
      return;
    case 9:
      if (color.up && color.state == ColorState::ready) color.settled = random.percent(70);
      if (random.percent(20)) {
        table_.redraw = routing::Redraw{static_cast<routing::ColorIndex>(index), table_.epoch};
      } else {
        table_.redraw.reset();
      }
      return;
    case 10:
      return change_routes();
    case 11: {
      table_.held = !table_.held && random.percent(60);
      ++table_.epoch;
      const uint64_t mine = ++hold_epoch_;
      around_.main.after(world_.some(around_.hold_timeout / 2), [this, mine] {
        if (mine != hold_epoch_ || !table_.held) return;
        table_.held = false;
        ++table_.epoch;
        publish();
      });
      return;
    }
    case 12:
      if (scenario.connect_faults) change_connects();
      return;
    default:
      if (random.percent(50)) around_.plane.close_idle(static_cast<routing::ColorIndex>(index));
      if (!scenario.gentle && random.percent(15) && color.state == ColorState::closing) {
        around_.plane.cut(static_cast<routing::ColorIndex>(index));
      }
  }
}

void TableOperator::change_state(size_t index) {
  ColorEntry& color = table_.colors[index];
  const auto enter = [&](ColorState to) {
    color.state = to;
    ++table_.epoch;
    color.settled = false;
    if (to == ColorState::closing) color.valid_from = table_.epoch;
  };
  switch (color.state) {
    case ColorState::ready:
      if (!may_lose(index)) return;
      return enter(world_.random.percent(60) ? ColorState::draining : ColorState::closing);
    case ColorState::draining:
      if (world_.random.percent(30)) return enter(ColorState::ready);
      enter(ColorState::closing);
      around_.plane.close_idle(static_cast<routing::ColorIndex>(index));
      around_.plane.close_websockets(static_cast<routing::ColorIndex>(index),
                                     Millis(world_.random.below(3'000)));
      return;
    case ColorState::closing:
    case ColorState::maint:
      return enter(ColorState::ready);
  }
}

void TableOperator::change_addresses(size_t index) {
  ColorEntry& color = table_.colors[index];
  const bool http = world_.random.percent(70);
  std::vector<routing::Backend>& list = http ? color.http : color.websocket;
  std::vector<routing::Backend> all = addresses(index, http);
  if (list.size() == all.size() || (list.size() > 1 && world_.random.percent(50))) {
    if (is_needed(list)) return;
    if (!list.empty())
      list.erase(list.begin() + static_cast<long>(world_.random.below(list.size())));
    return;
  }
  for (const routing::Backend& one : all) {
    const bool there = std::any_of(list.begin(), list.end(),
                                   [&](const auto& known) { return known.id == one.id; });
    if (!there) {
      list.push_back(one);
      return;
    }
  }
}

void TableOperator::change_usable(size_t index) {
  ColorEntry& color = table_.colors[index];
  std::vector<routing::Backend>& list = world_.random.percent(70) ? color.http : color.websocket;
  if (list.empty()) return;
  routing::Backend& one = list[world_.random.below(list.size())];
  if (one.usable && is_needed(list)) return;
  one.usable = !one.usable;
}

// In a gentle run a color that is up has an address of each port.
bool TableOperator::is_needed(const std::vector<routing::Backend>& list) const {
  const auto usable =
      std::count_if(list.begin(), list.end(), [](const auto& one) { return one.usable; });
  return around_.scenario.gentle && usable < 2;
}

// A server that is gone, or answers no connect any more, while the table says that it is there.
void TableOperator::change_connects() {
  Backend& backend = *world_.random.pick(around_.backends);
  constexpr Host::Answer kAnswers[] = {Host::Answer::refuse, Host::Answer::refuse,
                                       Host::Answer::hang, Host::Answer::unreachable};
  backend.connects = backend.connects == Host::Answer::accept ? kAnswers[world_.random.below(4)]
                                                              : Host::Answer::accept;
}

// Rules and routes that come and go under requests that were let in.
void TableOperator::change_routes() {
  if (around_.scenario.gentle) return;
  table_.routes = some_routes(around_);
  const size_t index = world_.random.below(table_.routes.size());
  if (table_.routes[index].name == "database" || world_.random.percent(40)) return;
  if (world_.random.percent(50)) {
    table_.routes[index].deny_all = true;
  } else {
    table_.routes.erase(table_.routes.begin() + static_cast<long>(index));
  }
}

// As the control loop does it: closing is known everywhere, then nothing is in flight.
void TableOperator::watch_empty(size_t index) {
  const ColorEntry& color = table_.colors[index];
  if (color.state != ColorState::closing) return;
  if (around_.plane.applied_version() < table_.version) return;
  const routing::Totals totals = around_.plane.totals();
  for (int kind = 0; kind < routing::kColorKinds; ++kind) {
    if (totals.colors[index].in_flight[static_cast<size_t>(kind)] != 0) return;
  }
  for (const auto& backend : around_.backends) {
    if (backend->color() == static_cast<int>(index) && backend->open() > 0) {
      world_.fail("color %zu counts as empty with %d connections", index, backend->open());
    }
  }
  table_.colors[index].state = ColorState::maint;
  publish();
}

}  // namespace

std::unique_ptr<Operator> make_table_operator(const Surroundings& around) {
  return std::make_unique<TableOperator>(around);
}

}  // namespace simulation
