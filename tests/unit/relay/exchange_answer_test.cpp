// What becomes of an answer on its way to the client.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Answers : public EveryReadSize {
 protected:
  // What a new client gets when the backend says these bytes and closes.
  std::string bytes_for(const std::string& answer, const std::string& request = get_head("/x")) {
    blue_.answer = answer;
    MemoryPeer& client = connect();
    send(client, request);
    closed_ = client.ended || client.broken;
    broken_ = client.broken;
    return client.take();
  }
  Answer for_answer(const std::string& answer, http::Method to = http::Method::get) {
    const std::string request = std::string(http::text_of(to)) + " /x HTTP/1.1\r\nHost: a\r\n\r\n";
    const std::vector<Answer> answers = read_answers(bytes_for(answer, request), {to});
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? Answer{} : answers.back();
  }
  bool closed_ = false;  // did the client's connection end
  bool broken_ = false;  // by a reset
};
AT_EVERY_READ_SIZE(Answers);

TEST_P(Answers, WithALengthKeepIt) {
  const Answer answer = for_answer("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.field("Content-Length"), "5");
  EXPECT_EQ(answer.field("X-A"), "1");
  EXPECT_FALSE(closed_);
}

TEST_P(Answers, WithAnEmptyBodyEndAtOnce) {
  const Answer answer = for_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.field("Content-Length"), "0");
  EXPECT_FALSE(closed_);
}

TEST_P(Answers, InChunksAreChunkedAnew) {
  const std::string bytes = bytes_for(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n"
      "0\r\nX-Trailer: 1\r\n\r\n");
  const std::vector<Answer> answers = read_answers(bytes);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, "hello");
  EXPECT_TRUE(answers[0].whole);
  EXPECT_EQ(answers[0].field("Transfer-Encoding"), "chunked");
  EXPECT_EQ(bytes.find("x=y"), std::string::npos);
  EXPECT_EQ(bytes.find("X-Trailer"), std::string::npos);
  EXPECT_FALSE(closed_);
}

TEST_P(Answers, UntilTheCloseAreChunkedForClientsThatCanReadIt) {
  const Answer answer = for_answer("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nhello");
  EXPECT_EQ(answer.body, "hello");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.field("Transfer-Encoding"), "chunked");
  EXPECT_FALSE(closed_);
}

TEST_P(Answers, OfManyChunksArriveUnchanged) {
  std::string body;
  std::string chunks;
  for (int i = 0; i < 200; ++i) {
    const std::string piece = some_bytes(static_cast<size_t>(i % 37 + 1));
    char size[8];
    snprintf(size, sizeof size, "%zx", piece.size());
    chunks += std::string(size) + "\r\n" + piece + "\r\n";
    body += piece;
  }
  const Answer answer =
      for_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  EXPECT_EQ(answer.body, body);
  EXPECT_TRUE(answer.whole);
}

TEST_P(Answers, WithoutALengthAreHeldBackForHttp10Clients) {
  for (const char* answer : {"HTTP/1.0 200 OK\r\n\r\nhello",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"}) {
    const std::vector<Answer> answers = read_answers(bytes_for(answer, "GET /x HTTP/1.0\r\n\r\n"));
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].field("Content-Length"), "5");
    EXPECT_EQ(answers[0].body, "hello");
    EXPECT_TRUE(closed_);
  }
}

