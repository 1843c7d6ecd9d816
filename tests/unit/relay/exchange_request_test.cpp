// What becomes of a request on its way to a backend, or where it is answered by ourselves.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Requests : public EveryReadSize {
 protected:
  int status_of(std::string_view bytes) {
    const std::vector<Answer> answers = read_answers(ask(bytes));
    return answers.empty() ? 0 : answers.front().status;
  }
  // The answers that a client got so far.
  std::vector<int> statuses(MemoryPeer& client) {
    std::vector<int> statuses;
    for (const Answer& answer : read_answers(client.take())) statuses.push_back(answer.status);
    return statuses;
  }
  size_t backend_requests() const {
    return blue_.requests.size() + green_.requests.size() + blue_websocket_.requests.size() +
           green_websocket_.requests.size();
  }
};
AT_EVERY_READ_SIZE(Requests);

TEST_P(Requests, ReachTheirBackendRewrittenAndComeBackAnswered) {
  const Answer answer = get("/web/login?x=1", "Accept: */*\r\nConnection: keep-alive\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(answer.keep_alive);
  ASSERT_EQ(blue_.requests.size(), 1u);
  const std::string head = blue_.head(0);
  EXPECT_EQ(head.rfind("GET /web/login?x=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n", 0), 0u) << head;
  EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(head.find("keep-alive"), std::string::npos);
  EXPECT_EQ(head.find("Content-Length"), std::string::npos);
  EXPECT_EQ(accounted_as(200), 1);
}

TEST_P(Requests, WithABodyArriveWholeWithItsLength) {
  EXPECT_EQ(status_of(post("/x", "hello")), 200);
  EXPECT_EQ(blue_.body(0), "hello");
  EXPECT_NE(blue_.head(0).find("\r\nContent-Length: 5\r\n"), std::string::npos);
}

TEST_P(Requests, DoNotReachTheBackendBeforeTheirBodyIsWhole) {
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
  EXPECT_TRUE(blue_.server.peers.empty()) << "not even a connection";
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::receiving), 1);
  EXPECT_EQ(taken(kBlue), 0);
  send(client, "o", 0);
  EXPECT_EQ(blue_.body(0), "hello");
  EXPECT_EQ(statuses(client), std::vector<int>{200});
}

