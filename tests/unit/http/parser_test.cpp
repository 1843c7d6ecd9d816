// What a head is read as. The raw cases (raw_cases_test.cpp) say what is refused.
#include "proxy/http/parser.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using base::ErrorCode;
using State = Parsed::State;

class Requests : public testing::Test {
 protected:
  // "" when the head was read, else the label of the error.
  std::string read(std::string bytes) {
    bytes_ = std::move(bytes);
    const Parsed parsed = parser_.parse_request(bytes_, 0, head_);
    if (parsed.state == State::incomplete) return "incomplete";
    if (parsed.state == State::complete) {
      EXPECT_EQ(parsed.head_bytes, bytes_.size());
      return "";
    }
    EXPECT_EQ(parsed.error.side, base::Side::client);
    return std::string(base::facts_of(parsed.error.code).label);
  }
  // A GET with these lines, each ended by CRLF.
  std::string read_with(const std::string& lines) {
    return read("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
  }
  std::string read_target(const std::string& target, const std::string& method = "GET") {
    return read(method + " " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  std::vector<std::string> marked(bool Field::*mark) const {
    std::vector<std::string> names;
    for (const Field& field : head_.fields) {
      if (field.*mark) names.emplace_back(field.name);
    }
    return names;
  }

  HeadParser parser_{HeadLimits{}};
  std::string bytes_;
  RequestHead head_;
};

using Names = std::vector<std::string>;

TEST_F(Requests, KeepOrderSpellingAndRepetition) {
  ASSERT_EQ(read_with("X-a: 1\r\nCOOKIE: b\r\nX-A: 2\r\n"), "");
  ASSERT_EQ(head_.fields.size(), 4u);
  EXPECT_EQ(head_.fields[1].name, "X-a");
  EXPECT_EQ(head_.fields[1].value, "1");
  EXPECT_EQ(head_.fields[2].name, "COOKIE");
  EXPECT_EQ(head_.fields[2].id, FieldId::cookie);
  EXPECT_EQ(head_.fields[3].value, "2");
  EXPECT_EQ(head_.find(FieldId::cookie), &head_.fields[2]);
  EXPECT_EQ(head_.find(FieldId::origin), nullptr);
}

TEST_F(Requests, CutTheTargetIntoPathAndQuery) {
  ASSERT_EQ(read_target("/web?a=1?b"), "");
  EXPECT_EQ(head_.target, "/web?a=1?b");
  EXPECT_EQ(head_.path, "/web");
  EXPECT_EQ(head_.query, "a=1?b");
  ASSERT_EQ(read_target("//a/%2e%2e/[1]?"), "");
  EXPECT_EQ(head_.path, "//a/%2e%2e/[1]");
  EXPECT_EQ(head_.query, "");
}

TEST_F(Requests, RewriteAbsoluteTargets) {
  ASSERT_EQ(read_target("HTTP://b:81/x?y"), "");
  EXPECT_EQ(head_.target, "/x?y");
  EXPECT_EQ(head_.host, "b:81");
  ASSERT_EQ(read_target("https://b"), "");
  EXPECT_EQ(head_.target, "/");
  EXPECT_EQ(head_.path, "/");
  ASSERT_EQ(read_target("http://[::1]", "OPTIONS"), "");
  EXPECT_EQ(head_.target, "*");
  EXPECT_EQ(head_.host, "[::1]");
  ASSERT_EQ(read_target("http://b/", "OPTIONS"), "");
  EXPECT_EQ(head_.target, "/");
}

TEST_F(Requests, RefuseTargetsInNoForm) {
  for (const char* target : {"a", "http:/x", "http:///x", "http://b?x", "ftp://b/", "http://b:/",
                             "http://u@b/", "http://b/#f", "http://b:65536/", "/a#", "*", "/{",
                             "/a\\b", "http://[::g]/", "http://[::1/"}) {
    EXPECT_EQ(read_target(target), "bad_message") << target;
  }
}

TEST_F(Requests, RefuseHostsThatAreNone) {
  for (const char* host : {"", "a b", "a,b", "a/b", "a:99999", "a:", ":80", "a:8x", "[::1", "[]",
                           "[1.2.3.4]", "[::1]x", "[fe80::1%25eth0]", "a@b", "a%20b"}) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "bad_message")
        << host;
  }
  for (const char* host : {"a", "A.b-c_d", "1.2.3.4:65535", "[::1]", "[::ffff:1.2.3.4]:1"}) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), "") << host;
    EXPECT_EQ(head_.host, host);
  }
}

