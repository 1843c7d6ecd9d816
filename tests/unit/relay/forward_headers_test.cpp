// What a backend and a client are told by the heads that leave us.
#include "proxy/relay/forward_headers.h"

#include <gtest/gtest.h>

#include "proxy/http/parser.h"

namespace relay {
namespace {

using Lines = std::vector<std::string>;

// The lines of a head, without the empty one at its end.
Lines lines_of(const std::string& head) {
  Lines lines;
  for (size_t at = 0; at < head.size();) {
    const size_t end = head.find("\r\n", at);
    if (end == std::string::npos || end == at) break;
    lines.push_back(head.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

// The lines of these names, in order.
Lines named(const Lines& lines, const std::string& name) {
  Lines found;
  for (const std::string& line : lines) {
    const size_t colon = line.find(':');
    if (colon == name.size() && http::equal_ignoring_case(line.substr(0, colon), name)) {
      found.push_back(line);
    }
  }
  return found;
}

class Forwarded : public testing::Test {
 protected:
  Forwarded() {
    client_.peer = *base::parse_address("203.0.113.9:40000");
    client_.instance = "sidecar-1";
  }
  void trust() {
    client_.peer = *base::parse_address("127.0.0.1:40000");
    client_.trusted = true;
  }
  const http::RequestHead& read(const std::string& head) {
    bytes_ = head;
    const http::Parsed parsed = parser_.parse_request(bytes_, 0, head_);
    EXPECT_EQ(parsed.state, http::Parsed::State::complete) << parsed.error.detail;
    return head_;
  }
  const http::RequestHead& read_with(const std::string& fields) {
    return read("GET /a HTTP/1.1\r\nHost: erp.example\r\n" + fields + "\r\n");
  }
  Lines write(const http::RequestHead& head) {
    std::string out;
    underscored_ = write_request_head(head, client_, "req-1", force_, out);
    return lines_of(out);
  }
  // What the backend gets when the client sends these fields.
  Lines sent(const std::string& fields) { return write(read_with(fields)); }

  ClientFacts client_;
  routing::Force force_{"X-Sidecar-Color", {}};
  http::HeadParser parser_{http::HeadLimits{}};
  std::string bytes_;
  http::RequestHead head_;
  int underscored_ = 0;
};

// C19: what a tester says never reaches a backend, whether it counts or not.
TEST_F(Forwarded, RequestNeverCarriesATestersWord) {
  const auto carries = [](const Lines& lines, std::string_view text) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(text) != std::string::npos;
    });
  };
  const std::string fields =
      "x-sidecar-color: green:word\r\nCookie: a=1; X-Sidecar-Color=green:word; b=2\r\n";
  EXPECT_TRUE(carries(sent(fields), "Cookie: a=1; X-Sidecar-Color")) << "nobody can force";
  force_.tokens = {"0123456789abcdef"};
  EXPECT_FALSE(carries(sent(fields), "word"));
  EXPECT_TRUE(carries(sent(fields), "Cookie: a=1; b=2"));
  EXPECT_TRUE(carries(sent("Cookie: X-Sidecar-Color=x;b=2\r\n"), "Cookie: b=2"));
  EXPECT_TRUE(carries(sent("Cookie: b=2;X-Sidecar-Color=x\r\n"), "Cookie: b=2"));
  EXPECT_FALSE(carries(sent("Cookie: X-Sidecar-Color=x\r\n"), "Cookie"));
  EXPECT_TRUE(carries(sent("Cookie: X-Sidecar-Color2=x\r\n"), "Cookie: X-Sidecar-Color2=x"));
}

TEST_F(Forwarded, RequestOfAStrangerCarriesExactlyOneHop) {
  EXPECT_EQ(sent("Accept: */*\r\n"), (Lines{
                                         "GET /a HTTP/1.1",
                                         "Host: erp.example",
                                         "Accept: */*",
                                         "X-Forwarded-For: 203.0.113.9",
                                         "X-Forwarded-Host: erp.example",
                                         "X-Forwarded-Proto: http",
                                         "X-Real-IP: 203.0.113.9",
                                         "X-Request-Id: req-1",
                                         "Via: 1.1 sidecar-1",
                                     }));
}

TEST_F(Forwarded, TargetIsUntouched) {
  EXPECT_EQ(write(read("POST //a/%2e%2e/?x=%zz&y HTTP/1.1\r\nHost: a\r\n\r\n")).front(),
            "POST //a/%2e%2e/?x=%zz&y HTTP/1.1");
}

TEST_F(Forwarded, FieldsKeepTheirOrderSpellingAndRepetition) {
  const Lines lines = sent("X-b: 2\r\nCOOKIE: a=1\r\nX-A: 1\r\nx-B: 3\r\n");
  EXPECT_EQ(Lines(lines.begin() + 2, lines.begin() + 6),
            (Lines{"X-b: 2", "COOKIE: a=1", "X-A: 1", "x-B: 3"}));
}

TEST_F(Forwarded, FieldsOfAStrangerAreReplaced) {
  const Lines lines = sent(
      "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n"
      "X-Forwarded-Port: 666\r\nX-Forwarded-Server: evil\r\nX-Real-IP: 6.6.6.6\r\n"
      "X-Forwarded-Prefix: /evil\r\nx-forwarded-user: admin\r\nX-Request-Id: evil\r\n"
      "Forwarded: for=6.6.6.6\r\n");
  EXPECT_EQ(named(lines, "X-Forwarded-For"), Lines{"X-Forwarded-For: 203.0.113.9"});
  EXPECT_EQ(named(lines, "X-Forwarded-Host"), Lines{"X-Forwarded-Host: erp.example"});
  EXPECT_EQ(named(lines, "X-Forwarded-Proto"), Lines{"X-Forwarded-Proto: http"});
  EXPECT_EQ(named(lines, "X-Real-IP"), Lines{"X-Real-IP: 203.0.113.9"});
  EXPECT_EQ(named(lines, "X-Request-Id"), Lines{"X-Request-Id: req-1"});
  for (const char* name : {"X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Prefix",
                           "X-Forwarded-User", "Forwarded"}) {
    EXPECT_EQ(named(lines, name), Lines{}) << name;
  }
}

TEST_F(Forwarded, FieldsOfATrustedFrontAreKeptAndNoHopIsAdded) {
  trust();
  const Lines lines = sent(
      "X-Forwarded-For: 10.0.0.1, 198.51.100.7\r\nX-Forwarded-Host: public.example\r\n"
      "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 443\r\nX-Forwarded-Server: front\r\n"
      "X-Real-Ip: 198.51.100.7\r\nX-Forwarded-Prefix: /p\r\n");
  EXPECT_EQ(named(lines, "X-Forwarded-For"), Lines{"X-Forwarded-For: 10.0.0.1, 198.51.100.7"});
  EXPECT_EQ(named(lines, "X-Forwarded-Host"), Lines{"X-Forwarded-Host: public.example"});
  EXPECT_EQ(named(lines, "X-Forwarded-Proto"), Lines{"X-Forwarded-Proto: https"});
  EXPECT_EQ(named(lines, "X-Forwarded-Port"), Lines{"X-Forwarded-Port: 443"});
  EXPECT_EQ(named(lines, "X-Forwarded-Server"), Lines{"X-Forwarded-Server: front"});
  EXPECT_EQ(named(lines, "X-Real-IP"), Lines{"X-Real-IP: 198.51.100.7"});
  EXPECT_EQ(named(lines, "X-Forwarded-Prefix"), Lines{"X-Forwarded-Prefix: /p"});
}

TEST_F(Forwarded, ListsOfATrustedFrontInSeveralLinesAreJoined) {
  trust();
  const Lines lines = sent("X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 198.51.100.7\r\n");
  EXPECT_EQ(named(lines, "X-Forwarded-For"), Lines{"X-Forwarded-For: 10.0.0.1, 198.51.100.7"});
  EXPECT_EQ(client_address(head_, client_).host(), "198.51.100.7");
}

TEST_F(Forwarded, HostIsAlwaysThereEvenIfATrustedFrontSaysNothing) {
  trust();
  const Lines lines = sent("");
  EXPECT_EQ(named(lines, "X-Forwarded-Host"), Lines{"X-Forwarded-Host: erp.example"});
  EXPECT_EQ(named(lines, "X-Forwarded-For"), Lines{"X-Forwarded-For: 127.0.0.1"});
  EXPECT_EQ(named(lines, "X-Forwarded-Proto"), Lines{"X-Forwarded-Proto: http"});
}

TEST_F(Forwarded, WebsocketSchemesBecomeThoseOfPages) {
  trust();
  for (const auto& [said, means] : std::map<std::string, std::string>{{"wss", "https"},
                                                                      {"WSS", "https"},
                                                                      {"ws", "http"},
                                                                      {"https", "https"},
                                                                      {"http, https", "https"},
                                                                      {"gopher", "http"}}) {
    EXPECT_EQ(named(sent("X-Forwarded-Proto: " + said + "\r\n"), "X-Forwarded-Proto"),
              Lines{"X-Forwarded-Proto: " + means})
        << said;
  }
}

TEST_F(Forwarded, ConnectionNamedFieldsStayHereButNotThoseThatWeSet) {
  trust();
  const Lines lines = sent(
      "Connection: close, x-FORWARDED-host, X-Forwarded-For, X-Real-Ip, Forwarded, Host, Cookie, "
      "X-Hop\r\nX-Forwarded-Host: public.example\r\nX-Forwarded-For: 198.51.100.7\r\n"
      "X-Hop: 1\r\nx-hop: 2\r\nCookie: a=1\r\nX-Stays: 1\r\n");
  EXPECT_EQ(named(lines, "Host"), Lines{"Host: erp.example"});
  EXPECT_EQ(named(lines, "X-Forwarded-Host"), Lines{"X-Forwarded-Host: public.example"});
  EXPECT_EQ(named(lines, "X-Forwarded-For"), Lines{"X-Forwarded-For: 198.51.100.7"});
  EXPECT_EQ(named(lines, "X-Real-IP"), Lines{"X-Real-IP: 198.51.100.7"});
  EXPECT_EQ(named(lines, "X-Hop"), Lines{});
  EXPECT_EQ(named(lines, "Connection"), Lines{});
  EXPECT_EQ(named(lines, "X-Stays"), Lines{"X-Stays: 1"});
}

TEST_F(Forwarded, FieldsOfTheConnectionStayHere) {
  const Lines lines = sent(
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\n"
      "Upgrade: h2c\r\nConnection: upgrade\r\nProxy-Authorization: Basic x\r\nProxy: evil\r\n"
      "HTTP2-Settings: x\r\nExpect: 100-continue\r\nX-Sidecar-Color: green:secret\r\n");
  EXPECT_EQ(lines.size(), 8u) << "nothing but what we write ourselves";
}

TEST_F(Forwarded, FramingIsOurs) {
  const Lines lines = write(
      read("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Type: x\r\n\r\n"));
  EXPECT_EQ(named(lines, "Transfer-Encoding"), Lines{});
  EXPECT_EQ(named(lines, "Content-Type"), Lines{"Content-Type: x"});
  EXPECT_EQ(named(write(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")),
                  "Content-Length"),
            Lines{});
}

TEST_F(Forwarded, UnderscoredFieldsAreDroppedAndCounted) {
  const Lines lines =
      sent("X_Forwarded_For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nX_a: 1\r\nX-a: 2\r\n");
  EXPECT_EQ(underscored_, 3);
  EXPECT_EQ(named(lines, "X-a"), Lines{"X-a: 2"});
  EXPECT_EQ(lines.size(), 9u);
}

TEST_F(Forwarded, UnderscoredTwinsOfATrustedFrontAreNotBelievedEither) {
  trust();
  read_with("X_Forwarded_For: 6.6.6.6\r\nX_Forwarded_Proto: https\r\n");
  EXPECT_EQ(client_address(head_, client_).host(), "127.0.0.1");
  EXPECT_FALSE(is_https(head_, client_));
}

TEST_F(Forwarded, ViaGrowsByUs) {
  const Lines lines = sent("Via: 1.1 edge\r\nVia: 1.0 old\r\n");
  EXPECT_EQ(named(lines, "Via"), Lines{"Via: 1.1 edge, 1.0 old, 1.1 sidecar-1"});
  EXPECT_EQ(named(write(read("GET / HTTP/1.0\r\n\r\n")), "Via"), Lines{"Via: 1.0 sidecar-1"});
}

TEST_F(Forwarded, OurOwnNameInViaIsALoop) {
  EXPECT_TRUE(has_looped(read_with("Via: 1.1 edge, 1.1 sidecar-1\r\n"), "sidecar-1"));
  EXPECT_FALSE(has_looped(read_with("Via: 1.1 edge\r\n"), "sidecar-1"));
  EXPECT_FALSE(has_looped(read_with("Via: 1.1 sidecar-12, 1.1 my-sidecar-1\r\n"), "sidecar-1"))
      << "another one's name that holds ours";
  EXPECT_FALSE(has_looped(read_with("X-Via: 1.1 sidecar-1\r\n"), "sidecar-1"));
}

TEST_F(Forwarded, AddressIsTheLastOneThatATrustedFrontWroteDown) {
  EXPECT_EQ(client_address(read_with("X-Forwarded-For: 6.6.6.6\r\n"), client_).host(),
            "203.0.113.9");
  trust();
  for (const auto& [field, host] :
       std::map<std::string, std::string>{{"1.1.1.1, 198.51.100.7", "198.51.100.7"},
                                          {"198.51.100.7,  2001:db8::7 ", "2001:db8::7"},
                                          {"unknown", "127.0.0.1"},
                                          {"198.51.100.0/24", "127.0.0.1"},
                                          {"1.2.3.4, ", "127.0.0.1"},
                                          {"", "127.0.0.1"}}) {
    EXPECT_EQ(client_address(read_with("X-Forwarded-For: " + field + "\r\n"), client_).host(), host)
        << field;
  }
}

TEST_F(Forwarded, MaxForwardsIsCountedDownForOptionsOnly) {
  const auto with = [&](const std::string& method, const std::string& value) {
    return named(
        write(read(method + " / HTTP/1.1\r\nHost: a\r\nMax-Forwards: " + value + "\r\n\r\n")),
        "Max-Forwards");
  };
  EXPECT_EQ(with("OPTIONS", "3"), Lines{"Max-Forwards: 2"});
  EXPECT_EQ(with("OPTIONS", "10"), Lines{"Max-Forwards: 9"});
  EXPECT_EQ(with("GET", "3"), Lines{"Max-Forwards: 3"});
  EXPECT_EQ(with("OPTIONS", "many"), Lines{});
  EXPECT_EQ(max_forwards(read("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n")), 0);
  EXPECT_EQ(max_forwards(read("GET / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n")), -1);
}

TEST(RequestEnd, SaysHowTheBodyIsDelimitedAndWhatBecomesOfTheConnection) {
  const auto written = [](const RequestEnd& end) {
    std::string out;
    write_request_end(end, out);
    return out;
  };
  EXPECT_EQ(written({}), "Connection: close\r\n\r\n");
  EXPECT_EQ(written({.keep_alive = true}), "\r\n");
  EXPECT_EQ(written({.websocket = true}), "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(written({.body = http::BodyKind::length, .length = 5}),
            "Content-Length: 5\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written({.body = http::BodyKind::length, .length = 0}),
            "Content-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written({.body = http::BodyKind::chunked}),
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

class Answered : public testing::Test {
 protected:
  const http::ResponseHead& read(const std::string& head, http::Method to = http::Method::get,
                                 bool upgrade = false) {
    bytes_ = head;
    const http::Parsed parsed = parser_.parse_response(bytes_, 0, to, upgrade, head_);
    EXPECT_EQ(parsed.state, http::Parsed::State::complete) << parsed.error.detail;
    return head_;
  }
  Lines write(const http::ResponseHead& head, AnswerFacts facts = {}) {
    facts.date = "Tue, 30 Jun 2026 12:00:00 GMT";
    facts.request_id = "req-1";
    std::string out;
    write_answer_fields(head, facts, out);
    return lines_of(out);
  }

  http::HeadParser parser_{http::HeadLimits{}};
  std::string bytes_;
  http::ResponseHead head_;
};

TEST_F(Answered, FieldsKeepTheirOrderSpellingAndRepetition) {
  const Lines lines = write(read(
      "HTTP/1.0 200 OK\r\nSet-Cookie: a=1\r\nServer: Werkzeug\r\nset-cookie: frontend_lang=es\r\n"
      "Set-Cookie: frontend_lang=en\r\nX_Odd: 1\r\nDate: now\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_EQ(lines, (Lines{"HTTP/1.1 200 OK", "Set-Cookie: a=1", "Server: Werkzeug",
                          "set-cookie: frontend_lang=es", "Set-Cookie: frontend_lang=en",
                          "X_Odd: 1", "Date: now", "X-Request-Id: req-1"}));
}

TEST_F(Answered, DateIsTheFirstOfTwoAndOursOnlyIfThereIsNone) {
  EXPECT_EQ(named(write(read("HTTP/1.0 200 OK\r\nDate: one\r\nDate: two\r\n\r\n")), "Date"),
            Lines{"Date: one"});
  EXPECT_EQ(named(write(read("HTTP/1.0 200 OK\r\n\r\n")), "Date"),
            Lines{"Date: Tue, 30 Jun 2026 12:00:00 GMT"});
}

TEST_F(Answered, ConnectionAndWhatItNamesStayHere) {
  const Lines lines = write(
      read("HTTP/1.1 200 OK\r\nConnection: X-Secret, keep-alive\r\nX-Secret: 1\r\nUpgrade: h2c\r\n"
           "Keep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n"
           "Proxy-Authenticate: Basic\r\nX-Request-Id: theirs\r\nX-A: 1\r\n\r\n"));
  EXPECT_EQ(lines, (Lines{"HTTP/1.1 200 OK", "X-A: 1", "Date: Tue, 30 Jun 2026 12:00:00 GMT",
                          "X-Request-Id: req-1"}));
}

TEST_F(Answered, LengthOfABodilessAnswerStandsOnlyWhereItMay) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  AnswerFacts keep;
  keep.keep_length_field = true;
  EXPECT_EQ(named(write(read(head, http::Method::head), keep), "Content-Length"),
            Lines{"Content-Length: 5"});
  EXPECT_EQ(named(write(read(head)), "Content-Length"), Lines{});
}

TEST_F(Answered, CookieOfOursComesLastAndMakesAnAnswerPrivate) {
  AnswerFacts facts;
  facts.set_cookie = "color=x; Path=/";
  Lines lines = write(read("HTTP/1.0 200 OK\r\nSet-Cookie: session_id=1\r\n\r\n"), facts);
  EXPECT_EQ(named(lines, "Set-Cookie"),
            (Lines{"Set-Cookie: session_id=1", "Set-Cookie: color=x; Path=/"}));
  EXPECT_EQ(named(lines, "Cache-Control"), Lines{"Cache-Control: private"});
  lines = write(read("HTTP/1.0 200 OK\r\nCache-Control: no-store\r\n\r\n"), facts);
  EXPECT_EQ(named(lines, "Cache-Control"), Lines{"Cache-Control: no-store"});
}

TEST_F(Answered, CookieOfOursIsNotGivenWhereOthersMightGetIt) {
  const auto may = [&](const std::string& status, const std::string& cache) {
    return may_carry_cookie(read("HTTP/1.0 " + status + "\r\n" +
                                 (cache.empty() ? "" : "Cache-Control: " + cache + "\r\n") +
                                 "\r\n"));
  };
  EXPECT_TRUE(may("200 OK", ""));
  EXPECT_TRUE(may("200 OK", "no-cache, private"));
  EXPECT_TRUE(may("303 See Other", ""));
  EXPECT_TRUE(may("500 No", ""));
  EXPECT_TRUE(may("200 OK", "max-age=60"));
  EXPECT_FALSE(may("304 Not Modified", ""));
  EXPECT_FALSE(may("200 OK", "public"));
  EXPECT_FALSE(may("200 OK", "max-age=31536000, Public, immutable"));
  EXPECT_FALSE(may("200 OK", "immutable"));
  EXPECT_FALSE(may("200 OK", "max-age=0,S-MaxAge=10"));
  EXPECT_FALSE(may("103 Early Hints", ""));
}

TEST_F(Answered, UpgradeIsSaidAnewFor101) {
  AnswerFacts facts;
  facts.websocket = true;
  const Lines lines =
      write(read("HTTP/1.1 101 SWITCHING PROTOCOLS\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: x\r\nSet-Cookie: session_id=1\r\nDate: now\r\n\r\n",
                 http::Method::get, true),
            facts);
  EXPECT_EQ(lines, (Lines{"HTTP/1.1 101 Switching Protocols", "Sec-WebSocket-Accept: x",
                          "Set-Cookie: session_id=1", "Date: now", "Connection: Upgrade",
                          "Upgrade: websocket", "X-Request-Id: req-1"}));
}

TEST_F(Answered, InterimHeadsLoseWhatSpeaksOfConnectionAndBody) {
  std::string out;
  write_interim_head(read("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: X-N\r\n"
                          "X-N: 1\r\nKeep-Alive: timeout=5\r\nContent-Length: 3\r\n\r\n"),
                     out);
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n");
}

TEST(AnswerEnd, SaysHowTheBodyIsDelimitedAndWhatBecomesOfTheConnection) {
  const auto written = [](http::BodyKind body, uint64_t length, bool close) {
    std::string out;
    write_answer_end(body, length, close, out);
    return out;
  };
  EXPECT_EQ(written(http::BodyKind::none, 0, false), "\r\n");
  EXPECT_EQ(written(http::BodyKind::length, 0, true),
            "Content-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(written(http::BodyKind::chunked, 0, false), "Transfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(written(http::BodyKind::until_close, 0, true), "Connection: close\r\n\r\n");
}

}  // namespace
}  // namespace relay
