// What a request's head tells about its user and its way, read once: route, cookie, session key,
// client. Pure but for the keyed reader of cookies.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/http/message.h"
#include "proxy/relay/forward_headers.h"
#include "proxy/routing/affinity.h"
#include "proxy/routing/choose.h"
#include "proxy/routing/match.h"

namespace relay {

struct RequestReading {
  routing::Match match;
  routing::RequestFacts facts;
  base::Address client;          // as forwarded
  bool https = false;            // as the user sees it
  bool cookie_rejected = false;  // a cookie of our name that we did not sign
  bool force_rejected = false;   // a tester's word that names no color, or has no token of ours
  uint64_t user = 0;             // for fairness between users: nonce or session hash, 0 unknown
};

RequestReading read_request(const http::RequestHead& head, const ClientFacts& client,
                            const routing::RoutingTable& table, routing::AffinitySigner& signer,
                            uint64_t now_s, std::string& scratch);

}  // namespace relay
