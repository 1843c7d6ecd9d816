// Which changes ask first, and when what was asked for is so. Pure: arguments and a look at the
// fleet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shifter/cli/arguments.h"
#include "shifter/cli/snapshot.h"

namespace cli {

// A change that can throw users out or send them nowhere.
struct Guard {
  std::string color;  // to be typed, or given with --confirm
  std::string why;
};
std::optional<Guard> guard_of(const Arguments& arguments, const Snapshot& seen);

// The color that the first word names, or null.
const ColorView* meant_color(const Arguments& arguments, const Snapshot& seen);
// The fleet as it would be with the weights that are asked for.
Snapshot with_weights(const Arguments& arguments, const Snapshot& seen);
std::optional<int64_t> weight_number(const std::string& text);

// What --wait waits for.
enum class Reached : unsigned char { yes, not_yet, never };  // never: somebody else acted
Reached reached(const Arguments& arguments, const Snapshot& seen);

}  // namespace cli
