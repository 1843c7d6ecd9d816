#include "proxy/routing/match.h"

#include <gtest/gtest.h>

#include "tests/unit/routing/table_for_tests.h"

namespace routing {
namespace {

RoutingTable contract_routes() {
  RoutingTable table = two_colors(50, 50);
  const auto add = [&](std::string name, std::vector<std::string> prefixes) -> Route& {
    Route route;
    route.index = static_cast<RouteIndex>(table.routes.size());
    route.name = std::move(name);
    route.prefixes = std::move(prefixes);
    table.routes.push_back(std::move(route));
    return table.routes.back();
  };
  add("websocket", {"/websocket"});
  add("assets", {"/web/assets"});
  add("rpc", {"/jsonrpc", "/xmlrpc"});
  add("database", {"/web/database"}).deny_all = true;
  add("internal", {"/metrics"}).allow = {*base::parse_cidr("10.0.0.0/8")};
  add("web", {"/"});
  return table;
}

// The route's name, "ambiguous" or "none".
std::string matched(std::string_view path, const RoutingTable& table = contract_routes()) {
  std::string scratch;
  const Match match = match_route(table, path, scratch);
  if (match.result == Match::Result::ambiguous) return "ambiguous";
  return match.route == nullptr ? "none" : match.route->name;
}

std::string normalised(std::string_view path, bool encoded_slash_is_slash = false) {
  std::string out = "left over";
  normalise_path(path, encoded_slash_is_slash, out);
  return out;
}

TEST(NormalisePath, ResolvesMergesAndDecodesOnce) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/", "/"},
      {"//", "/"},
      {"/a", "/a"},
      {"/a/", "/a/"},
      {"/a//b///c", "/a/b/c"},
      {"/a/./b", "/a/b"},
      {"/a/.", "/a/"},
      {"/a/..", "/"},
      {"/a/b/..", "/a/"},
      {"/a/b/../c", "/a/c"},
      {"/..", "/"},
      {"/../../a", "/a"},
      {"/a//../b", "/b"},
      {"/.a/..b/c.", "/.a/..b/c."},
      {"/.../a", "/.../a"},
      {"/%61", "/a"},
      {"/%2e%2e/a", "/a"},
      {"/a/%2E/b", "/a/b"},
      {"/a/.%2e/b", "/b"},
      {"/a/b/%2e%2e", "/a/"},
      {"/%2561", "/%61"},
      {"/%252e%252e/a", "/%2e%2e/a"},
      {"/a%3fb%23c", "/a?b#c"},
      {"/a%2fb", "/a%2fb"},
      {"/a%5Cb", "/a%5Cb"},
      {"/a%2f../b", "/a%2f../b"},
      {"/%", "/%"},
      {"/%4", "/%4"},
      {"/%zz/%g1/%1g", "/%zz/%g1/%1g"},
      {"/%%61", "/%a"},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(normalised(path), expected) << path;
  EXPECT_EQ(normalised("/a%00b"), std::string("/a\0b", 4));
}

TEST(NormalisePath, DecodesSlashesToSlashesWhenAsked) {
  EXPECT_EQ(normalised("/a%2fb", true), "/a/b");
  EXPECT_EQ(normalised("/a%5Cb", true), "/a/b");
  EXPECT_EQ(normalised("/a%2F..%2fb", true), "/b");
  EXPECT_EQ(normalised("/a/%2f/b", true), "/a/b");
  EXPECT_EQ(normalised("/a%252fb", true), "/a%2fb");
}

TEST(MatchRoute, TakesTheFirstRouteAtASegmentBoundary) {
  EXPECT_EQ(matched("/"), "web");
  EXPECT_EQ(matched("/websocket"), "websocket");
  EXPECT_EQ(matched("/websocket/"), "websocket");
  EXPECT_EQ(matched("/websocket/health"), "websocket");
  EXPECT_EQ(matched("/websockets"), "web");
  EXPECT_EQ(matched("/web/assets/1234567/web.assets_web.min.js"), "assets");
  EXPECT_EQ(matched("/jsonrpc"), "rpc");
  EXPECT_EQ(matched("/xmlrpc/2/object"), "rpc");
  EXPECT_EQ(matched("/Web/Database"), "web");
}

TEST(MatchRoute, FindsADeniedPathInEverySpellingTheBackendAccepts) {
  for (const char* path : {
           "/web/database",
           "/web/database/",
           "/web/database/manager",
           "/web/%64atabase",
           "/web/%64%61tabase/manager",
           "/%77eb/database",
           "/web//database",
           "//web/database",
           "/x/../web/database",
           "/x/%2e%2e/web/database",
           "/x/.%2E/web/database",
           "/web/./database",
           "/web/%2e/database",
           "/web/database/.",
           "/web/database/x/..",
           "/../web/database",
           "/a%2fb/../web/database",
       }) {
    const std::string found = matched(path);
    EXPECT_TRUE(found == "database" || found == "ambiguous") << path << " " << found;
    if (std::string_view(path).find("%2f") == std::string_view::npos) {
      EXPECT_EQ(found, "database") << path;
    }
  }
}

TEST(MatchRoute, LeavesNeighboursOfADeniedPathAlone) {
  for (const char* path : {
           "/web/databasefoo",
           "/web/database.",
           "/web/database..",
           "/web/%2564atabase",
           "/web/database/..",
           "/web/database/../login",
           "/web/%2e%2e/database",
           "/web/database%00",
           "/web/database%20",
       }) {
    EXPECT_EQ(matched(path), "web") << path;
  }
}

TEST(MatchRoute, RefusesAnEncodedSlashThatHidesAnAccessRule) {
  for (const char* path : {
           "/web%2fdatabase",
           "/web%2Fdatabase/manager",
           "/web%5cdatabase",
           "/web%5Cdatabase",
           "/web/database%2fmanager",
           "/web%2f%2fdatabase",
           "/x%2f..%2fweb%2fdatabase",
           "/a%2f../web/database",
           "/%2e%2e%2fweb/database",
           "/metrics%2fall",
           "/a%5cb%2f../web/database",  // a backend may decode one and not the other
           "/a%2fb%5c../web/database",
       }) {
    EXPECT_EQ(matched(path), "ambiguous") << path;
  }
}

TEST(MatchRoute, AllowsAnEncodedSlashWhereItHidesNothing) {
  EXPECT_EQ(matched("/web/content%2f1"), "web");
  EXPECT_EQ(matched("/web/image/a%5cb"), "web");
  EXPECT_EQ(matched("/web%252fdatabase"), "web");
  EXPECT_EQ(matched("/web/assets/a%2fb"), "assets");
  EXPECT_EQ(matched("/web/database%2f../login"), "web");
}

TEST(MatchRoute, FindsNoRouteWhereNoneCoversThePath) {
  RoutingTable table = contract_routes();
  table.routes.pop_back();
  EXPECT_EQ(matched("/elsewhere", table), "none");
  EXPECT_EQ(matched("/%65lsewhere", table), "none");
  table.routes.clear();
  EXPECT_EQ(matched("/", table), "none");
}

TEST(MatchRoute, TreatsTheAsteriskAsTheRootAndRefusesPathsWithoutASlash) {
  EXPECT_EQ(matched("*"), "web");
  EXPECT_EQ(matched(""), "none");
  EXPECT_EQ(matched("web/database"), "none");
}

TEST(MatchRoute, LeavesItsScratchAloneWhenThePathIsNormal) {
  const RoutingTable table = contract_routes();
  std::string scratch = "untouched";
  match_route(table, "/web/login", scratch);
  EXPECT_EQ(scratch, "untouched");
}

TEST(IsAllowed, KnowsDenyAndAllowRules) {
  const auto client = *base::parse_address("10.1.2.3:5000");
  const auto stranger = *base::parse_address("192.0.2.1:5000");
  Route route;
  EXPECT_TRUE(is_allowed(route, stranger));
  route.allow = {*base::parse_cidr("10.0.0.0/8"), *base::parse_cidr("::1/128")};
  EXPECT_TRUE(is_allowed(route, client));
  EXPECT_TRUE(is_allowed(route, *base::parse_address("[::1]:1")));
  EXPECT_FALSE(is_allowed(route, stranger));
  route.deny_all = true;
  EXPECT_FALSE(is_allowed(route, client));
}

}  // namespace
}  // namespace routing
