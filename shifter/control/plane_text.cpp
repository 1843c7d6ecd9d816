#include "shifter/control/plane_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace control {
namespace {

using Json = nlohmann::json;
using routing::Backend;
using routing::BackendTotals;
using routing::ColorEntry;
using routing::ColorTotals;
using routing::HistogramTotals;
using routing::RouteTotals;
using routing::RoutingTable;
using routing::Totals;

constexpr auto kUnknownRoute = static_cast<size_t>(routing::kRoutesMax - 1);
constexpr std::string_view kNone = "none";

constexpr routing::ColorState kStates[] = {
    routing::ColorState::ready, routing::ColorState::draining, routing::ColorState::closing,
    routing::ColorState::maint};

std::string color_name(const RoutingTable& table, size_t color) {
  return color < table.colors.size() ? table.colors[color].name : std::string(kNone);
}

std::string route_name(const RoutingTable& table, size_t index) {
  for (const routing::Route& route : table.routes) {
    if (route.index == index) return route.name;
  }
  return std::string(kNone);
}

size_t route_named(const RoutingTable& table, const std::string& name) {
  for (const routing::Route& route : table.routes) {
    if (route.name == name) return route.index;
  }
  return kUnknownRoute;
}

// Of the table's color of that name, or of no color.
size_t place_of(const RoutingTable& table, const std::string& name, const Totals& totals) {
  const auto color = table.color_named(name);
  return color ? *color : totals.colors.size() - 1;
}

Json write_histogram(const HistogramTotals& histogram) {
  return {{"us", histogram.sum_us}, {"counts", histogram.counts}};
}

// Of a version with other edges nothing is taken: wrong buckets are worse than none.
HistogramTotals read_histogram(const Json& json) {
  HistogramTotals histogram;
  const Json& counts = json.at("counts");
  if (counts.size() != histogram.counts.size()) return histogram;
  for (size_t i = 0; i < counts.size(); ++i) histogram.counts[i] = counts[i].get<int64_t>();
  histogram.sum_us = json.at("us").get<int64_t>();
  return histogram;
}

void add(const HistogramTotals& more, HistogramTotals& to) {
  for (size_t i = 0; i < to.counts.size(); ++i) to.counts[i] += more.counts[i];
  to.sum_us += more.sum_us;
}

template <class Numbers>
void add_each(const Numbers& more, Numbers& to) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += more[i];
}

// Counts by name; zeros are left out.
template <class Numbers, class Name>
Json write_named(const Numbers& numbers, Name name) {
  Json json = Json::object();
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != 0) json[std::string(name(i))] = numbers[i];
  }
  return json;
}

template <class Numbers, class Name>
void read_named(const Json& json, Numbers& numbers, Name name) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto found = json.find(std::string(name(i)));
    if (found != json.end()) numbers[i] = found->template get<int64_t>();
  }
}

std::string_view kind_name(size_t i) { return routing::text_of(static_cast<routing::Kind>(i)); }
std::string_view tally_name(size_t i) { return routing::text_of(static_cast<routing::Tally>(i)); }
std::string_view code_name(size_t i) { return routing::code_label(static_cast<int>(i)); }
std::string_view error_name(size_t i) {
  return base::facts_of(static_cast<base::ErrorCode>(i)).label;
}

bool is_empty(const RouteTotals& route) {
  return route.latency.count() == 0 && std::all_of(route.requests.begin(), route.requests.end(),
                                                   [](int64_t count) { return count == 0; });
}

Json write_color(const ColorTotals& color, std::string name, const RoutingTable& table) {
  Json json = {{"name", std::move(name)},
               {"in_flight", write_named(color.in_flight, kind_name)},
               {"queue", write_histogram(color.queue)},
               {"connect", write_histogram(color.connect)},
               {"websocket_lifetime", write_histogram(color.websocket_lifetime)},
               {"routes", Json::array()}};
  for (size_t i = 0; i < color.routes.size(); ++i) {
    if (is_empty(color.routes[i])) continue;
    json["routes"].push_back({{"name", route_name(table, i)},
                              {"requests", write_named(color.routes[i].requests, code_name)},
                              {"latency", write_histogram(color.routes[i].latency)}});
  }
  return json;
}

