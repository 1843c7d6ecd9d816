// The scaling policy (conf/policy.yml) as a value: its keys with their defaults and limits, and
// its reader. Used by the daemon, which decides by it, and by `shifter`, which checks it.
//
// The keys min_workers to cooldown_down_s and their defaults are those of the first design; the
// rest was added: how long a threshold must hold, what counts as queueing, what a machine carries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/yaml.h"

namespace policy {

// When users wait: p95 above the threshold in every window of `over`.
struct ScaleUp {
  int64_t edge_us = 1'200'000;  // p95_latency_s; an edge of the latency histogram
  int step = 2;
  base::Millis over{300'000};  // for
  int64_t requests = 300;      // min_requests: over the whole time
};

enum class DownRule : uint8_t {
  both,    // p95 below the threshold, and Little's law
  little,  // Little's law and nobody waiting: where even an idle Odoo is above the threshold
};

struct ScaleDown {
  int64_t edge_us = 600'000;
  int step = 1;
  base::Millis over{900'000};
  DownRule rule = DownRule::both;
  int utilisation_permille = 600;  // of the workers that would remain
};

enum class Apply : uint8_t {
  redeploy,  // the cold color starts with the new number and users move there
  live,      // signals to the running Odoo; no user moves
};
std::string_view text_of(DownRule rule);
std::string_view text_of(Apply apply);

// What the machine carries. Figures that nobody told are not checked, and the decision says so.
struct Capacity {
  int workers_per_cpu = 2;  // and one more: Odoo's own rule
  int64_t memory_per_worker = int64_t{325} << 20;
  int64_t memory_reserve = int64_t{512} << 20;  // stays free
  int connections_per_worker = 2;               // to PostgreSQL
  int connections_permille = 800;               // of max_connections
};

struct Retry {
  base::Millis first{60'000};  // then twice as long each time
  base::Millis most{3'600'000};
  int failures = 3;  // in a row: then frozen until `scale auto`
};

struct Policy {
  int min_workers = 2;
  int max_workers = 16;
  ScaleUp up;
  ScaleDown down;
  // From the end of the last change, whatever its direction was, until one up or down.
  base::Millis cooldown_up{600'000};
  base::Millis cooldown_down{1'800'000};

  base::Millis window{60'000};
  int64_t window_requests = 20;  // p95 of fewer is not told
  int waiting_permille = 50;     // share of time or of requests that waited: then it queues
  base::Millis blind_after{60'000};
  Apply apply = Apply::redeploy;
  Capacity capacity;
  Retry retry;
};

// A window is looked at in so many slices, so that "for 5 minutes" is told to a sixth of a minute.
inline constexpr int kSlices = 6;
inline constexpr int kWindowsMax = 60;  // in `for`
inline constexpr int kWorkersMax = 256;

struct Loaded {
  Policy policy;                          // of no use when there are faults
  std::vector<base::ConfigFault> faults;  // in the order of lines
};
Loaded load(const std::string& path);
Loaded parse(const std::string& file, std::string_view text);

// "1.2 s": microseconds as the policy writes them.
std::string seconds_text(int64_t us);
// The edges of the latency histogram that are next to a value which is none.
std::string nearest_edges(int64_t us);

}  // namespace policy
