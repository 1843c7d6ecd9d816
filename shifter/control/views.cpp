#include "shifter/control/views.h"

#include <array>
#include <chrono>
#include <span>

#include "shifter/control/admin_grammar.h"

namespace control {
namespace {

using base::LogLine;
using routing::Kind;
using routing::Port;

int64_t seconds_between(base::Instant from, base::Instant to) {
  return std::chrono::duration_cast<std::chrono::seconds>(to - from).count();
}

std::string name_of(const ControlLoop& control, routing::ColorIndex color) {
  const auto& colors = control.fleet().colors;
  return color < colors.size() ? colors[color].name : "none";
}

std::string numbers_json(std::span<const int64_t> numbers) {
  std::string list = "[";
  for (int64_t number : numbers) {
    if (list.size() > 1) list += ',';
    list += std::to_string(number);
  }
  return list + "]";
}

// What a color has answered since the start; who asks twice knows its rate, its share of errors and
// its latency in between. Counts are of requests by bucket of latency_edges_us, the last above all.
std::string totals_json(const routing::ColorTotals& color) {
  int64_t requests = 0;
  int64_t errors = 0;
  std::array<int64_t, base::Histogram::kBuckets> counts{};
  for (const routing::RouteTotals& route : color.routes) {
    for (int slot = 0; slot < routing::kCodeSlots; ++slot) {
      const auto i = static_cast<size_t>(slot);
      requests += route.requests[i];
      if (i < routing::kCodes.size() && routing::kCodes[i] >= 500) errors += route.requests[i];
    }
    for (size_t i = 0; i < counts.size(); ++i) counts[i] += route.latency.counts[i];
  }
  LogLine line;
  line.add("requests", requests).add("errors", errors).add_raw("latency", numbers_json(counts));
  return json_of(line);
}

std::string addresses_json(const ControlLoop& control, size_t color,
                           const routing::Totals* totals) {
  std::vector<std::string> objects;
  for (const KnownAddress& known : control.addresses().of_color(color)) {
    LogLine line;
    line.add("port", known.port == Port::http ? "http" : "websocket")
        .add("name", known.name)
        .add("address", known.address.text());
    if (const AddressHealth* health = control.health().address(known.id)) {
      line.add("health", text_of(*health));
    }
    if (totals != nullptr && known.id < totals->backends.size()) {
      const routing::BackendTotals& seen = totals->backends[known.id];
      line.add("in_flight", seen.in_flight)
          .add("idle", seen.idle)
          .add("finished", seen.finished)
          .add("failed", seen.failed);
    }
    objects.push_back(json_of(line));
  }
  return join_json(objects);
}

std::string drain_json(const ControlLoop& control, const DrainFacts& drain) {
  LogLine line;
  line.add("since_s", seconds_between(drain.since, control.now()))
      .add("deadline_in_s", std::max<int64_t>(0, seconds_between(control.now(), drain.deadline)))
      .add("quiet", base::duration_text(drain.quiet));
  return json_of(line);
}

std::string color_json(const ControlLoop& control, const routing::Totals& totals, size_t i) {
  const FleetColor& color = control.fleet().colors[i];
  const ColorHealth& health = control.health().color(i);
  LogLine line;
  line.add("state", routing::text_of(color.state))
      .add("weight", color.weight)
      .add("health", text_of(health))
      .add("health_for_s", seconds_between(health.since, control.now()))
      .add("valid_from", static_cast<int64_t>(color.valid_from))
      .add_raw("in_flight", in_flight_json(totals, i, control.fleet().colors.size()));
  if (i + 1 < totals.colors.size()) line.add_raw("totals", totals_json(totals.colors[i]));
  if (control.weight_share(i) < 100) line.add("weight_share", control.weight_share(i));
  if (health.no_websocket) line.add("degraded", "no websocket address is up");
  if (color.drain) line.add_raw("drain", drain_json(control, *color.drain));
  line.add_raw("addresses", addresses_json(control, i, nullptr));
  return json_of(line);
}

std::string hold_json(const FleetHold& hold) {
  LogLine line;
  line.add("on", hold.on).add("max", hold.max).add("timeout", base::duration_text(hold.timeout));
  return json_of(line);
}

int64_t requests_of(const routing::Totals& totals, size_t color, routing::RouteIndex route) {
  int64_t sum = 0;
  if (color >= totals.colors.size() || route >= totals.colors[color].routes.size()) return 0;
  for (int64_t count : totals.colors[color].routes[route].requests) sum += count;
  return sum;
}

std::string route_json(const ControlLoop& control, const routing::Totals& totals,
                       const routing::Route& route) {
  LogLine line;
  line.add("name", route.name)
      .add_raw("prefix", array_json(route.prefixes))
      .add("port", route.port == Port::http ? "http" : "websocket")
      .add("buffer", route.buffer)
      .add("asset_fallback", route.asset_fallback)
      .add("entry", route.entry)
      .add("identity", route.identity == routing::Identity::address ? "address" : "none");
  if (route.pin) line.add("pin", name_of(control, *route.pin));
  if (route.deny_all) line.add("deny", "all");
  if (!route.allow.empty()) line.add("allow", static_cast<int64_t>(route.allow.size()));
  LogLine requests;
  const size_t colors = control.fleet().colors.size();
  for (size_t i = 0; i < colors; ++i) {
    requests.add(control.fleet().colors[i].name, requests_of(totals, i, route.index));
  }
  if (!totals.colors.empty()) {
    requests.add("none", requests_of(totals, totals.colors.size() - 1, route.index));
  }
  line.add_raw("requests", json_of(requests));
  return json_of(line);
}

}  // namespace

std::string array_json(const std::vector<std::string>& words) {
  std::string json = "[";
  for (const std::string& word : words) {
    if (json.size() > 1) json += ',';
    json += '"';
    base::escape_json(word, json);
    json += '"';
  }
  return json + "]";
}

std::string join_json(const std::vector<std::string>& objects) {
  std::string json = "[";
  for (const std::string& object : objects) {
    if (json.size() > 1) json += ',';
    json += object;
  }
  return json + "]";
}

std::string ok_json(const ControlLoop& control, LogLine rest) {
  LogLine line;
  line.add("ok", true).add("epoch", static_cast<int64_t>(control.fleet().epoch));
  std::string json = json_of(line);
  if (std::string more = json_of(rest); more.size() > 2) {
    json.back() = ',';
    json += more.substr(1);
  }
  return json;
}

std::string in_flight_json(const routing::Totals& totals, size_t color, size_t colors) {
  LogLine line;
  const bool none = color >= colors;
  if (totals.colors.empty()) return "{}";
  const auto& counts = totals.colors[none ? totals.colors.size() - 1 : color].in_flight;
  for (int kind = none ? routing::kColorKinds : 0;
       kind < (none ? routing::kKinds : routing::kColorKinds); ++kind) {
    line.add(routing::text_of(static_cast<Kind>(kind)), counts[static_cast<size_t>(kind)]);
  }
  return json_of(line);
}

std::string status_json(const ControlLoop& control, const routing::Totals& totals,
                        const ProcessView& process) {
  const Fleet& fleet = control.fleet();
  LogLine colors;
  for (size_t i = 0; i < fleet.colors.size(); ++i) {
    colors.add_raw(fleet.colors[i].name, color_json(control, totals, i));
  }
  const routing::ColorTotals none =
      totals.colors.empty() ? routing::ColorTotals{} : totals.colors.back();
  std::vector<std::string> degraded = control.degraded();
  degraded.insert(degraded.end(), process.degraded.begin(), process.degraded.end());
  LogLine line;
  line.add("schema", 1)
      .add("version", process.version)
      .add("uptime_s", process.uptime_s)
      .add_raw("listen", array_json(process.listening))
      .add("admin", control.config().admin.socket)
      .add("metrics", process.metrics)
      .add("table_version", static_cast<int64_t>(control.publisher().version()))
      .add("applied_version", static_cast<int64_t>(control.publisher().applied_version()))
      .add_raw("colors", json_of(colors))
      .add_raw("no_color", in_flight_json(totals, fleet.colors.size(), fleet.colors.size()))
      .add_raw("no_color_totals", totals_json(none))
      .add_raw("latency_edges_us", numbers_json(base::kLatencyEdgesUs))
      .add_raw("hold", hold_json(fleet.hold))
      .add("fallback", control.routing().fallback_allow ? "allow" : "deny")
      .add("client_connections", totals.client_connections)
      .add_raw("rollout", process.rollout)
      .add_raw("lock", process.lock)
      .add_raw("scaler", process.scaler)
      .add("dependency_down", control.health().dependency_down())
      .add("saved", control.is_saved())
      .add("lame_duck", process.lame_duck)
      .add_raw("degraded", array_json(degraded))
      .add("config_hash", process.config_hash);
  return ok_json(control, std::move(line));
}

std::string routes_json(const ControlLoop& control, const routing::Totals& totals) {
  std::vector<std::string> objects;
  for (const routing::Route& route : control.routes()) {
    objects.push_back(route_json(control, totals, route));
  }
  return ok_json(control, LogLine().add_raw("routes", join_json(objects)));
}

std::string connections_json(const ControlLoop& control, const routing::Totals& totals) {
  LogLine colors;
  for (size_t i = 0; i < control.fleet().colors.size(); ++i) {
    colors.add_raw(control.fleet().colors[i].name, addresses_json(control, i, &totals));
  }
  return ok_json(control, LogLine()
                              .add("client_connections", totals.client_connections)
                              .add_raw("backends", json_of(colors)));
}

std::string config_json(const ControlLoop& control,
                        const std::vector<std::pair<std::string, std::string>>& lines) {
  LogLine values;
  for (const auto& [key, value] : lines) values.add(key, value);
  return ok_json(control, LogLine().add_raw("config", json_of(values)));
}

std::string help_json(const ControlLoop& control) {
  std::vector<std::string> objects;
  for (const CommandSpec& spec : command_table()) {
    LogLine line;
    std::string usage(spec.name);
    if (!spec.arguments.empty()) usage += " " + std::string(spec.arguments);
    line.add("usage", usage).add("does", spec.does);
    objects.push_back(json_of(line));
  }
  return ok_json(control, LogLine().add_raw("commands", join_json(objects)));
}

std::string entries_json(const ControlLoop& control,
                         const std::vector<routing::InFlightEntry>& entries) {
  std::vector<std::string> objects;
  for (const routing::InFlightEntry& entry : entries) {
    const auto& names = control.route_numbers().names();
    LogLine line;
    line.add("color", name_of(control, entry.color))
        .add("kind", routing::text_of(entry.kind))
        .add("route", entry.route < names.size() ? names[entry.route] : std::string("none"))
        .add_seconds("age_s", entry.age.count() * 1000)
        .add("peer", entry.peer)
        .add("request_id", entry.request_id);
    objects.push_back(json_of(line));
  }
  return join_json(objects);
}

}  // namespace control