TEST_P(Requests, InChunksBecomeOnesWithALength) {
  for (const char* method : {"POST", "DELETE", "OPTIONS", "GET", "PATCH"}) {
    EXPECT_EQ(status_of(std::string(method) +
                        " /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"),
              200);
    EXPECT_EQ(blue_.body(blue_.requests.size() - 1), "hello");
    const std::string head = blue_.head(blue_.requests.size() - 1);
    EXPECT_NE(head.find("\r\nContent-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(head.find("chunked"), std::string::npos);
    EXPECT_TRUE(blue_.last().received.empty()) << "nothing behind the body";
  }
}

TEST_P(Requests, WithAnEmptyBodySaySo) {
  EXPECT_EQ(status_of(post("/x", "")), 200);
  EXPECT_EQ(status_of("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            200);
  for (size_t i : {0u, 1u}) {
    EXPECT_NE(blue_.head(i).find("\r\nContent-Length: 0\r\n"), std::string::npos);
  }
}

TEST_P(Requests, LargerThanMemoryArriveUnchanged) {
  config_.spool.memory_bytes_each = 16 << 10;
  const std::string body = some_bytes(40'000);
  EXPECT_EQ(status_of(post("/x", body)), 200);
  EXPECT_EQ(blue_.body(0), body);
}

TEST_P(Requests, OfOneClientShareItsConnectionButNoBackendConnection) {
  MemoryPeer& client = connect();
  send(client, get_head("/1"));
  EXPECT_EQ(statuses(client), std::vector<int>{200});
  send(client, post("/2", "abc"));
  EXPECT_EQ(statuses(client), std::vector<int>{200});
  EXPECT_EQ(blue_.server.peers.size(), 2u);
  EXPECT_FALSE(client.ended);
}

TEST_P(Requests, ThatComeTogetherAreAnsweredInTheirOrder) {
  blue_.answer.clear();
  blue_.when_whole = [&](MemoryPeer& peer) {
    const std::string& request = blue_.requests.back();
    const std::string target = request.substr(request.find('/') + 1, 1);
    peer.send("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n" + target);
    peer.finish();
  };
  MemoryPeer& client = connect();
  send(client,
       get_head("/1") + "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" +
           get_head("/3") + get_head("/4", "Connection: close\r\n") + get_head("/5"),
       4);
  std::string bodies;
  for (const Answer& answer : read_answers(client.take())) bodies += answer.body;
  EXPECT_EQ(bodies, "1234") << "nothing is served behind a close";
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(blue_.requests.size(), 4u);
}

TEST_P(Requests, ThatComeTogetherAreSentOneAtATime) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/1") + get_head("/2"), 1);
  EXPECT_EQ(blue_.requests.size(), 1u);
  ++requests_;
  blue_.peer(0).send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_EQ(blue_.requests.size(), 2u);
}

TEST_P(Requests, OfHttp10EndTheirConnection) {
  MemoryPeer& client = connect();
  send(client, "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::vector<Answer> answers = read_answers(client.take());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].field("Connection"), "close");
  EXPECT_TRUE(client.ended);
  EXPECT_NE(blue_.head(0).find("Via: 1.0 sidecar-test"), std::string::npos);
}

TEST_P(Requests, ThatCloseTheirConnectionDoNotTellTheBackend) {
  blue_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok";
  table_.colors[kBlue].reuse = true;
  MemoryPeer& client = connect();
  send(client, get_head("/x", "Connection: close\r\n"));
  EXPECT_EQ(read_answers(client.take()).at(0).field("Connection"), "close");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(blue_.head(0).find("Connection"), std::string::npos);
  worker_->close_idle(kBlue);
}

TEST_P(Requests, ThatExpectAContinueGetExactlyOneFromUs) {
  blue_.answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.take(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(blue_.server.peers.empty());
  send(client, "hello", 0);
  EXPECT_EQ(statuses(client), std::vector<int>{200});
  EXPECT_EQ(blue_.head(0).find("Expect"), std::string::npos);
}

TEST_P(Requests, TooLargeToTakeGetNoContinueAndEndTheConnection) {
  config_.limits.body_bytes = 100;
  MemoryPeer& client = connect();
  send(client,
       "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n" +
           get_head("/smuggled"));
  EXPECT_EQ(statuses(client), std::vector<int>{413});
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, OfExactlyTheLimitPass) {
  config_.limits.body_bytes = 100;
  EXPECT_EQ(status_of(post("/x", std::string(100, 'x'))), 200);
}

TEST_P(Requests, InChunksAboveTheLimitAreRefusedAndNothingIsForwarded) {
  config_.limits.body_bytes = 8;
  MemoryPeer& client = connect();
  send(client,
       "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
       "5\r\nhello\r\n4\r\nmore\r\n0\r\n\r\n" +
           get_head("/smuggled"));
  EXPECT_EQ(statuses(client), std::vector<int>{413});
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, WithABrokenChunkAreRefused) {
  MemoryPeer& client = connect();
  send(client,
       "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n");
  EXPECT_EQ(statuses(client), std::vector<int>{400});
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, ThatNobodyMayReadTwoWaysAreRefusedAndNothingBehindThemIsRead) {
  for (const char* head :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n"}) {
    MemoryPeer& client = connect();
    send(client, head + get_head("/smuggled"));
    EXPECT_EQ(statuses(client), std::vector<int>{400}) << head;
    EXPECT_TRUE(client.ended);
  }
  EXPECT_EQ(backend_requests(), 0u);
  EXPECT_EQ(tally(Tally::own_answers), 4);
}

TEST_P(Requests, WithSurplusBytesGetTheirAnswerThenA400) {
  MemoryPeer& client = connect();
  send(client, post("/x", "hello") + "surplus\r\n\r\n", 2);
  EXPECT_EQ(statuses(client), (std::vector<int>{200, 400}));
  EXPECT_EQ(blue_.body(0), "hello");
  EXPECT_TRUE(client.ended);
}

TEST_P(Requests, BehindAnAnswerOfOursAreNotWhatItsBodySays) {
  MemoryPeer& client = connect();
  send(client, post("/web/database", get_head("/smuggled")) + get_head("/behind"));
  EXPECT_EQ(statuses(client), std::vector<int>{403});
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, ForOurHealthAreAnsweredByUs) {
  const Answer answer = get("/.sidecar/health");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.keep_alive);
  core_->lame_duck = true;
  EXPECT_EQ(get("/.sidecar/health").status, 503);
  EXPECT_EQ(status_of("HEAD /.sidecar/health HTTP/1.1\r\nHost: a\r\n\r\n"), 503);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, ForOurHealthWithABodyEndTheConnection) {
  MemoryPeer& client = connect();
  send(client, "GET /.sidecar/health HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\n\r\n" +
                   get_head("/smuggled"));
  EXPECT_EQ(statuses(client), std::vector<int>{200});
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, ToDeniedPathsAreForbiddenHoweverThePathIsSpelled) {
  EXPECT_EQ(get("/web/database/manager").status, 403);
  EXPECT_EQ(get("/web/%64atabase").status, 403);
  EXPECT_EQ(get("//web/./x/../database").status, 403);
  EXPECT_EQ(get("/web/%2f../web%2fdatabase").status, 400);
  EXPECT_EQ(get("/web%5cdatabase").status, 400);
  EXPECT_EQ(get("/x%2fy").status, 200) << "an encoded slash where no rule is";
  EXPECT_EQ(blue_.head(0).rfind("GET /x%2fy HTTP/1.1", 0), 0u);
}

TEST_P(Requests, FromAddressesThatARouteDoesNotAllowAreForbidden) {
  route("database").deny_all = false;
  route("database").allow = {*base::parse_cidr("198.51.100.7")};
  EXPECT_EQ(get("/web/database", "X-Forwarded-For: 198.51.100.7\r\n").status, 200);
  EXPECT_EQ(get("/web/database", "X-Forwarded-For: 198.51.100.8\r\n").status, 403);
}

TEST_P(Requests, WithoutARouteAreNotFound) {
  table_.routes.pop_back();
  EXPECT_EQ(get("/x").status, 404);
  EXPECT_EQ(get("/jsonrpc").status, 200);
}

TEST_P(Requests, ThatWeSentBeforeAreALoop) {
  const Answer answer = get("/x", "Via: 1.1 front, 1.1 sidecar-test\r\n");
  EXPECT_EQ(answer.status, 508);
  EXPECT_EQ(backend_requests(), 0u);
}

TEST_P(Requests, AboutTheServerAsAWholePassAsTheyAre) {
  EXPECT_EQ(status_of("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
  EXPECT_EQ(blue_.head(0).rfind("OPTIONS * HTTP/1.1\r\n", 0), 0u);
}

TEST_P(Requests, OfAClientThatStopsSendingAreAnswered) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  client.finish();
  pass(1s);
  EXPECT_FALSE(client.ended);
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  settle();
  EXPECT_EQ(client.received.substr(client.received.size() - 2), "ok");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(accounted_as(200), 1);
}

TEST_P(Requests, ThatCameTogetherBeforeAClientStoppedSendingAreAllAnswered) {
  MemoryPeer& client = connect();
  requests_ += 3;
  client.send(get_head("/1") + post("/2", "abc") + get_head("/3"));
  client.finish();
  settle();
  EXPECT_EQ(statuses(client), (std::vector<int>{200, 200, 200}));
  EXPECT_TRUE(client.ended);
}

TEST_P(Requests, CutInTheirHeadAreNobodysRequest) {
  MemoryPeer& client = connect();
  send(client, "GET / HTTP/1.1\r\nHo", 0);
  client.finish();
  settle();
  EXPECT_EQ(client.take(), "");
  EXPECT_TRUE(client.ended);
}

TEST_P(Requests, CutInTheirBodyNeverReachABackend) {
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
  client.finish();
  settle();
  EXPECT_EQ(backend_requests(), 0u);
  EXPECT_EQ(accounted_as(499), 1);
}

TEST_P(Requests, KeepTheIdThatATrustedFrontGave) {
  const Answer answer = get("/x", "X-Request-Id: abc-123\r\n");
  EXPECT_EQ(answer.field("X-Request-Id"), "abc-123");
  EXPECT_NE(blue_.head(0).find("\r\nX-Request-Id: abc-123\r\n"), std::string::npos);
}

TEST_P(Requests, OfStrangersGetAnIdOfOurs) {
  config_.trusted_proxies.clear();
  const Answer answer = get("/x", "X-Request-Id: abc-123\r\n");
  EXPECT_EQ(answer.field("X-Request-Id").size(), 16u);
  EXPECT_NE(get("/x").field("X-Request-Id"), answer.field("X-Request-Id"));
}

TEST_P(Requests, GoToTheWebsocketPortWhereTheirRouteSaysSo) {
  EXPECT_EQ(get("/longpolling/poll").status, 200);
  EXPECT_EQ(blue_websocket_.requests.size(), 1u);
  EXPECT_EQ(taken(kBlue), 0);
}

TEST_P(Requests, ForTheWebsocketPortFailAtOnceWhereAColorHasNone) {
  table_.colors[kBlue].websocket.clear();
  const Answer answer = get("/longpolling/poll");
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.field("Retry-After"), "");
}

TEST_P(Requests, AreTakenUntilTheConnectionHasServedEnough) {
  config_.keep_alive_requests = 2;
  MemoryPeer& client = connect();
  send(client, get_head("/1") + get_head("/2") + get_head("/3"), 2);
  const std::vector<Answer> answers = read_answers(client.take());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[0].keep_alive);
  EXPECT_EQ(answers[1].field("Connection"), "close");
  EXPECT_TRUE(client.ended);
}

}  // namespace
}  // namespace relay
