// Fields that speak about one connection, and fields that say who the client is (cases B21 to B26
// of the proxies, 42 of the routing).
#include <gtest/gtest.h>

#include "tests/wire/site.h"

namespace wire {
namespace {

const std::vector<std::string> kNoFaults;

std::string origin_answer(const std::string& fields) {
  return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + fields + "\r\nok";
}

class Fields : public testing::Test {
 protected:
  Site site_;
};

// B21
TEST_F(Fields, NoClientCanTakeAwayWhatWeSet) {
  const Seen seen = site_.talk(
      "GET / HTTP/1.1\r\nHost: erp.test\r\nCookie: session_id=1\r\n"
      "Connection: close, x-FORWARDED-host, X-Forwarded-For, X-Real-Ip, Forwarded, Host, "
      "Cookie, X-Forwarded-Proto, X-Request-Id, Via\r\n\r\n");
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_EQ(seen.faults, kNoFaults);
  const Message& request = seen.request();
  const std::string client = "127.1.0.2";
  EXPECT_EQ(request.all("X-Forwarded-For"), std::vector{client});
  EXPECT_EQ(request.all("X-Real-IP"), std::vector{client});
  EXPECT_EQ(request.value("X-Forwarded-Host"), "erp.test");
  EXPECT_EQ(request.value("X-Forwarded-Proto"), "http");
  EXPECT_EQ(request.value("Host"), "erp.test");
  EXPECT_TRUE(request.has("X-Request-Id"));
  EXPECT_TRUE(request.has("Via"));
}

// B22
TEST_F(Fields, WhatConnectionNamesDoesNotPassEitherWay) {
  const Seen seen = site_.talk(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-Kept: 2\r\n"
      "Keep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: close\r\n\r\n",
      {{origin_answer("Connection: X-Secret\r\nX-Secret: 1\r\nX-Open: 2\r\n"
                      "Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nTrailer: X-T\r\n")}});
  EXPECT_EQ(seen.faults, kNoFaults);
  EXPECT_FALSE(seen.request().has("X-Hop"));
  EXPECT_EQ(seen.request().value("X-Kept"), "2");
  EXPECT_FALSE(seen.answer().has("X-Secret"));
  EXPECT_EQ(seen.answer().value("X-Open"), "2");
}

// B23
TEST_F(Fields, TheCloseOfAClientIsNotTheBackends) {
  for (const char* line : {"Connection: close\r\n", "Connection: keep-alive\r\n", ""}) {
    const Seen seen = site_.talk(std::string("GET / HTTP/1.1\r\nHost: a\r\n") + line + "\r\n");
    EXPECT_EQ(seen.faults, kNoFaults);
    EXPECT_EQ(seen.request().all("Connection"), std::vector<std::string>{"close"}) << line;
  }
}

// B24
TEST_F(Fields, OfAnInterimAnswerPassOnlyThoseOfTheMessage) {
  const Seen seen = site_.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                               {{"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-N\r\n"
                                 "X-N: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 3\r\n\r\n",
                                 origin_answer("")}});
  EXPECT_EQ(seen.statuses(), "200");
  ASSERT_EQ(seen.answers.interim.size(), 1u);
  const Message& interim = seen.answers.interim[0];
  EXPECT_EQ(interim.status(), 103);
  ASSERT_EQ(interim.fields.size(), 1u);
  EXPECT_EQ(interim.value("Link"), "</a.css>");
}

// B25
TEST_F(Fields, AnUpgradeThatNobodyAskedForIsNotAdvertised) {
  const Seen seen = site_.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                               {{origin_answer("Upgrade: h2c\r\nConnection: Upgrade\r\n")}});
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_EQ(seen.answers.fault, "");
  EXPECT_FALSE(seen.answer().has("Upgrade"));
}

const std::string kKey =
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