TEST_F(Requests, MarkWhatSpeaksAboutThisConnection) {
  ASSERT_EQ(read_with("Connection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: 5\r\n"
                      "Proxy-Connection: x\r\nTE: trailers\r\nTrailer: x\r\nUpgrade: h2c\r\n"
                      "HTTP2-Settings: x\r\nProxy: x\r\nProxy-Authorization: x\r\nX-Bar: 1\r\n"),
            "");
  EXPECT_EQ(marked(&Field::hop_by_hop),
            (Names{"Connection", "X-Foo", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
                   "Upgrade", "HTTP2-Settings", "Proxy", "Proxy-Authorization"}));
}

TEST_F(Requests, KeepWhatConnectionCannotNameAway) {
  ASSERT_EQ(read_with("connection: HOST, x-FORWARDED-host, X-Forwarded-For, X-Real-Ip, Forwarded, "
                      "Content-Length, X-Request-Id, Cookie\r\nContent-Length: 0\r\n"
                      "X-Forwarded-For: 1\r\nX-Forwarded-Host: b\r\nX-Real-IP: 1\r\n"
                      "Forwarded: for=1\r\nX-Request-Id: 7\r\nCookie: a=1\r\n"),
            "");
  EXPECT_EQ(marked(&Field::hop_by_hop), (Names{"connection", "Cookie"}));
}

TEST_F(Requests, MarkNamesThatAnOriginReadsWithDashes) {
  ASSERT_EQ(read_with("X_Forwarded_For: 6.6.6.6\r\nX_Real-IP: 1\r\nX-Plain: 1\r\n_: 1\r\n"), "");
  EXPECT_EQ(marked(&Field::underscored), (Names{"X_Forwarded_For", "X_Real-IP", "_"}));
}

TEST_F(Requests, RefuseUnderscoredFraming) {
  EXPECT_EQ(read_with("content_LENGTH: 1\r\n"), "bad_message");
  EXPECT_EQ(read_with("Transfer_Encoding: chunked\r\n"), "bad_message");
}

TEST_F(Requests, StayOnTheConnectionUnlessOneSideSaysClose) {
  ASSERT_EQ(read_with(""), "");
  EXPECT_TRUE(head_.keep_alive);
  ASSERT_EQ(read_with("Connection: Keep-Alive , CLOSE\r\n"), "");
  EXPECT_FALSE(head_.keep_alive);
  ASSERT_EQ(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), "");
  EXPECT_FALSE(head_.keep_alive);
  EXPECT_EQ(head_.minor, 0);
}

TEST_F(Requests, TakeALoneWebsocketUpgradeOnly) {
  const auto is_websocket = [&](const std::string& lines) {
    EXPECT_EQ(read_with(lines), "");
    return head_.websocket;
  };
  EXPECT_TRUE(is_websocket("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"));
  EXPECT_TRUE(is_websocket("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"));
  EXPECT_FALSE(is_websocket("Upgrade: websocket\r\n"));
  EXPECT_FALSE(is_websocket("Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"));
  EXPECT_FALSE(is_websocket("Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: websocket\r\n"));
  EXPECT_FALSE(is_websocket("Connection: Upgrade\r\nUpgrade: foo\r\nContent-Length: 5\r\n"));
  ASSERT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
            "");
  EXPECT_FALSE(head_.websocket);
  ASSERT_EQ(read("GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"), "");
  EXPECT_FALSE(head_.websocket);
}

