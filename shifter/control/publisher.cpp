#include "shifter/control/publisher.h"

#include <algorithm>
#include <utility>

#include "proxy/base/check.h"
#include "shifter/control/tls_files.h"

namespace control {

using routing::ColorEntry;
using routing::RoutingTable;

RoutingTable make_table(const TableFacts& facts) {
  RoutingTable table;
  table.epoch = facts.fleet.epoch;
  for (size_t i = 0; i < facts.fleet.colors.size(); ++i) {
    const FleetColor& wanted = facts.fleet.colors[i];
    const routing::ColorConfig& config = facts.config.colors[i];
    ColorEntry entry;
    entry.name = wanted.name;
    entry.state = wanted.state;
    entry.weight = wanted.weight;
    if (i < facts.weight_shares.size()) entry.weight_share = facts.weight_shares[i];
    entry.valid_from = wanted.valid_from;
    entry.up = facts.health.color(i).up;
    entry.settled = facts.settled[i];
    const int slots_auto = i < facts.slots_auto.size() ? facts.slots_auto[i] : kSlotsAuto;
    entry.slots = config.slots == 0 ? slots_auto : config.slots;
    entry.reuse = config.reuse;
    for (const KnownAddress& known : facts.addresses.of_color(i)) {
      auto& list = known.port == routing::Port::http ? entry.http : entry.websocket;
      list.push_back({known.id, known.address, facts.health.usable(known.id),
                      tls_towards(config, known.name)});
    }
    table.colors.push_back(std::move(entry));
  }
  table.routes = facts.routes;
  table.fallback_allow = facts.config.fallback_allow;
  table.cookie_name = facts.config.affinity.cookie;
  table.cookie_keys = facts.cookie_keys;
  table.tls = facts.config.tls_context;
  table.hash_key = facts.draw_key;
  table.session_keys.names = facts.config.affinity.session_keys;
  table.force = {facts.config.force.header, facts.config.force.tokens};
  table.redraw = facts.fleet.redraw;
  table.mirror = facts.config.mirror;
  table.held = facts.fleet.hold.on;
  table.hold_max = table.held ? facts.fleet.hold.max : facts.config.hold.max;
  table.hold_timeout = table.held ? facts.fleet.hold.timeout : facts.config.hold.timeout;
  if (facts.before_first_verdict) {
    table.hold_timeout = std::min(table.hold_timeout, kFirstVerdictMax);
  }
  return table;
}

std::string check_table(const RoutingTable& table) {
  if (table.colors.empty()) return "no color";
  if (table.colors.size() > routing::kColorsMax) return "too many colors";
  int64_t sum = 0;
  for (const ColorEntry& color : table.colors) {
    if (color.weight < 0 || color.weight > kWeightMax) return "weight of " + color.name;
    if (color.slots < 1) return "slots of " + color.name;
    if (color.weight_share < 1 || color.weight_share > 100) return "share of " + color.name;
    sum += color.weight;
    for (const auto* list : {&color.http, &color.websocket}) {
      for (const routing::Backend& backend : *list) {
        if (backend.id >= routing::kBackendsMax) return "backend of " + color.name;
      }
    }
  }
  if (sum == 0) return "all weights are 0";
  if (table.cookie_keys.empty()) return "no cookie key";
  if (table.mirror && table.mirror->color >= table.colors.size()) return "mirror";
  if (table.routes.size() > RouteNumbers::kMax) return "too many routes";
  for (const routing::Route& route : table.routes) {
    if (route.index >= RouteNumbers::kMax) return "number of route " + route.name;
    if (route.pin && *route.pin >= table.colors.size()) return "pin of route " + route.name;
  }
  return {};
}

void Publisher::publish(RoutingTable table, std::function<void()> applied) {
  table.version = ++version_;
  CHECK(check_table(table).empty());
  current_ = std::make_shared<const RoutingTable>(std::move(table));
  plane_.publish(current_, [this, version = version_, applied = std::move(applied)] {
    if (applied) applied();
    on_applied(version);
  });
  if (on_change_) on_change_();
}

void Publisher::when_applied(std::function<void()> then) {
  if (plane_.applied_version() >= version_) return then();
  waiting_.push_back(std::move(then));
}

void Publisher::on_applied(uint64_t version) {
  if (version != version_) return;
  if (on_change_) on_change_();
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& then : waiting) then();
}

bool RouteNumbers::has_room_for(const std::vector<routing::Route>& routes) const {
  RouteNumbers copy = *this;
  std::vector<routing::Route> numbered = routes;
  return copy.number(numbered);
}

bool RouteNumbers::number(std::vector<routing::Route>& routes) {
  std::vector<std::string> names = names_;
  std::vector<routing::RouteIndex> given;
  for (const routing::Route& route : routes) {
    auto at = std::find(names.begin(), names.end(), route.name);
    if (at == names.end()) {
      if (names.size() == kMax) return false;
      at = names.insert(names.end(), route.name);
    }
    given.push_back(static_cast<routing::RouteIndex>(at - names.begin()));
  }
  for (size_t i = 0; i < routes.size(); ++i) routes[i].index = given[i];
  names_ = std::move(names);
  return true;
}

}  // namespace control
