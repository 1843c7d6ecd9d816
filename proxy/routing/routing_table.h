// Where requests go, as one immutable value. The control plane builds a new one for every change
// and hands it to each worker; a worker holds a plain pointer between callbacks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/mac.h"
#include "proxy/routing/backend_id.h"
#include "proxy/routing/session_counts.h"

namespace base {
class TlsContext;
}

namespace routing {

struct Backend {
  BackendId id = 0;
  base::Address address;
  bool usable = false;  // its own health
  std::shared_ptr<const base::TlsContext> tls{};  // nothing: plain
};

struct ColorEntry {
  std::string name;
  ColorState state = ColorState::ready;
  int weight = 0;
  int weight_share = 100;   // percent of it that counts, while the color starts slowly
  bool up = false;          // the color's health: may it be sent requests
  bool settled = false;     // ready and up for five minutes: those who failed over may come home
  uint64_t valid_from = 0;  // cookies issued in earlier epochs are void
  int slots = 6;            // connections at a time, for each http address
  bool reuse = false;       // keeps idle backend connections
  std::vector<Backend> http;
  std::vector<Backend> websocket;

  bool takes_new() const { return state == ColorState::ready && up; }
  bool serves_holders() const {
    return (state == ColorState::ready || state == ColorState::draining) && up;
  }
  // Holders belong here even while it is down.
  bool keeps_holders() const { return state == ColorState::ready || state == ColorState::draining; }
};

enum class Identity : uint8_t { none, address };

struct Route {
  RouteIndex index = 0;
  std::string name;                   // the metric label
  std::vector<std::string> prefixes;  // normalised, matched at segment boundaries
  Port port = Port::http;
  bool buffer = true;  // whole requests in, answers spooled
  bool asset_fallback = false;
  bool entry = false;  // counts as a page navigation
  Identity identity = Identity::none;
  std::optional<ColorIndex> pin;
  bool deny_all = false;
  std::vector<base::Cidr> allow;         // not empty: only these addresses
  base::Millis answer_timeout{900'000};  // from the last request byte to the answer's head
  bool has_access_rule() const { return deny_all || !allow.empty(); }
};

struct SessionKeys {
  std::vector<std::string> names;  // tried as cookie, header and query parameter, in this order
};

// In a rollout: holders of `color` whose cookie is older than `epoch` are drawn again, on
// navigations, by the hash of their nonce. Those who stay keep their cookie for the next step.
struct Redraw {
  ColorIndex color = kNoColor;
  uint64_t epoch = 0;  // at which the rollout began
};

// Testers who may name their color: see force.h.
struct Force {
  std::string name;                 // of the header and the cookie
  std::vector<std::string> tokens;  // none: nobody can
};

// Safe requests that another color serves are also sent to `color`, which must take new users.
struct MirrorRule {
  ColorIndex color = kNoColor;
  int percent = 100;   // of those that may be
  int in_flight = 20;  // at a time, over all workers
  base::Millis timeout{10'000};
};

struct RoutingTable {
  uint64_t version = 0;  // grows with every published table
  uint64_t epoch = 0;    // grows with every intention of an operator or a rollout
  std::vector<ColorEntry> colors;
  std::vector<Route> routes;
  bool fallback_allow = true;  // weight 0 serves when no color with weight takes new users
  std::string cookie_name = "sidecar_color";
  std::vector<base::Key> cookie_keys;  // the first signs
  std::array<uint8_t, 16> hash_key{};  // for draws by session key and address
  SessionKeys session_keys;
  Force force;
  std::optional<Redraw> redraw;
  std::optional<JudgeStep> judge{};  // what is counted for the judge; nothing: counting is off
  std::optional<MirrorRule> mirror{};
  bool held = false;  // `hold on`: new requests wait
  int hold_max = 200;
  base::Millis hold_timeout{15'000};
  // New client connections; nothing: plain.
  std::shared_ptr<const base::TlsContext> tls;

  std::optional<ColorIndex> color_named(std::string_view name) const;
};

}  // namespace routing
