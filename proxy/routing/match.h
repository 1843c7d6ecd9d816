// Path → route, on a normalised copy: percent-decoded once, slashes merged, dots resolved, at
// segment boundaries. The forwarded bytes are untouched.
#pragma once

#include <string>
#include <string_view>

#include "proxy/routing/routing_table.h"

namespace routing {

// The copy. encoded_slash_is_slash: "%2f" and "%5c" become "/" (else they stay as they are).
// Needs: `path` starts with "/" and holds only characters of a valid request target; broken
// percent-encodings stay as they are. Appends nothing, replaces `out`.
void normalise_path(std::string_view path, bool encoded_slash_is_slash, std::string& out);

struct Match {
  enum class Result : uint8_t {
    route,      // `route` is set
    ambiguous,  // 400: an encoded slash hides a path under an access rule
  };
  Result result = Result::route;
  const Route* route = nullptr;  // nullptr with Result::route: no route matches (404)
};

// `scratch` is reused between calls; untouched when the path is already normal.
Match match_route(const RoutingTable& table, std::string_view path, std::string& scratch);

// May this client use the route? (Route::deny_all, Route::allow)
bool is_allowed(const Route& route, const base::Address& client);

}  // namespace routing
