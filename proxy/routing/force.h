// A tester's word for a color: COLOR:TOKEN, in a header or a cookie of one name. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/routing/routing_table.h"

namespace routing {

// The color that the word names. Nothing: another shape, an unknown color, or a token that is not
// one of the table's (compared in constant time).
std::optional<ColorIndex> forced_color(std::string_view word, const RoutingTable& table);

}  // namespace routing