TEST_F(Fields, AnUpgradeThatWasAskedForIsNamedInThe101) {
  const Seen seen = site_.talk(
      "GET /websocket HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
      "Upgrade: WebSocket\r\n" +
          kKey + "\r\n",
      {{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"}});
  EXPECT_EQ(seen.statuses(), "101");
  EXPECT_EQ(seen.answers.fault, "");
  EXPECT_EQ(seen.answer().value("Upgrade"), "websocket");
  EXPECT_EQ(seen.answer().value("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(seen.faults, kNoFaults);
  EXPECT_EQ(seen.request().value("Connection"), "Upgrade");
}

// B26
TEST_F(Fields, OnlyALoneWebsocketUpgrades) {
  for (const char* protocol : {"h2c", "foo", "websocket, h2c", "h2c, websocket", "websocket/13"}) {
    const Seen seen = site_.talk(
        std::string("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nUpgrade: ") +
        protocol + "\r\n" + kKey + "\r\n");
    EXPECT_EQ(seen.statuses(), "200") << protocol;
    EXPECT_EQ(seen.faults, kNoFaults) << protocol;
    EXPECT_FALSE(seen.request().has("Upgrade")) << protocol;
  }
}

// Several fields of one name keep their order (RFC 9110 5.3).
TEST_F(Fields, OfOneNameKeepTheirOrder) {
  const Seen seen =
      site_.talk("GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 2\r\nX-A: 3\r\nX-A: 1\r\n\r\n",
                 {{origin_answer("Set-Cookie: a=1\r\nX-A: 1\r\nSet-Cookie: b=2\r\nX-A: 2\r\n"
                                 "Set-Cookie: a=1\r\n")}});
  EXPECT_EQ(seen.request().all("X-A"), (std::vector<std::string>{"1", "3", "1"}));
  EXPECT_EQ(seen.answer().all("X-A"), (std::vector<std::string>{"1", "2"}));
  std::vector<std::string> cookies = seen.answer().all("Set-Cookie");
  ASSERT_GE(cookies.size(), 3u);
  cookies.resize(3);
  EXPECT_EQ(cookies, (std::vector<std::string>{"a=1", "b=2", "a=1"}));
}

// A target passes byte by byte (RFC 9110 7.7).
TEST_F(Fields, TheTargetPassesUntouched) {
  for (const char* target : {"//a/%2e%2e/?x=%zz", "/a//b/../c?d=e&d=e", "/%7Ea?", "/?a=b?c=/../d",
                             "/a;b=c,d'(e)!$&*+=:@~"}) {
    const Seen seen = site_.talk(std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(seen.statuses(), "200") << target;
    EXPECT_EQ(seen.request().start, std::string("GET ") + target + " HTTP/1.1");
  }
}

TEST_F(Fields, ARequestThatComesBackToUsIsALoop) {
  const Seen first = site_.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string via = first.request().value("Via");
  const Seen again = site_.talk("GET / HTTP/1.1\r\nHost: a\r\nVia: 1.0 other, " + via + "\r\n\r\n");
  EXPECT_EQ(again.statuses(), "508");
  EXPECT_TRUE(again.records.empty());
}

// 42: Odoo believes exactly one hop, so the last element is the user's address.
TEST_F(Fields, ATrustedFrontNamesTheUser) {
  const std::string head =
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n"
      "X-Forwarded-Proto: wss\r\nX-Forwarded-Host: erp.example\r\nX-Real-Ip: 198.51.100.7\r\n"
      "X_Forwarded_For: 6.6.6.6\r\n";
  const Seen other = site_.talk(head + "\r\n");
  if (!other.records.empty()) {
    EXPECT_EQ(other.faults, kNoFaults);
    EXPECT_EQ(other.records[0].find("198.51.100.7"), std::string::npos);
    EXPECT_EQ(other.records[0].find("erp.example"), std::string::npos);
    EXPECT_EQ(other.records[0].find("6.6.6.6"), std::string::npos);
  }
  harness::RawClient traefik(site_.port());  // from 127.0.0.1, which the config trusts
  std::string plain = head.substr(0, head.find("X_Forwarded"));
  traefik.send(plain + "\r\n");
  EXPECT_EQ(traefik.read_answer().status, 200);
  traefik.socket().finish();
  EXPECT_EQ(traefik.read_until_close(), "");
  site_.recorder().settle();
  const std::vector<std::string> records =
      site_.recorder().records_of("203.0.113.9, 198.51.100.7", 1);
  Message request;
  EXPECT_EQ(read_forwarded(records.front(), request), "");
  EXPECT_EQ(request.all("X-Forwarded-For"), std::vector<std::string>{"203.0.113.9, 198.51.100.7"});
  EXPECT_EQ(request.value("X-Forwarded-Host"), "erp.example");
  EXPECT_EQ(request.value("X-Forwarded-Proto"), "https");
  EXPECT_EQ(request.value("X-Real-IP"), "198.51.100.7");
}

}  // namespace
}  // namespace wire
