#include "shifter/cli/guard.h"

#include <algorithm>
#include <charconv>

namespace cli {
namespace {

// The color with the most new users now; null if two share them alike.
const ColorView* live_color(const Snapshot& seen) {
  const ColorView* live = nullptr;
  int64_t most = 0;
  for (const ColorView& color : seen.colors) {
    if (!color.is_open() || color.weight < most) continue;
    live = color.weight > most ? &color : nullptr;
    most = color.weight;
  }
  return live;
}

std::optional<Guard> weights_guard(const Arguments& arguments, const Snapshot& seen) {
  const Snapshot next = with_weights(arguments, seen);
  const ColorView* live = live_color(seen);
  const ColorView* after = live == nullptr ? nullptr : next.color(live->name);
  const bool others = std::any_of(next.colors.begin(), next.colors.end(), [](const ColorView& one) {
    return one.weight > 0 && one.is_open();
  });
  if (after != nullptr && after->weight == 0 && others) {
    return Guard{live->name, live->name + " has most of the new users and would get none"};
  }
  const ColorView* most = nullptr;
  for (const ColorView& color : next.colors) {
    if (color.weight <= 0) continue;
    if (color.is_open()) return std::nullopt;
    if (most == nullptr || color.weight > most->weight) most = &color;
  }
  if (most == nullptr) return std::nullopt;  // all 0: the daemon refuses it
  return Guard{most->name, "every new user would be given " + most->name + ", which is " +
                               (most->state == "ready" ? most->health : most->state)};
}

Reached color_reached(const Arguments& arguments, const Snapshot& seen, std::string_view state) {
  const ColorView* color = meant_color(arguments, seen);
  if (color == nullptr) return Reached::never;
  if (state == "maint") {
    if (color->state == "maint") return Reached::yes;
    return color->state == "ready" ? Reached::never : Reached::not_yet;
  }
  if (color->state != "ready") return Reached::never;
  return color->is_up() ? Reached::yes : Reached::not_yet;
}

Reached weights_reached(const Arguments& arguments, const Snapshot& seen) {
  Reached all = Reached::yes;
  for (const ColorView& color : seen.colors) {
    const auto asked = weight_number(arguments.key(color.name).value_or(""));
    if (!asked || *asked != color.weight) return Reached::never;
    if (color.weight > 0 && !color.is_open()) all = Reached::not_yet;
  }
  return all;
}

}  // namespace

std::optional<int64_t> weight_number(const std::string& text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end) return std::nullopt;
  return value;
}

const ColorView* meant_color(const Arguments& arguments, const Snapshot& seen) {
  return arguments.words.empty() ? nullptr : seen.color(arguments.words.front());
}

Snapshot with_weights(const Arguments& arguments, const Snapshot& seen) {
  Snapshot next = seen;
  for (ColorView& color : next.colors) {
    if (auto text = arguments.key(color.name))
      color.weight = weight_number(*text).value_or(color.weight);
  }
  return next;
}

std::optional<Guard> guard_of(const Arguments& arguments, const Snapshot& seen) {
  const std::string_view verb = arguments.verb->name;
  if (verb == "weights") return weights_guard(arguments, seen);
  if (verb == "switch" && arguments.key("bake") == "no" && !arguments.words.empty()) {
    return Guard{arguments.words.front(),
                 "the old color would be drained at once: no bake, and soon no way back"};
  }
  if (verb != "drain" && verb != "maint") return std::nullopt;
  const ColorView* color = meant_color(arguments, seen);
  if (color == nullptr || color->state == "maint") return std::nullopt;
  if (verb == "drain" && arguments.key("force") == "yes") {
    return Guard{color->name, "what still runs on " + color->name + " would be cut"};
  }
  const bool serves = color->state == "ready" || (verb == "maint" && color->state == "draining");
  if (!serves || color->weight == 0) return std::nullopt;
  return Guard{color->name,
               color->name + " holds weight " + std::to_string(color->weight) + " and users"};
}

Reached reached(const Arguments& arguments, const Snapshot& seen) {
  switch (arguments.verb->waits) {
    case WaitsFor::healthy:
      return seen.degraded.empty() ? Reached::yes : Reached::not_yet;
    case WaitsFor::rollout:
      return seen.rollout.is_idle() ? Reached::yes : Reached::not_yet;
    case WaitsFor::maint:
      return color_reached(arguments, seen, "maint");
    case WaitsFor::up:
      return arguments.verb->name == "weights" ? weights_reached(arguments, seen)
                                               : color_reached(arguments, seen, "ready");
    default:
      return Reached::yes;
  }
}

}  // namespace cli