void read_color(const Json& json, const RoutingTable& table, ColorTotals& color) {
  read_named(json.at("in_flight"), color.in_flight, kind_name);
  add(read_histogram(json.at("queue")), color.queue);
  add(read_histogram(json.at("connect")), color.connect);
  add(read_histogram(json.at("websocket_lifetime")), color.websocket_lifetime);
  for (const Json& one : json.at("routes")) {
    RouteTotals read;
    read_named(one.at("requests"), read.requests, code_name);
    RouteTotals& route = color.routes[route_named(table, one.at("name").get<std::string>())];
    add_each(read.requests, route.requests);
    add(read_histogram(one.at("latency")), route.latency);
  }
}

// Each address of a table by where it stands.
template <class Table, class Do>
void each_backend(Table& table, Do act) {
  for (auto& color : table.colors) {
    for (auto& backend : color.http) act(color, "http", backend);
    for (auto& backend : color.websocket) act(color, "websocket", backend);
  }
}

Json place_json(const ColorEntry& color, const char* port, const Backend& backend) {
  return {{"color", color.name}, {"port", port}, {"address", backend.address.text()}};
}

bool is_at(const Json& json, const ColorEntry& color, const char* port, const Backend& backend) {
  return json.at("color") == color.name && json.at("port") == port &&
         json.at("address") == backend.address.text();
}

}  // namespace

Json write_decisions(const RoutingTable& table) {
  Json json = {{"epoch", table.epoch},       {"held", table.held},
               {"hold_max", table.hold_max}, {"hold_ms", table.hold_timeout.count()},
               {"colors", Json::array()},    {"addresses", Json::array()}};
  for (const ColorEntry& color : table.colors) {
    json["colors"].push_back({{"name", color.name},
                              {"state", routing::text_of(color.state)},
                              {"weight", color.weight},
                              {"share", color.weight_share},
                              {"up", color.up},
                              {"settled", color.settled},
                              {"valid_from", color.valid_from}});
  }
  each_backend(table, [&](const ColorEntry& color, const char* port, const Backend& backend) {
    Json one = place_json(color, port, backend);
    one["usable"] = backend.usable;
    json["addresses"].push_back(std::move(one));
  });
  return json;
}

void read_decisions(const Json& json, RoutingTable& table) {
  table.epoch = json.at("epoch").get<uint64_t>();
  table.held = json.at("held").get<bool>();
  table.hold_max = json.at("hold_max").get<int>();
  table.hold_timeout = base::Millis{json.at("hold_ms").get<int64_t>()};
  for (const Json& one : json.at("colors")) {
    const auto at = table.color_named(one.at("name").get<std::string>());
    if (!at) continue;
    ColorEntry& color = table.colors[*at];
    for (const routing::ColorState state : kStates) {
      if (one.at("state") == routing::text_of(state)) color.state = state;
    }
    color.weight = one.at("weight").get<int>();
    color.weight_share = one.at("share").get<int>();
    color.up = one.at("up").get<bool>();
    color.settled = one.at("settled").get<bool>();
    color.valid_from = one.at("valid_from").get<uint64_t>();
  }
  // An address that the other side does not list is in use no more.
  const Json& addresses = json.at("addresses");
  each_backend(table, [&](ColorEntry& color, const char* port, Backend& backend) {
    const auto found = std::find_if(addresses.begin(), addresses.end(), [&](const Json& one) {
      return is_at(one, color, port, backend);
    });
    backend.usable = found != addresses.end() && found->at("usable").get<bool>();
  });
}

Json write_totals(const Totals& totals, const RoutingTable& table) {
  Json json = {{"colors", Json::array()},
               {"backends", Json::array()},
               {"tallies", write_named(totals.tallies, tally_name)},
               {"errors", write_named(totals.errors, error_name)},
               {"receiving", write_histogram(totals.receiving)},
               {"delivering", write_histogram(totals.delivering)},
               {"held", write_histogram(totals.held)},
               {"client_connections", totals.client_connections},
               {"spool_memory_bytes", totals.spool_memory_bytes},
               {"spool_disk_bytes", totals.spool_disk_bytes}};
  for (size_t i = 0; i < totals.colors.size(); ++i) {
    if (i < table.colors.size() || i + 1 == totals.colors.size()) {
      json["colors"].push_back(write_color(totals.colors[i], color_name(table, i), table));
    }
  }
  each_backend(table, [&](const ColorEntry& color, const char* port, const Backend& backend) {
    if (backend.id >= totals.backends.size()) return;
    const BackendTotals& counts = totals.backends[backend.id];
    Json one = place_json(color, port, backend);
    one["in_flight"] = counts.in_flight;
    one["finished"] = counts.finished;
    one["failed"] = counts.failed;
    one["idle"] = counts.idle;
    json["backends"].push_back(std::move(one));
  });
  return json;
}

