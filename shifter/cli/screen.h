// The live view as lines. Pure: two looks, the last events, and a size.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shifter/cli/snapshot.h"

namespace cli {

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

enum class Tone : unsigned char { plain, strong, good, warning, bad };
struct ScreenLine {
  std::string text;  // never wider than the screen
  Tone tone = Tone::plain;
  bool operator==(const ScreenLine&) const = default;
};

struct Moment {
  Snapshot now;
  std::optional<Snapshot> before;  // some seconds ago: what rates are told from
  double seconds_between = 0;
  std::string clock;                // "12:00:03"
  std::vector<std::string> events;  // as event_line makes them, oldest first
};

// At most size.rows lines of at most size.columns columns.
std::vector<ScreenLine> screen_of(const Moment& moment, ScreenSize size);

// The latency below which `share` of the requests between two counts stayed, between the edges of
// its bucket as if evenly spread; nothing without requests. Above the last edge: the last edge.
std::optional<int64_t> latency_between(const TotalsView& before, const TotalsView& now,
                                       const std::vector<int64_t>& edges_us, double share);

}  // namespace cli
