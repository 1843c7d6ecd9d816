#include "proxy/relay/request_facts.h"

#include <gtest/gtest.h>

#include "proxy/http/parser.h"
#include "tests/unit/routing/table_for_tests.h"

namespace relay {
namespace {

constexpr uint64_t kNow = 1'800'000'000;

class Facts : public testing::Test {
 protected:
  Facts() {
    table_.cookie_keys = {base::Key{1, 2, 3}};
    table_.cookie_name = "color";
    table_.session_keys.names = {"session_id", "X-Openerp-Session-Id"};
    add_route("rpc", "/jsonrpc").identity = routing::Identity::address;
    add_route("entry", "/web/login").entry = true;
    add_route("database", "/web/database").deny_all = true;
    add_route("web", "/");
    client_.peer = *base::parse_address("127.0.0.1:5");
    client_.trusted = true;
  }
  routing::Route& add_route(std::string name, std::string prefix) {
    routing::Route& route = table_.routes.emplace_back();
    route.index = static_cast<routing::RouteIndex>(table_.routes.size() - 1);
    route.name = std::move(name);
    route.prefixes = {std::move(prefix)};
    return route;
  }
  RequestReading read(const std::string& target, const std::string& fields = "") {
    bytes_ = "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    const http::Parsed parsed = parser_.parse_request(bytes_, 0, head_);
    EXPECT_EQ(parsed.state, http::Parsed::State::complete) << parsed.error.detail;
    return read_request(head_, client_, table_, signer_, kNow, scratch_);
  }
  std::string cookie_of(routing::ColorIndex color, uint64_t nonce) {
    std::string text;
    signer_.write({color, nonce, kNow - 5, 10, routing::kNoColor}, table_, text);
    return "color=" + text;
  }
  std::string route_of(const RequestReading& reading) {
    return reading.match.route == nullptr ? "none" : reading.match.route->name;
  }