TEST_F(Requests, RefuseAWebsocketWithABody) {
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  EXPECT_EQ(read_with(upgrade + "Content-Length: 5\r\n"), "bad_message");
  EXPECT_EQ(read_with(upgrade + "Transfer-Encoding: chunked\r\n"), "bad_message");
}

TEST_F(Requests, ExpectContinueOrNothing) {
  ASSERT_EQ(read_with("Expect: 100-Continue\r\nContent-Length: 1\r\n"), "");
  EXPECT_TRUE(head_.expects_continue);
  EXPECT_EQ(marked(&Field::hop_by_hop), Names{"Expect"});
  ASSERT_EQ(read_with("Expect: 100-continue\r\n"), "");
  EXPECT_FALSE(head_.expects_continue) << "there is no body to wait for";
  ASSERT_EQ(read("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"), "");
  EXPECT_FALSE(head_.expects_continue) << "HTTP/1.0 knows no interim answers";
  EXPECT_EQ(read_with("Expect: 200-ok\r\n"), "expectation_failed");
}

TEST_F(Requests, ThatAreTooLargeAreNotEvenExpected) {
  EXPECT_EQ(read_with("Expect: 100-continue\r\nContent-Length: 999999999\r\n"), "body_too_large");
}

TEST_F(Requests, HaveNoOtherCodingThanChunked) {
  ASSERT_EQ(read_with("Transfer-Encoding: Chunked\r\n"), "");
  EXPECT_EQ(head_.framing.body, BodyKind::chunked);
  EXPECT_EQ(read_with("Transfer-Encoding: gzip, chunked\r\n"), "unknown_coding");
  for (const char* value : {"", ",chunked", "chunked,", "chunked, gzip", "chunked, chunked", "gzip",
                            "chunked;q=1", "\"chunked\"", "chunked\t"}) {
    EXPECT_EQ(read_with("Transfer-Encoding: " + std::string(value) + "\r\n"), "bad_message")
        << value;
    EXPECT_EQ(read_with("Content-Length: 5\r\nTransfer-Encoding: " + std::string(value) + "\r\n"),
              "bad_message")
        << value;
  }
}

TEST_F(Requests, HaveOneWellFormedLength) {
  ASSERT_EQ(read_with("Content-Length: 000000000000000000005\r\n"), "");
  EXPECT_EQ(head_.framing.length, 5u);
  EXPECT_EQ(read_with("Content-Length: \r\nContent-Length: 43\r\n"), "bad_message");
  EXPECT_EQ(read_with("Content-Length: 43\r\nContent-Length: \r\n"), "bad_message");
}

TEST_F(Requests, ForgetTheMessageBefore) {
  ASSERT_EQ(read_with("Connection: Upgrade\r\nUpgrade: websocket\r\n"), "");
  ASSERT_EQ(read("POST http://b/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                 "Content-Length: 5\r\n\r\n"),
            "");
  ASSERT_EQ(read("GET / HTTP/1.0\r\n\r\n"), "");
  EXPECT_EQ(head_.host, "");
  EXPECT_EQ(head_.framing.body, BodyKind::none);
  EXPECT_EQ(head_.framing.length, 0u);
  EXPECT_FALSE(head_.websocket);
  EXPECT_FALSE(head_.expects_continue);
  EXPECT_TRUE(head_.fields.empty());
}

TEST_F(Requests, AreReadFromTheSameBytesOnly) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string bytes = "\r\n" + head + "\n\r\x01 what follows is another matter";
  const Parsed parsed = parser_.parse_request(bytes, 0, head_);
  ASSERT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.head_bytes, head.size() + 2);
  EXPECT_EQ(head_.target.data(), bytes.data() + 6);
}

