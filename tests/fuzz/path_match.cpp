// Route matching: the normal copy is normal, and no spelling of a denied path reaches another
// route.
#include "proxy/routing/match.h"
#include "tests/fuzz/targets.h"
#include "tests/unit/routing/table_for_tests.h"

namespace {

routing::RoutingTable denying_table() {
  routing::RoutingTable table = routing::two_colors(100, 0);
  const auto add = [&](const char* name, const char* prefix) -> routing::Route& {
    routing::Route& route = table.routes.emplace_back();
    route.index = static_cast<routing::RouteIndex>(table.routes.size() - 1);
    route.name = name;
    route.prefixes = {prefix};
    return route;
  };
  add("database", "/web/database").deny_all = true;
  add("web", "/");
  return table;
}

bool is_below(std::string_view path, std::string_view prefix) {
  return path.substr(0, prefix.size()) == prefix &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

}  // namespace

int path_match_one(const uint8_t* data, size_t size) {
  static const routing::RoutingTable table = denying_table();
  std::string path = "/";
  for (size_t i = 0; i < size; ++i) {
    if (data[i] <= ' ' || data[i] >= 0x7f || data[i] == '?' || data[i] == '#') return 0;
    path += static_cast<char>(data[i]);
  }
  std::string normal;
  std::string decoded;
  routing::normalise_path(path, false, normal);
  routing::normalise_path(path, true, decoded);
  for (const std::string& copy : {normal, decoded}) {
    if (copy.empty() || copy[0] != '/') fuzz_fault("not a path");
    if (copy.find("//") != std::string::npos) fuzz_fault("slashes are left");
    if ((copy + "/").find("/../") != std::string::npos) fuzz_fault("dots are left");
    if ((copy + "/").find("/./") != std::string::npos) fuzz_fault("a dot is left");
  }
  std::string scratch;
  const routing::Match match = routing::match_route(table, path, scratch);
  const bool denied = is_below(normal, "/web/database") || is_below(decoded, "/web/database");
  const bool refused = match.result == routing::Match::Result::ambiguous ||
                       (match.route != nullptr && match.route->deny_all);
  if (denied && !refused) fuzz_fault("a denied path passes");
  // One of the two may be a slash and the other not, for a reader behind us.
  const bool hides = path.find('%') != std::string::npos;
  if (refused && !denied && !hides) fuzz_fault("an allowed path is refused");
  return 0;
}
