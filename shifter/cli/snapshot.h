// What `status` said, as values: what guards, plans, waits and the live view look at.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"
#include "shifter/cli/rollout_view.h"

namespace cli {

// The shape of `status` that this program knows. A newer daemon may be looked at, not changed.
inline constexpr int64_t kSchema = 1;

struct TotalsView {
  int64_t requests = 0;
  int64_t errors = 0;            // answers with 5xx
  std::vector<int64_t> latency;  // requests by bucket, one more than there are edges
};

struct DrainView {
  int64_t since_s = 0;
  int64_t deadline_in_s = 0;
  std::string quiet;
};

struct ColorView {
  std::string name;
  std::string state;
  int64_t weight = 0;
  std::string health;
  int64_t queued = 0, http = 0, longpoll = 0, websocket = 0;
  TotalsView totals;
  std::optional<DrainView> drain;

  bool is_up() const { return health.rfind("up", 0) == 0; }
  bool is_open() const { return state == "ready" && is_up(); }
};

struct Snapshot {
  int64_t schema = 0;
  int64_t epoch = 0;
  std::string version;
  int64_t uptime_s = 0;
  std::vector<std::string> listen;
  std::vector<ColorView> colors;
  TotalsView no_color;
  int64_t receiving = 0, held = 0, delivering = 0;
  bool hold_on = false;
  int64_t hold_max = 0;
  std::string hold_timeout;
  bool fallback = true;
  RolloutView rollout;
  std::vector<std::string> degraded;
  std::string scaler = "unknown";  // its mode and last decision
  std::vector<int64_t> edges_us;

  const ColorView* color(std::string_view name) const;
  std::string color_names() const;  // "blue, green"
  // The share of new users that a color is given now, by weight among those that are open.
  double share_of(const ColorView& color) const;
};

// An error: not the answer of a `status`.
base::Result<Snapshot> parse_snapshot(std::string_view json);

}  // namespace cli
