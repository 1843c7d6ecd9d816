#include "proxy/routing/force.h"

#include "proxy/base/mac.h"

namespace routing {

std::optional<ColorIndex> forced_color(std::string_view word, const RoutingTable& table) {
  const size_t colon = word.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto color = table.color_named(word.substr(0, colon));
  if (!color) return std::nullopt;
  bool known = false;
  for (const std::string& token : table.force.tokens) {
    known |= base::equal_in_constant_time(word.substr(colon + 1), token);
  }
  return known ? color : std::nullopt;
}

}  // namespace routing
