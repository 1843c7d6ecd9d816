// Sums of what the workers count, as the control plane and the metrics read them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/base/counter.h"
#include "proxy/base/error.h"
#include "proxy/routing/backend_id.h"

namespace routing {

// What is in flight. The first five belong to a color, the rest to none.
enum class Kind : uint8_t {
  queued,    // waits for a slot
  http,      // from the slot to the backend's last byte
  longpoll,  // a streaming route that is not a websocket
  websocket,
  mirror,
  receiving,   // the request is not whole yet
  held,        // waits for a color
  delivering,  // the backend is done, the client still reads
};
inline constexpr int kKinds = 8;
inline constexpr int kColorKinds = 5;
std::string_view text_of(Kind kind);

// Status codes that have a series of their own; the rest is "other".
inline constexpr std::array<int, 28> kCodes = {101, 200, 201, 204, 206, 301, 302, 303, 304, 307,
                                               308, 400, 401, 403, 404, 405, 408, 409, 413, 414,
                                               431, 499, 500, 501, 502, 503, 504, 508};
inline constexpr int kCodeSlots = static_cast<int>(kCodes.size()) + 1;
int code_slot(int status);
std::string_view code_label(int slot);  // "200", "other"

// Events counted by name only.
enum class Tally : uint8_t {
  connections_accepted,
  cookies_issued,
  cookies_rejected,        // a cookie of ours with a wrong MAC or shape
  cookies_void,            // right, but its color no longer keeps it
  affinity_moved_down,     // a holder moved because its color was down
  affinity_moved_redrawn,  // a holder whose color left service was drawn again
  fallbacks,
  retries,
  retries_refused,  // by the budget
  queue_full,
  queue_timeouts,
  queue_cancelled,  // the client left while waiting
  holds,
  hold_full,
  hold_timeouts,
  spooled_bytes,  // that did not go straight on
  spool_full,
  connects,
  connects_reused,
  connect_failures,
  certificates_refused,  // of backends
  underscored_fields_dropped,
  forced,
  asset_fallbacks,  // found on the other color
  forces_rejected,  // a tester's word without a token of ours
  own_answers,      // answered without a backend
  mirrors,          // copies sent to another color
  mirrors_dropped,  // not sent: as many as may be were under way, or no slot was free
  mirrors_failed,   // without a whole answer in time
};
inline constexpr int kTallies = static_cast<int>(Tally::mirrors_failed) + 1;
std::string_view text_of(Tally tally);

struct HistogramTotals {
  std::array<int64_t, base::Histogram::kBuckets> counts{};
  int64_t sum_us = 0;
  void add(const base::Histogram& one);
  int64_t count() const;
};

struct RouteTotals {
  std::array<int64_t, kCodeSlots> requests{};
  HistogramTotals latency;  // last request byte → last backend byte, queue included
};

struct ColorTotals {
  std::array<int64_t, kKinds> in_flight{};
  HistogramTotals queue;  // time waited for a slot
  HistogramTotals connect;
  HistogramTotals websocket_lifetime;
  std::vector<RouteTotals> routes;  // by RouteIndex
};

struct BackendTotals {
  int64_t in_flight = 0;  // connections with a request on them
  int64_t finished = 0;   // answers that came whole
  int64_t failed = 0;     // connects refused, resets, time-outs
  int64_t idle = 0;       // kept connections
};

struct Totals {
  std::vector<ColorTotals> colors;      // by ColorIndex, then one more: no color
  std::vector<BackendTotals> backends;  // by BackendId
  std::array<int64_t, kTallies> tallies{};
  std::array<int64_t, static_cast<size_t>(base::ErrorCode::internal) + 1> errors{};
  HistogramTotals receiving;   // first to last request byte
  HistogramTotals delivering;  // last backend byte to last client byte
  HistogramTotals held;
  int64_t client_connections = 0;
  int overload_step = 0;  // 0 none, 1 spools to disk, 2 accepts nobody
  int64_t spool_memory_bytes = 0;
  int64_t spool_disk_bytes = 0;
};

}  // namespace routing
