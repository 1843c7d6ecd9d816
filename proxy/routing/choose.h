// What a request tells about its user + the table → the color and why. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/routing/affinity.h"
#include "proxy/routing/routing_table.h"

namespace routing {

struct RequestFacts {
  const Route* route = nullptr;
  std::optional<Affinity> cookie;    // one whose MAC is right
  std::optional<uint64_t> session;   // keyed hash of the session key that the client sent
  std::optional<uint64_t> address;   // keyed hash of client address and user agent
  std::optional<ColorIndex> forced;  // a tester with the token
  bool navigation = false;           // Sec-Fetch-Mode: navigate, or a route with `entry`
};

enum class Reason : uint8_t {
  forced,
  pinned,
  cookie,
  home,  // back after a failover
  failover,
  session,
  address,
  sequence,
  redraw,  // a rollout drew a holder again: onto the same color (no new cookie) or the other
};
std::string_view text_of(Reason reason);

struct Choice {
  ColorIndex color = kNoColor;  // kNoColor: nobody can serve this now (hold, then 503)
  Reason reason = Reason::sequence;
  bool fallback = false;       // served by weight 0 because no weighted color takes new users
  bool void_cookie = false;    // a cookie came, but its color no longer keeps it
  bool set_cookie = false;     // the answer carries a cookie (where answers may carry one); the
                               // nonce of a cookie that came is kept
  ColorIndex home = kNoColor;  // with failover: what the new cookie remembers
};

// `draw`: the worker's next sequence value; used only when nothing identifies the user.
// Order: forced > pin > cookie > session > address (routes that ask for it) > sequence.
Choice choose(const RequestFacts& facts, const RoutingTable& table, uint32_t draw);

}  // namespace routing
