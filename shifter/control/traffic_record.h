// What the live color's users did in the last day, in memory and in one file of bounded size:
// cumulative counts every five minutes, each since its segment began (a day, or from a rollout or
// a restart on). Main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "shifter/control/traffic_history.h"

namespace control {

struct TrafficEntry {
  int64_t wall_s = 0;  // Unix time
  uint64_t segment = 0;
  int64_t since_s = 0;  // Unix time at which the segment began
  routing::ColorIndex color = routing::kNoColor;
  uint64_t sessions = 0;
  std::array<uint64_t, routing::kFaults> faulty{};
  int64_t requests = 0;
  int64_t errors = 0;

  bool operator==(const TrafficEntry&) const = default;
};

inline constexpr int64_t kRecordEvery_s = 300;
inline constexpr int64_t kRecordedHours = 24;
inline constexpr size_t kEntriesMax = 600;  // of both colors, with some that rollouts add
inline constexpr size_t kRecordBytesMax = 256 << 10;

class TrafficRecord final : public TrafficHistory {
 public:
  void add(const TrafficEntry& entry);
  const std::deque<TrafficEntry>& entries() const { return entries_; }  // oldest first

  // A line an entry; and back: lines that are cut or make no sense are left out.
  std::string text() const;
  void read(std::string_view text);

  // TrafficHistory. Sessions are those of the longest segment: of several, the same users would
  // count twice.
  Traffic last_day(routing::ColorIndex color) const override;
  Traffic last_hour(routing::ColorIndex color) const override;

 private:
  Traffic last(routing::ColorIndex color, int64_t seconds) const;

  std::deque<TrafficEntry> entries_;
};

}  // namespace control
