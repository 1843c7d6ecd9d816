// Tables as tests want them: blue and green, both ready and up.
#pragma once

#include <string>
#include <vector>

#include "proxy/routing/routing_table.h"

namespace routing {

inline constexpr ColorIndex kBlue = 0;
inline constexpr ColorIndex kGreen = 1;

inline RoutingTable two_colors(int blue_weight, int green_weight) {
  RoutingTable table;
  table.version = 1;
  table.epoch = 10;
  for (const char* name : {"blue", "green"}) {
    ColorEntry color;
    color.name = name;
    color.up = true;
    color.settled = true;
    table.colors.push_back(color);
  }
  table.colors[kBlue].weight = blue_weight;
  table.colors[kGreen].weight = green_weight;
  return table;
}

inline void take_down(RoutingTable& table, ColorIndex color) {
  table.colors[color].up = false;
  table.colors[color].settled = false;
}

}  // namespace routing
