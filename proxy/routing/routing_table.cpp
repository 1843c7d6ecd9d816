#include "proxy/routing/routing_table.h"

namespace routing {

std::string_view text_of(ColorState state) {
  switch (state) {
    case ColorState::ready:
      return "ready";
    case ColorState::draining:
      return "draining";
    case ColorState::closing:
      return "closing";
    case ColorState::maint:
      return "maint";
  }
  return "unknown";
}

std::optional<ColorIndex> RoutingTable::color_named(std::string_view name) const {
  for (size_t i = 0; i < colors.size(); ++i) {
    if (colors[i].name == name) return static_cast<ColorIndex>(i);
  }
  return std::nullopt;
}

}  // namespace routing
