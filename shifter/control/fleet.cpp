#include "shifter/control/fleet.h"

#include <charconv>

#include "proxy/base/check.h"

namespace control {
namespace {

constexpr size_t kParkedMax = 8;

Answer<int> parse_weight(const std::string& color, const std::string& word) {
  int64_t value = 0;
  const char* end = word.data() + word.size();
  auto [at, error] = std::from_chars(word.data(), end, value);
  if (word.empty() || error == std::errc::invalid_argument || at != end) {
    return deny(AdminCode::usage, color, "\"" + word + "\" is not a whole number");
  }
  if (error == std::errc::result_out_of_range || value < 0 || value > kWeightMax) {
    return deny(AdminCode::usage, color,
                "a weight is 0 to " + std::to_string(kWeightMax) + ", not " + word);
  }
  return static_cast<int>(value);
}

bool takes_users(const FleetColor& color, bool up, bool fallback_allow) {
  return color.state == ColorState::ready && up && (color.weight > 0 || fallback_allow);
}

// Would nobody take users if this color left?
bool is_last(const Fleet& fleet, size_t color, const IsUp& is_up, bool fallback_allow) {
  return takes_users(fleet.colors[color], is_up(color), fallback_allow) &&
         !others_take_users(fleet, color, is_up, fallback_allow);
}

tl::unexpected<AdminError> deny_last(const Fleet& fleet, size_t color) {
  return deny(AdminCode::refused, "last",
              fleet.colors[color].name +
                  " is the last color that takes users; last=yes does it all the same");
}

// Enters `to`; whoever leaves service has its cookies voided. Cookies issued up to now carry at
// most this epoch, and only `ready`, which raises it, lets new ones be issued.
void enter(Fleet& fleet, FleetColor& color, ColorState to) {
  const bool was_out = color.state == ColorState::closing || color.state == ColorState::maint;
  const bool is_out = to == ColorState::closing || to == ColorState::maint;
  if (is_out && !was_out) color.valid_from = fleet.epoch + 1;
  if (to == ColorState::ready || to == ColorState::maint) color.drain.reset();
  color.state = to;
}

void apply(Fleet& fleet, size_t color, ColorEvent event) {
  auto to = next_state(fleet.colors[color].state, event);
  CHECK(to.has_value());
  enter(fleet, fleet.colors[color], *to);
}

}  // namespace

std::optional<size_t> Fleet::color_named(std::string_view name) const {
  for (size_t i = 0; i < colors.size(); ++i) {
    if (colors[i].name == name) return i;
  }
  return std::nullopt;
}

Fleet initial_fleet(const routing::RoutingConfig& config) {
  Fleet fleet;
  fleet.epoch = 1;
  for (const routing::ColorConfig& color : config.colors) {
    fleet.colors.push_back({color.name, ColorState::ready, color.weight, 0, std::nullopt});
  }
  fleet.hold.max = config.hold.max;
  fleet.hold.timeout = config.hold.timeout;
  return fleet;
}

Fleet merge_fleet(const Fleet& saved, const routing::RoutingConfig& config) {
  Fleet known = saved;
  known.colors.insert(known.colors.end(), saved.parked.begin(), saved.parked.end());
  Fleet fleet = saved;
  fleet.colors.clear();
  fleet.parked.clear();
  fleet.redraw.reset();
  int64_t sum = 0;
  for (const FleetColor& initial : initial_fleet(config).colors) {
    auto at = known.color_named(initial.name);
    fleet.colors.push_back(at ? known.colors[*at] : initial);
    sum += fleet.colors.back().weight;
  }
  for (const FleetColor& color : known.colors) {
    if (!fleet.color_named(color.name) && fleet.parked.size() < kParkedMax) {
      fleet.parked.push_back(color);
    }
  }
  if (saved.redraw && saved.redraw->color < saved.colors.size()) {
    if (auto color = fleet.color_named(saved.colors[saved.redraw->color].name)) {
      fleet.redraw = {static_cast<routing::ColorIndex>(*color), saved.redraw->epoch};
    }
  }
  if (sum == 0) {  // the color that had the weight left the config: what is left must serve
    for (size_t i = 0; i < fleet.colors.size(); ++i) {
      fleet.colors[i].weight = config.colors[i].weight;
      sum += config.colors[i].weight;
    }
    if (sum == 0) fleet.colors.front().weight = 1;
  }
  return fleet;
}

bool others_take_users(const Fleet& fleet, size_t color, const IsUp& is_up, bool fallback_allow) {
  for (size_t i = 0; i < fleet.colors.size(); ++i) {
    if (i != color && takes_users(fleet.colors[i], is_up(i), fallback_allow)) return true;
  }
  return false;
}

Answer<Fleet> set_weights(const Fleet& fleet,
                          const std::vector<std::pair<std::string, std::string>>& weights) {
  Fleet next = fleet;
  std::vector<bool> named(fleet.colors.size(), false);
  for (const auto& [name, word] : weights) {
    auto color = fleet.color_named(name);
    if (!color) return deny(AdminCode::usage, name, "no color is named " + name);
    if (named[*color]) return deny(AdminCode::usage, name, name + " is named twice");
    named[*color] = true;
    auto weight = parse_weight(name, word);
    if (!weight) return tl::unexpected(weight.error());
    next.colors[*color].weight = *weight;
  }
  int64_t sum = 0;
  for (size_t i = 0; i < named.size(); ++i) {
    if (!named[i]) {
      return deny(AdminCode::usage, fleet.colors[i].name,
                  "every color needs its weight; " + fleet.colors[i].name + " has none");
    }
    sum += next.colors[i].weight;
  }
  if (sum == 0) {
    return deny(AdminCode::usage, next.colors.front().name, "the weights are all 0");
  }
  ++next.epoch;
  return next;
}

Answer<Fleet> set_ready(const Fleet& fleet, size_t color) {
  Fleet next = fleet;
  ++next.epoch;
  apply(next, color, ColorEvent::ready_asked);
  return next;
}

Answer<Fleet> ask_drain(const Fleet& fleet, size_t color, const DrainAsk& ask, base::Instant now,
                        const IsUp& is_up, bool fallback_allow) {
  const FleetColor& before = fleet.colors[color];
  if (before.state == ColorState::closing || before.state == ColorState::maint) return fleet;
  const bool again = before.state == ColorState::draining;
  if (again && !ask.deadline && !ask.quiet) return fleet;
  if (!ask.last && is_last(fleet, color, is_up, fallback_allow)) return deny_last(fleet, color);

  Fleet next = fleet;
  ++next.epoch;
  DrainFacts facts{now, now + ask.deadline.value_or(ask.deadline_default),
                   ask.quiet.value_or(ask.quiet_default)};
  if (again) {
    facts.since = before.drain->since;
    if (!ask.deadline) facts.deadline = before.drain->deadline;
    if (!ask.quiet) facts.quiet = before.drain->quiet;
  }
  next.colors[color].drain = facts;
  apply(next, color, ColorEvent::drain_asked);
  if (facts.deadline <= now) apply(next, color, ColorEvent::deadline_passed);
  return next;
}

Answer<Fleet> ask_maint(const Fleet& fleet, size_t color, bool last, const IsUp& is_up,
                        bool fallback_allow) {
  if (!last && is_last(fleet, color, is_up, fallback_allow)) return deny_last(fleet, color);
  Fleet next = fleet;
  ++next.epoch;
  apply(next, color, ColorEvent::maint_asked);
  return next;
}

Fleet set_hold(const Fleet& fleet, const FleetHold& hold) {
  Fleet next = fleet;
  ++next.epoch;
  next.hold = hold;
  return next;
}

std::optional<Fleet> apply_event(const Fleet& fleet, size_t color, ColorEvent event) {
  if (!next_state(fleet.colors[color].state, event)) return std::nullopt;
  Fleet next = fleet;
  apply(next, color, event);
  return next;
}

std::string text_of(const Fleet& fleet) {
  std::string text;
  for (const FleetColor& color : fleet.colors) {
    text += color.name + "=" + std::to_string(color.weight) + "(";
    text += routing::text_of(color.state);
    text += ") ";
  }
  text += fleet.hold.on ? "hold=on" : "hold=off";
  return text;
}

}  // namespace control
