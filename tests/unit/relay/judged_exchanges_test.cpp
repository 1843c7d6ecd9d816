// Which exchanges the judge's counts hold, and as what.
#include <cmath>

#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

using routing::Fault;

class JudgedExchanges : public WholeReads {
 protected:
  void start_judged() {
    start();
    core_->sessions.begin(kStep);
    table_.judge = routing::JudgeStep{};
    table_.judge->id = kStep;
    table_.judge->canary = kGreen;
    table_.judge->stable = kBlue;
    publish();
  }
  routing::SessionCounts counts() const { return worker_->sample().parts().counts(kStep); }
  int64_t requests() const { return counts().canary.requests + counts().stable.requests; }
  std::string session(const std::string& key) { return "Cookie: session_id=" + key + "\r\n"; }
  static std::string with_cookie(const std::string& set_cookie) {
    return "Cookie: " + set_cookie.substr(0, set_cookie.find(';')) + "\r\n";
  }
  static std::string answered(const std::string& body, const std::string& fields = "") {
    return "HTTP/1.0 200 OK\r\n" + fields + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
  }
  void set_weights(int blue, int green) {
    table_.colors[kBlue].weight = blue;
    table_.colors[kGreen].weight = green;
  }

  static constexpr uint64_t kStep = 5;
};

TEST_F(JudgedExchanges, ANewUserCountsFromItsSecondRequestOn) {
  set_weights(0, 1);
  start_judged();
  const Answer first = get("/web");
  EXPECT_EQ(counts().canary.requests, 1);
  EXPECT_EQ(std::lround(counts().canary.exposed()), 0);
  green_.answer = "HTTP/1.0 500 NO\r\nContent-Length: 0\r\n\r\n";
  get("/web", with_cookie(first.field("set-cookie")));
  EXPECT_EQ(std::lround(counts().canary.exposed()), 1);
  EXPECT_EQ(counts().canary.faulty(Fault::error), 1u);
}

TEST_F(JudgedExchanges, AUserWithASessionKeyStaysTheSameWithItsCookie) {
  set_weights(0, 1);
  start_judged();
  const Answer first = get("/web", session("abc"));
  get("/web", with_cookie(first.field("set-cookie")));
  EXPECT_EQ(std::lround(counts().canary.exposed()), 1);
}

// C56: those whose cookie is older than the step are not compared with those drawn in it.
TEST_F(JudgedExchanges, HoldersOfEarlierDrawsAreOutsideTheSample) {
  start_judged();
  get("/web", cookie(kBlue));
  EXPECT_EQ(counts().stable.requests, 1);
  EXPECT_EQ(std::lround(counts().stable.exposed()), 0);
}

TEST_F(JudgedExchanges, RedrawnHoldersAreAGroupOfTheirOwn) {
  set_weights(1, 0);
  start_judged();
  table_.epoch = 20;
  table_.redraw = routing::Redraw{kBlue, 20};
  publish();
  const std::string holder = cookie(kBlue);
  get("/web", holder + "Sec-Fetch-Mode: navigate\r\n");
  get("/web/image", holder);  // no navigation, but a session that was drawn again
  EXPECT_EQ(std::lround(counts().stable.groups[1].exposed), 1);
  EXPECT_EQ(counts().stable.requests, 2);
}

// C56: clients that left are outside.
TEST_F(JudgedExchanges, ClientsThatLeftAreOutside) {
  start_judged();
  blue_.answer = green_.answer = "";
  MemoryPeer& client = connect();
  send(client, get_head("/web"));
  client.reset();
  settle();
  pass(30min);
  EXPECT_EQ(requests(), 0);
}

TEST_F(JudgedExchanges, NoAnswerIsAnErrorThoughTheOtherColorAnswers) {
  set_weights(0, 1);
  start_judged();
  green_.server.stop();
  const Answer answer = get("/web", session("abc"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(counts().canary.errors, 1);
  EXPECT_EQ(counts().canary.faulty(Fault::error), 1u);
  EXPECT_EQ(counts().stable.requests, 0);  // a failover is outside
}

TEST_F(JudgedExchanges, SlowIsAboveTheLimit) {
  set_weights(0, 1);
  start_judged();
  green_.answer = "";
  for (const auto time : {1'200ms, 1'201ms}) {
    MemoryPeer& client = connect();
    send(client, get_head("/web", session("user" + std::to_string(time.count()))));
    pass(time);
    green_.last().send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    settle();
  }
  EXPECT_EQ(counts().canary.faulty(Fault::slow), 1u);
  EXPECT_EQ(counts().canary.measured, 2);
}

// Must be seen: a release that breaks only JSON-RPC calls, and one whose users meet rules.
TEST_F(JudgedExchanges, AnUnexpectedJsonRpcErrorIsSeenInsideA200) {
  set_weights(0, 1);
  start_judged();
  const auto call = [&](const std::string& user, const std::string& answer) {
    green_.answer = answer;
    ask(post("/jsonrpc", "{}", session(user)));
  };
  call("a", answered(R"({"jsonrpc": "2.0", "id": 1, "result": []})"));
  call("b", answered(R"({"jsonrpc":"2.0","id":1,"error":{"code":200,"data":{"name":)"
                     R"("odoo.exceptions.ValidationError"}}})"));
  EXPECT_EQ(counts().canary.faulty(Fault::rpc_error), 0u);
  call("c", answered(R"({"jsonrpc":"2.0","id":1,"error":{"code":200,"data":{"name":)"
                     R"("psycopg2.errors.UndefinedColumn"}}})"));
  EXPECT_EQ(counts().canary.faulty(Fault::rpc_error), 1u);
  EXPECT_EQ(counts().canary.rpc_answers, 3);
  call("d", answered("xyz", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(counts().canary.rpc_unknown, 1);
  EXPECT_EQ(counts().canary.faulty(Fault::error), 0u);
}

TEST_F(JudgedExchanges, WithoutAStepNothingIsCounted) {
  start();
  get("/web");
  EXPECT_FALSE(worker_->sample().is_on());
}

}  // namespace
}  // namespace relay
