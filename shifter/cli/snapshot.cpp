#include "shifter/cli/snapshot.h"

#include <nlohmann/json.hpp>

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

TotalsView totals_of(const Json& object) {
  TotalsView totals;
  totals.requests = object.value("requests", int64_t{0});
  totals.errors = object.value("errors", int64_t{0});
  totals.latency = object.value("latency", std::vector<int64_t>());
  return totals;
}

ColorView color_of(const std::string& name, const Json& object) {
  ColorView color;
  color.name = name;
  color.state = object.at("state").get<std::string>();
  color.weight = object.at("weight").get<int64_t>();
  color.health = object.at("health").get<std::string>();
  const Json flight = object.value("in_flight", Json::object());
  color.queued = flight.value("queued", int64_t{0});
  color.http = flight.value("http", int64_t{0});
  color.longpoll = flight.value("longpoll", int64_t{0});
  color.websocket = flight.value("websocket", int64_t{0});
  if (object.contains("totals")) color.totals = totals_of(object.at("totals"));
  if (object.contains("drain")) {
    const Json& drain = object.at("drain");
    color.drain = DrainView{drain.value("since_s", int64_t{0}),
                            drain.value("deadline_in_s", int64_t{0}), drain.value("quiet", "")};
  }
  return color;
}

Snapshot snapshot_of(const Json& answer) {
  Snapshot seen;
  seen.schema = answer.at("schema").get<int64_t>();
  seen.epoch = answer.at("epoch").get<int64_t>();
  seen.version = answer.value("version", "");
  seen.uptime_s = answer.value("uptime_s", int64_t{0});
  seen.listen = answer.value("listen", std::vector<std::string>());
  for (const auto& [name, color] : answer.at("colors").items()) {
    seen.colors.push_back(color_of(name, color));
  }
  if (answer.contains("no_color_totals")) seen.no_color = totals_of(answer.at("no_color_totals"));
  const Json none = answer.value("no_color", Json::object());
  seen.receiving = none.value("receiving", int64_t{0});
  seen.held = none.value("held", int64_t{0});
  seen.delivering = none.value("delivering", int64_t{0});
  const Json hold = answer.value("hold", Json::object());
  seen.hold_on = hold.value("on", false);
  seen.hold_max = hold.value("max", int64_t{0});
  seen.hold_timeout = hold.value("timeout", "");
  seen.fallback = answer.value("fallback", "allow") == std::string("allow");
  seen.rollout = rollout_view(answer);
  seen.degraded = answer.value("degraded", std::vector<std::string>());
  if (const Json scaler = answer.value("scaler", Json()); scaler.is_object()) {
    seen.scaler = scaler.value("mode", "auto") + ", " + scaler.value("decision", "unknown");
  }
  seen.edges_us = answer.value("latency_edges_us", std::vector<int64_t>());
  return seen;
}

}  // namespace

const ColorView* Snapshot::color(std::string_view name) const {
  for (const ColorView& one : colors) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::string Snapshot::color_names() const {
  std::string names;
  for (const ColorView& one : colors) names += (names.empty() ? "" : ", ") + one.name;
  return names;
}

double Snapshot::share_of(const ColorView& color) const {
  int64_t sum = 0;
  int64_t open = 0;
  for (const ColorView& one : colors) {
    if (!one.is_open()) continue;
    sum += one.weight;
    ++open;
  }
  if (!color.is_open()) return 0;
  if (sum > 0) return static_cast<double>(color.weight) / static_cast<double>(sum);
  return fallback ? 1.0 / static_cast<double>(open) : 0;
}

base::Result<Snapshot> parse_snapshot(std::string_view json) {
  try {
    return snapshot_of(Json::parse(json));
  } catch (const std::exception& error) {
    return base::fail(base::ErrorCode::bad_input, base::Side::proxy,
                      std::string("an answer that is no status: ") + error.what());
  }
}

}  // namespace cli
