// Small numbers for what the hot path counts by: colors, backends, routes. Given once while the
// process lives; never reused for something else.
#pragma once

#include <cstdint>
#include <string_view>

namespace routing {

using ColorIndex = uint8_t;  // 0 or 1, in the order of the config
inline constexpr ColorIndex kColorsMax = 2;
inline constexpr ColorIndex kNoColor = 0xff;

using RouteIndex = uint8_t;  // position in the config
inline constexpr int kRoutesMax = 32;

// One address of one port of one color. An address that goes and comes back keeps its id.
using BackendId = uint8_t;
inline constexpr int kBackendsMax = 128;

enum class Port : uint8_t { http, websocket };

enum class ColorState : uint8_t {
  ready,     // takes new users, by its weight
  draining,  // serves its holders only
  closing,   // nobody is sent there; running work goes on
  maint,     // empty, out of service
};
std::string_view text_of(ColorState state);

}  // namespace routing