  routing::RoutingTable table_ = routing::two_colors(50, 50);
  routing::AffinitySigner signer_{{base::Key{1, 2, 3}}};
  ClientFacts client_;
  http::HeadParser parser_{http::HeadLimits{}};
  std::string bytes_;
  http::RequestHead head_;
  std::string scratch_;
};

// C19
TEST_F(Facts, NameATestersColorOnlyWithAToken) {
  const std::string token = "0123456789abcdef";
  const std::string word = "X-Sidecar-Color: green:" + token + "\r\n";
  table_.force = {"X-Sidecar-Color", {}};
  EXPECT_FALSE(read("/x", word).facts.forced) << "there are no tokens";
  EXPECT_FALSE(read("/x", word).force_rejected);
  table_.force.tokens = {"another token of it", token};
  EXPECT_EQ(read("/x", word).facts.forced, routing::kGreen);
  EXPECT_FALSE(read("/x", word).force_rejected);
  EXPECT_EQ(read("/x", "Cookie: a=b; X-Sidecar-Color=green:" + token + "\r\n").facts.forced,
            routing::kGreen);
  for (const std::string& wrong :
       std::vector<std::string>{"green", "green:", "red:" + token, ":" + token, token,
                                "green:" + token + "0", "green:0123456789abcdeX"}) {
    const RequestReading reading = read("/x", "X-Sidecar-Color: " + wrong + "\r\n");
    EXPECT_FALSE(reading.facts.forced) << wrong;
    EXPECT_TRUE(reading.force_rejected) << wrong;
  }
  EXPECT_FALSE(read("/x").force_rejected);
}

TEST_F(Facts, NameTheRouteByThePathAlone) {
  EXPECT_EQ(route_of(read("/jsonrpc?x=/web/login")), "rpc");
  EXPECT_EQ(route_of(read("/web/%6cogin")), "entry");
  EXPECT_EQ(route_of(read("/x")), "web");
  EXPECT_EQ(read("/web%2fdatabase").match.result, routing::Match::Result::ambiguous);
}

TEST_F(Facts, HoldTheColorOfACookieThatWeSigned) {
  const RequestReading reading = read("/x", "Cookie: a=1; " + cookie_of(1, 77) + "; b=2\r\n");
  ASSERT_TRUE(reading.facts.cookie);
  EXPECT_EQ(reading.facts.cookie->color, 1);
  EXPECT_EQ(reading.user, 77u);
  EXPECT_FALSE(reading.cookie_rejected);
}

TEST_F(Facts, FindTheCookieInASecondCookieField) {
  EXPECT_TRUE(read("/x", "Cookie: a=1\r\nCookie: " + cookie_of(0, 5) + "\r\n").facts.cookie);
}

TEST_F(Facts, RejectACookieThatSomebodyElseWrote) {
  std::string forged = cookie_of(1, 77);
  forged.back() = forged.back() == 'A' ? 'Q' : 'A';
  for (const std::string& cookie : {forged, std::string("color=green"), std::string("color=")}) {
    const RequestReading reading = read("/x", "Cookie: " + cookie + "\r\n");
    EXPECT_FALSE(reading.facts.cookie) << cookie;
    EXPECT_TRUE(reading.cookie_rejected) << cookie;
  }
  EXPECT_FALSE(read("/x", "Cookie: xcolor=1; colors=2\r\n").cookie_rejected);
}

TEST_F(Facts, TakeTheSessionKeyFromCookieHeaderOrQuery) {
  const auto of = [&](const std::string& target, const std::string& fields) {
    return read(target, fields).facts.session;
  };
  const auto as_cookie = of("/x", "Cookie: session_id=abc\r\n");
  ASSERT_TRUE(as_cookie);
  EXPECT_EQ(of("/x", "X-Openerp-Session-Id: abc\r\n"), as_cookie);
  EXPECT_EQ(of("/x?a=1&session_id=abc", ""), as_cookie);
  EXPECT_EQ(of("/x?session_id=other", "Cookie: session_id=abc\r\n"), as_cookie)
      << "the cookie counts more";
  EXPECT_NE(of("/x", "Cookie: session_id=abd\r\n"), as_cookie);
  EXPECT_FALSE(of("/x", "Cookie: session_id=\r\n"));
  EXPECT_FALSE(of("/x", ""));
  EXPECT_FALSE(of("/x", "X_Openerp_Session_Id: abc\r\n")) << "it is not forwarded either";
}

TEST_F(Facts, NameTheUserByItsCookieBeforeItsSession) {
  const RequestReading both = read("/x", "Cookie: session_id=abc; " + cookie_of(0, 42) + "\r\n");
  EXPECT_EQ(both.user, 42u);
  EXPECT_TRUE(both.facts.session);
  const RequestReading session = read("/x", "Cookie: session_id=abc\r\n");
  EXPECT_EQ(session.user, *session.facts.session);
  EXPECT_EQ(read("/x").user, 0u);
}

TEST_F(Facts, HashTheAddressAndTheUserAgentWhereTheRouteAsksForIt) {
  const std::string from = "X-Forwarded-For: 198.51.100.7\r\n";
  const auto one = read("/jsonrpc", from + "User-Agent: a\r\n").facts.address;
  ASSERT_TRUE(one);
  EXPECT_EQ(read("/jsonrpc", from + "User-Agent: a\r\n").facts.address, one);
  EXPECT_NE(read("/jsonrpc", from + "User-Agent: b\r\n").facts.address, one);
  EXPECT_NE(read("/jsonrpc", "X-Forwarded-For: 198.51.100.8\r\nUser-Agent: a\r\n").facts.address,
            one);
  EXPECT_FALSE(read("/x", from).facts.address);
}

TEST_F(Facts, KnowANavigation) {
  EXPECT_TRUE(read("/x", "Sec-Fetch-Mode: navigate\r\n").facts.navigation);
  EXPECT_FALSE(read("/x", "Sec-Fetch-Mode: cors\r\n").facts.navigation);
  EXPECT_FALSE(read("/x").facts.navigation);
  EXPECT_TRUE(read("/web/login").facts.navigation) << "a route with `entry`";
}

TEST_F(Facts, SeeClientAndSchemeThroughATrustedFront) {
  const RequestReading reading =
      read("/x", "X-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n");
  EXPECT_EQ(reading.client.host(), "198.51.100.7");
  EXPECT_TRUE(reading.https);
}

}  // namespace
}  // namespace relay
