// What two processes of one upgrade tell each other, as JSON (docs/design.md, "Upgrade"): routing
// decisions one way, totals and lists the other. Everything is named, nothing numbered, because
// the two may be different versions with their colors, routes and addresses in another order. What
// the reader does not know is left out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "proxy/routing/data_plane.h"

namespace control {

// States, weights, health and hold of a table.
nlohmann::json write_decisions(const routing::RoutingTable& table);
// `table` with those decisions: its own colors, routes and addresses stay. Throws std::exception
// where the shape is wrong.
void read_decisions(const nlohmann::json& json, routing::RoutingTable& table);

// `table` knows the names.
nlohmann::json write_totals(const routing::Totals& totals, const routing::RoutingTable& table);
routing::Totals read_totals(const nlohmann::json& json, const routing::RoutingTable& table);
// Adds all counts of `more`.
void add_totals(const routing::Totals& more, routing::Totals& to);
// What is left of a process that has ended: its counters, nothing in flight.
void end_gauges(routing::Totals& totals);

nlohmann::json write_entries(const std::vector<routing::InFlightEntry>& entries,
                             const routing::RoutingTable& table);
std::vector<routing::InFlightEntry> read_entries(const nlohmann::json& json,
                                                 const routing::RoutingTable& table);

}  // namespace control