Totals read_totals(const Json& json, const RoutingTable& table) {
  Totals totals;
  totals.colors.resize(routing::kColorsMax + 1);
  for (ColorTotals& color : totals.colors) color.routes.resize(routing::kRoutesMax);
  totals.backends.resize(routing::kBackendsMax);
  for (const Json& one : json.at("colors")) {
    const size_t place = place_of(table, one.at("name").get<std::string>(), totals);
    read_color(one, table, totals.colors[place]);
  }
  for (const Json& one : json.at("backends")) {
    each_backend(table, [&](const ColorEntry& color, const char* port, const Backend& backend) {
      if (!is_at(one, color, port, backend)) return;
      BackendTotals& counts = totals.backends[backend.id];
      counts.in_flight = one.at("in_flight").get<int64_t>();
      counts.finished = one.at("finished").get<int64_t>();
      counts.failed = one.at("failed").get<int64_t>();
      counts.idle = one.at("idle").get<int64_t>();
    });
  }
  read_named(json.at("tallies"), totals.tallies, tally_name);
  read_named(json.at("errors"), totals.errors, error_name);
  totals.receiving = read_histogram(json.at("receiving"));
  totals.delivering = read_histogram(json.at("delivering"));
  totals.held = read_histogram(json.at("held"));
  totals.client_connections = json.at("client_connections").get<int64_t>();
  totals.spool_memory_bytes = json.at("spool_memory_bytes").get<int64_t>();
  totals.spool_disk_bytes = json.at("spool_disk_bytes").get<int64_t>();
  return totals;
}

void add_totals(const Totals& more, Totals& to) {
  for (size_t i = 0; i < to.colors.size() && i < more.colors.size(); ++i) {
    const ColorTotals& from = more.colors[i];
    ColorTotals& color = to.colors[i];
    add_each(from.in_flight, color.in_flight);
    add(from.queue, color.queue);
    add(from.connect, color.connect);
    add(from.websocket_lifetime, color.websocket_lifetime);
    for (size_t r = 0; r < color.routes.size() && r < from.routes.size(); ++r) {
      add_each(from.routes[r].requests, color.routes[r].requests);
      add(from.routes[r].latency, color.routes[r].latency);
    }
  }
  for (size_t i = 0; i < to.backends.size() && i < more.backends.size(); ++i) {
    to.backends[i].in_flight += more.backends[i].in_flight;
    to.backends[i].finished += more.backends[i].finished;
    to.backends[i].failed += more.backends[i].failed;
    to.backends[i].idle += more.backends[i].idle;
  }
  add_each(more.tallies, to.tallies);
  add_each(more.errors, to.errors);
  add(more.receiving, to.receiving);
  add(more.delivering, to.delivering);
  add(more.held, to.held);
  to.client_connections += more.client_connections;
  to.spool_memory_bytes += more.spool_memory_bytes;
  to.spool_disk_bytes += more.spool_disk_bytes;
}

void end_gauges(Totals& totals) {
  for (ColorTotals& color : totals.colors) color.in_flight = {};
  for (BackendTotals& backend : totals.backends) backend.in_flight = backend.idle = 0;
  totals.client_connections = 0;
  totals.spool_memory_bytes = totals.spool_disk_bytes = 0;
}

Json write_entries(const std::vector<routing::InFlightEntry>& entries, const RoutingTable& table) {
  Json list = Json::array();
  for (const routing::InFlightEntry& entry : entries) {
    list.push_back({{"color", color_name(table, entry.color)},
                    {"kind", routing::text_of(entry.kind)},
                    {"route", route_name(table, entry.route)},
                    {"age_ms", entry.age.count()},
                    {"peer", entry.peer},
                    {"id", entry.request_id}});
  }
  return list;
}

std::vector<routing::InFlightEntry> read_entries(const Json& json, const RoutingTable& table) {
  std::vector<routing::InFlightEntry> entries;
  for (const Json& one : json) {
    routing::InFlightEntry entry;
    entry.color = table.color_named(one.at("color").get<std::string>()).value_or(routing::kNoColor);
    for (size_t i = 0; i < routing::kKinds; ++i) {
      if (one.at("kind") == kind_name(i)) entry.kind = static_cast<routing::Kind>(i);
    }
    entry.route =
        static_cast<routing::RouteIndex>(route_named(table, one.at("route").get<std::string>()));
    entry.age = base::Millis{one.at("age_ms").get<int64_t>()};
    entry.peer = one.at("peer").get<std::string>();
    entry.request_id = one.at("id").get<std::string>();
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace control
