// What the operator wants: weights, states, drains, hold. A value; every change is a function from
// one fleet to the next, and nothing else changes it. Health and addresses are separate facts.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/routing/config.h"
#include "shifter/control/admin_error.h"
#include "shifter/control/color_state.h"

namespace control {

inline constexpr int kWeightMax = 1'000'000;

// A drain under way: while `draining`, and kept through `closing` for the websockets' deadline.
struct DrainFacts {
  base::Instant since;
  base::Instant deadline;
  base::Millis quiet{300'000};
};

struct FleetColor {
  std::string name;
  ColorState state = ColorState::ready;
  int weight = 0;
  uint64_t valid_from = 0;  // cookies of earlier epochs are void
  std::optional<DrainFacts> drain;
};

struct FleetHold {
  bool on = false;
  int max = 200;
  base::Millis timeout{15'000};
};

struct Fleet {
  uint64_t epoch = 0;  // one more for every accepted intention
  std::vector<FleetColor> colors;
  std::vector<FleetColor> parked;  // saved colors that the config does not name now; at most 8
  FleetHold hold;
  std::optional<routing::Redraw> redraw;  // in a rollout: holders that are drawn again

  std::optional<size_t> color_named(std::string_view name) const;
};

// The fleet of a first start.
Fleet initial_fleet(const routing::RoutingConfig& config);

// The saved fleet under a new config: saved weights and states win, the config's colors and their
// order win. A color that left the config is parked, so that it comes back as it went.
Fleet merge_fleet(const Fleet& saved, const routing::RoutingConfig& config);

// Which colors would be sent users now, beside the fleet: health.
using IsUp = std::function<bool(size_t color)>;

// Would the users of this color be served by others?
bool others_take_users(const Fleet& fleet, size_t color, const IsUp& is_up, bool fallback_allow);

// Weights as words: {"blue","9"}. Every color must be named; not all may be 0.
Answer<Fleet> set_weights(const Fleet& fleet,
                          const std::vector<std::pair<std::string, std::string>>& weights);
Answer<Fleet> set_ready(const Fleet& fleet, size_t color);

struct DrainAsk {
  std::optional<base::Millis> deadline;  // given, or the default; 0: holders leave at once
  std::optional<base::Millis> quiet;
  base::Millis deadline_default{1'200'000};
  base::Millis quiet_default{300'000};
  bool last = false;  // also the last color that takes users
};
// Asked again without a new deadline, a running drain goes on as it is.
Answer<Fleet> ask_drain(const Fleet& fleet, size_t color, const DrainAsk& ask, base::Instant now,
                        const IsUp& is_up, bool fallback_allow);
Answer<Fleet> ask_maint(const Fleet& fleet, size_t color, bool last, const IsUp& is_up,
                        bool fallback_allow);
Fleet set_hold(const Fleet& fleet, const FleetHold& hold);

// An event that no operator asked for (quiet, deadline, emptied): the epoch stays.
// Nothing: the table of states does not know this move.
std::optional<Fleet> apply_event(const Fleet& fleet, size_t color, ColorEvent event);

// "blue=9(ready) green=1(draining) hold=off": for the audit log.
std::string text_of(const Fleet& fleet);

}  // namespace control