TEST_P(Answers, HeldBackAndThenCutAreA502) {
  const std::vector<Answer> answers =
      read_answers(bytes_for("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
                             "GET /x HTTP/1.0\r\n\r\n"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 502);
  EXPECT_TRUE(answers[0].whole);
}

TEST_P(Answers, ToHeadHaveNoBodyWhateverTheBackendSends) {
  for (const char* body : {"", "hello"}) {
    MemoryPeer& client = connect();
    blue_.answer = std::string("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n") + body;
    send(client, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    const std::string bytes = client.take();
    EXPECT_EQ(bytes.substr(bytes.size() - 4), "\r\n\r\n");
    EXPECT_NE(bytes.find("Content-Length: 5\r\n"), std::string::npos);
    send(client, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(read_answers(client.take(), {http::Method::head}).at(0).status, 200)
        << "the connection goes on";
  }
}

TEST_P(Answers, WithoutABodyEndAtTheirHead) {
  for (const char* head :
       {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n"}) {
    blue_.closes = false;
    const Answer answer = for_answer(head);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, "");
    EXPECT_FALSE(closed_);
    const bool may_have_length = answer.status == 304;
    EXPECT_EQ(answer.field("Content-Length"), may_have_length ? "5" : "");
    EXPECT_EQ(answer.field("Transfer-Encoding"), "");
  }
}

TEST_P(Answers, BehindABodilessAnswerReachNobody) {
  for (const char* reuse : {"", "reuse"}) {
    table_.colors[kBlue].reuse = *reuse != 0;
    const std::string bytes =
        bytes_for("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1\r\n\r\n");
    EXPECT_EQ(read_answers(bytes).size(), 1u);
    EXPECT_EQ(bytes.find("X-Evil"), std::string::npos);
    EXPECT_EQ(worker_->counters().backends[0].idle.read(), 0) << "its connection is not kept";
  }
}

TEST_P(Answers, ComeBehindTheInterimOnesThatConcernTheClient) {
  const std::vector<Answer> answers = read_answers(
      bytes_for("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n"
                "Connection: X-N\r\nX-N: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0].status, 103);
  EXPECT_EQ(answers[0].fields, std::vector<std::string>{"Link: </a.css>"});
  EXPECT_EQ(answers[1].status, 102);
  EXPECT_EQ(answers[2].body, "ok");
}

TEST_P(Answers, ToHttp10ClientsHaveNoInterimOnes) {
  const std::vector<Answer> answers = read_answers(
      bytes_for("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
                "GET /x HTTP/1.0\r\n\r\n"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].body, "ok");
}

TEST_P(Answers, BehindTooManyInterimOnesAreRefused) {
  std::string interim;
  for (int i = 0; i < 9; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(for_answer(interim + "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").status, 502);
  EXPECT_EQ(for_answer(interim.substr(25) + "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").status,
            200);
}

TEST_P(Answers, ToHeadBehindInterimOnesAwaitNoBody) {
  blue_.closes = false;
  blue_.answer =
      "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  MemoryPeer& client = connect();
  send(client, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n" + get_head("/y"), 1);
  ++requests_;
  EXPECT_EQ(blue_.requests.size(), 2u) << "the next request is already on its way";
}

TEST_P(Answers, CutBeforeTheirHeadWasWholeAreA502) {
  for (const char* answer : {"", "HTTP/1.0 2", "HTTP/1.0 200 OK\r\nContent-Le"}) {
    blue_.answer = answer;
    if (*answer == 0) {
      blue_.when_whole = [](MemoryPeer& peer) { peer.close(); };
    }
    const Answer got = get("/x");
    blue_.when_whole = nullptr;
    EXPECT_EQ(got.status, 502);
    EXPECT_TRUE(got.whole);
    EXPECT_NE(got.field("X-Request-Id"), "");
  }
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 3);
}

TEST_P(Answers, ThatAreNoneAreA502) {
  for (const char* answer :
       {"hello\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nX: a\rb\r\n\r\n"}) {
    EXPECT_EQ(for_answer(answer).status, 502) << answer;
  }
}

TEST_P(Answers, CutInTheirBodyNeverLookWhole) {
  for (const char* bytes : {"HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    const std::vector<Answer> answers = read_answers(bytes_for(bytes));
    ASSERT_LE(answers.size(), 1u);
    // What came with the head may still be answered by a page of ours.
    if (!answers.empty() && answers[0].status == 502) continue;
    EXPECT_TRUE(broken_) << "the client must see that something is missing";
    for (const Answer& answer : answers) EXPECT_FALSE(answer.whole);
  }
}

TEST_P(Answers, UntilTheCloseThatEndInAResetNeverLookWhole) {
  blue_.answer.clear();
  blue_.when_whole = [](MemoryPeer& peer) { peer.send("HTTP/1.0 200 OK\r\n\r\nabc"); };
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).reset();
  settle();
  EXPECT_TRUE(client.broken);
  const std::vector<Answer> answers = read_answers(client.take());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers[0].whole);
}

TEST_P(Answers, PassAsTheyComeEvenWhereWholeOnesAreSpooled) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n");
  settle();
  EXPECT_EQ(read_answers(client.received).at(0).status, 200);
  for (const char* event : {"data: 1\n\n", "data: 2\n\n"}) {
    blue_.peer(0).send(event);
    settle();
    std::string body = read_answers(client.received).at(0).body;
    EXPECT_EQ(body.substr(body.size() - 9), event);
    pass(1s);
  }
  blue_.peer(0).finish();
  settle();
  EXPECT_TRUE(read_answers(client.take()).at(0).whole);
}

TEST_P(Answers, FromAKeptConnectionAreThoseOfTheirRequest) {
  table_.colors[kBlue].reuse = true;
  blue_.closes = false;
  blue_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  MemoryPeer& client = connect();
  send(client, get_head("/1"));
  send(client, post("/2", "abc"));
  EXPECT_EQ(blue_.server.peers.size(), 1u);
  EXPECT_EQ(tally(Tally::connects_reused), 1);
  EXPECT_EQ(blue_.requests.size(), 2u);
  EXPECT_EQ(worker_->counters().backends[0].idle.read(), 1);
}

TEST_P(Answers, OnAKeptConnectionThatNobodyAskedForEndIt) {
  table_.colors[kBlue].reuse = true;
  blue_.closes = false;
  blue_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_EQ(get("/1").body, "x");
  blue_.peer(0).send("HTTP/1.1 200 OK\r\nX-Evil: 1\r\nContent-Length: 0\r\n\r\n");
  settle();
  EXPECT_EQ(worker_->counters().backends[0].idle.read(), 0);
  EXPECT_EQ(get("/2").field("X-Evil"), "");
  EXPECT_EQ(blue_.server.peers.size(), 2u);
}

TEST_P(Answers, CarryOneCookieForWhoHasNone) {
  const Answer answer = get("/x");
  const std::string cookie = answer.field("Set-Cookie");
  EXPECT_EQ(cookie.rfind("color=1.blue.", 0), 0u) << cookie;
  EXPECT_NE(cookie.find("; Path=/; HttpOnly; SameSite=Lax"), std::string::npos);
  EXPECT_EQ(cookie.find("Secure"), std::string::npos);
  EXPECT_EQ(answer.field("Cache-Control"), "private");
  const std::string back = "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n";
  EXPECT_EQ(get("/x", back).field("Set-Cookie"), "") << "who has one needs no other";
  EXPECT_NE(get("/x", "X-Forwarded-Proto: https\r\n").field("Set-Cookie").find("; Secure"),
            std::string::npos);
  EXPECT_EQ(tally(Tally::cookies_issued), 2);
}

TEST_P(Answers, CarryNoCookieOnAssetsAndWhatMayBeShared) {
  EXPECT_EQ(get("/web/assets/1/a.js").field("Set-Cookie"), "");
  blue_.answer = "HTTP/1.0 200 OK\r\nCache-Control: public\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(get("/x").field("Set-Cookie"), "");
  blue_.answer = "HTTP/1.0 304 Not Modified\r\n\r\n";
  EXPECT_EQ(get("/x").field("Set-Cookie"), "");
}

TEST_P(Answers, CarryTheBackendsCookiesAllInTheirOrder) {
  blue_.answer =
      "HTTP/1.0 200 OK\r\nSet-Cookie: frontend_lang=es\r\nSet-Cookie: session_id=1\r\n"
      "Set-Cookie: frontend_lang=en\r\nContent-Length: 0\r\n\r\n";
  const Answer answer = get("/x", cookie(kBlue));
  std::vector<std::string> cookies;
  for (const std::string& field : answer.fields) {
    if (field.rfind("Set-Cookie: ", 0) == 0) cookies.push_back(field.substr(12));
  }
  EXPECT_EQ(cookies,
            (std::vector<std::string>{"frontend_lang=es", "session_id=1", "frontend_lang=en"}));
}

TEST_P(Answers, BeforeALateFailureOfOursArePagesOrJson) {
  blue_.answer = "garbage\r\n\r\n";
  EXPECT_NE(get("/x").body.find("<html"), std::string::npos);
  const Answer json = get("/jsonrpc");
  EXPECT_EQ(json.status, 502);
  EXPECT_EQ(json.field("Content-Type"), "application/json");
}

TEST_P(Answers, HaveADateAndTheIdOfTheirRequest) {
  const Answer answer = for_answer("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(answer.field("Date"), "Tue, 30 Jun 2026 12:00:00 GMT");
  EXPECT_NE(answer.field("X-Request-Id"), "");
}

TEST_P(Answers, ThatComeBeforeALargeBodyIsSentArePassedOn) {
  blue_.answer.clear();
  loop_.network().capacity = 1000;  // the backend reads nothing of it
  blue_.server.when_accepted = [](MemoryPeer& peer) {
    peer.stall();
    peer.send("HTTP/1.0 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  };
  MemoryPeer& client = connect();
  ++requests_;
  client.send(post("/x", some_bytes(20'000)));
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, "no");
  EXPECT_FALSE(client.ended) << "the client's own body was whole";
}

}  // namespace
}  // namespace relay