TEST_F(Requests, AreRefusedByTheEarliestFault) {
  // Each has two faults; the code is that of the byte that comes first.
  EXPECT_EQ(read("FOO / HTTP/1.1\r\nHost: a\n\r\n"), "bad_method");
  EXPECT_EQ(read("FOO / HTTP/1.1\nHost: a\r\n\r\n"), "bad_message");
  EXPECT_EQ(read("GET / HTTP/1.2\r\n" + std::string(20'000, 'a')), "bad_version");
  EXPECT_EQ(read("GET /" + std::string(20'000, 'a') + "\n"), "target_too_long");
  EXPECT_EQ(read("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\n"), "head_too_large");
}

class Responses : public testing::Test {
 protected:
  bool read(std::string bytes, Method to = Method::get, bool upgrade_asked = false) {
    bytes_ = std::move(bytes);
    const Parsed parsed = parser_.parse_response(bytes_, 0, to, upgrade_asked, head_);
    if (parsed.state == State::complete) return true;
    EXPECT_EQ(parsed.error.code, ErrorCode::bad_backend_message);
    EXPECT_EQ(parsed.error.side, base::Side::backend);
    return false;
  }

  HeadParser parser_{HeadLimits{}};
  std::string bytes_;
  ResponseHead head_;
};

TEST_F(Responses, AreDelimitedByLengthChunksOrTheClose) {
  ASSERT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  EXPECT_EQ(head_.framing.body, BodyKind::length);
  EXPECT_EQ(head_.framing.length, 5u);
  EXPECT_TRUE(head_.keep_alive);
  ASSERT_TRUE(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  EXPECT_EQ(head_.framing.body, BodyKind::chunked);
  EXPECT_TRUE(head_.keep_alive);
  ASSERT_TRUE(read("HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(head_.framing.body, BodyKind::until_close);
  EXPECT_FALSE(head_.keep_alive);
}

TEST_F(Responses, ToHeadHaveNoBodyAndKeepTheirLength) {
  ASSERT_TRUE(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::head));
  EXPECT_EQ(head_.framing.body, BodyKind::none);
  EXPECT_TRUE(head_.keep_alive);
  EXPECT_FALSE(head_.find(FieldId::content_length)->hop_by_hop);
}

TEST_F(Responses, WithoutContentLoseTheirLength) {
  for (const char* status : {"100 C", "103 E", "204 N", "205 R"}) {
    ASSERT_TRUE(read("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 3\r\n\r\n"));
    EXPECT_EQ(head_.framing.body, BodyKind::none);
    EXPECT_TRUE(head_.find(FieldId::content_length)->hop_by_hop);
    EXPECT_FALSE(head_.keep_alive) << "bytes may follow that are no answer";
  }
  ASSERT_TRUE(read("HTTP/1.1 304 N\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_EQ(head_.framing.body, BodyKind::none);
  EXPECT_FALSE(head_.find(FieldId::content_length)->hop_by_hop);
  EXPECT_TRUE(head_.keep_alive);
}

TEST_F(Responses, Of10CloseTheConnection) {
  ASSERT_TRUE(read("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(head_.minor, 0);
  EXPECT_FALSE(head_.keep_alive);
}

TEST_F(Responses, SwitchOnlyAsAsked) {
  const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  ASSERT_TRUE(read("HTTP/1.1 101 S\r\n" + fields, Method::get, true));
  EXPECT_FALSE(head_.is_interim());
  EXPECT_FALSE(read("HTTP/1.1 101 S\r\n" + fields, Method::get, false));
  EXPECT_FALSE(read("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\n", Method::get, true));
  EXPECT_FALSE(
      read("HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", Method::get, true));
}

TEST_F(Responses, LoseWhatConnectionNames) {
  ASSERT_TRUE(
      read("HTTP/1.1 103 E\r\nLink: </a.css>\r\nConnection: X-N\r\nX-N: 1\r\n"
           "Keep-Alive: timeout=5\r\n\r\n"));
  EXPECT_TRUE(head_.is_interim());
  std::vector<std::string> passing;
  for (const Field& field : head_.fields) {
    if (!field.hop_by_hop) passing.emplace_back(field.name);
  }
  EXPECT_EQ(passing, std::vector<std::string>{"Link"});
}

TEST_F(Responses, MayUseUnderscores) {
  ASSERT_TRUE(read("HTTP/1.1 204 N\r\nX_Y: 1\r\n\r\n"));
  EXPECT_FALSE(head_.fields[0].underscored);
}

}  // namespace
}  // namespace http
