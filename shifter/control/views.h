// What the admin socket shows, as JSON. Reads only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/routing/data_plane.h"
#include "shifter/control/control_loop.h"

namespace control {

// What is known beside the control loop.
struct ProcessView {
  std::vector<std::string> listening;
  std::string metrics;  // the bound address
  std::string config_hash;
  std::string version;
  int64_t uptime_s = 0;
  bool lame_duck = false;
  std::string rollout = "null";  // JSON
  std::string lock = "null";
  std::string scaler = "null";
  std::vector<std::string> degraded;  // reasons beside the control loop's
};

// {"ok":true,"epoch":N, then `rest`}. `rest` is LogLine's object, may be empty.
std::string ok_json(const ControlLoop& control, base::LogLine rest = {});

std::string status_json(const ControlLoop& control, const routing::Totals& totals,
                        const ProcessView& process);
std::string routes_json(const ControlLoop& control, const routing::Totals& totals);
std::string connections_json(const ControlLoop& control, const routing::Totals& totals);
std::string config_json(const ControlLoop& control,
                        const std::vector<std::pair<std::string, std::string>>& lines);
std::string help_json(const ControlLoop& control);

// An array of exchanges: color, kind, route, age, peer, id.
std::string entries_json(const ControlLoop& control,
                         const std::vector<routing::InFlightEntry>& entries);
// {"queued":0,"http":2,…} of a color, or of no color.
std::string in_flight_json(const routing::Totals& totals, size_t color, size_t colors);

// ["a","b"]
std::string array_json(const std::vector<std::string>& words);
std::string join_json(const std::vector<std::string>& objects);  // [{…},{…}]

}  // namespace control
