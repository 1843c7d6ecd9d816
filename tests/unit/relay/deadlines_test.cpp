// Every waiting has an end, on virtual time.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

using base::ErrorCode;

class Deadlines : public WholeReads {
 protected:
  int status(MemoryPeer& client) {
    const std::vector<Answer> answers = read_answers(client.take());
    return answers.empty() ? 0 : answers.back().status;
  }
};

TEST_F(Deadlines, EndAConnectionThatNeverSpeaks) {
  MemoryPeer& client = connect();
  pass(9900ms);
  EXPECT_FALSE(client.ended);
  pass(200ms);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(client.take(), "");
}

TEST_F(Deadlines, EndAHeadThatComesByteByByte) {
  MemoryPeer& client = connect();
  ++requests_;
  for (const char byte : std::string("GET / HTTP/1.1\r\nHost: a\r\nX: ")) {
    if (client.ended) break;
    client.send(std::string(1, byte));
    pass(1s);
  }
  EXPECT_EQ(status(client), 408);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(errors(ErrorCode::head_timeout), 1);
}

TEST_F(Deadlines, OfAHeadAreCountedFromItsFirstByte) {
  MemoryPeer& client = connect();
  pass(9s);
  send(client, "GET /x HTTP/1.1\r\n");
  pass(9s);
  send(client, "Host: a\r\n\r\n", 0);
  EXPECT_EQ(status(client), 200);
}

TEST_F(Deadlines, OfAPipelinedHeadBeginWhenItsTurnComes) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/1") + "GET /2 HTT", 1);
  pass(30s);
  blue_.peer(0).send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_EQ(status(client), 204);
  pass(9s);
  EXPECT_FALSE(client.ended);
  ++requests_;
  pass(1100ms);
  EXPECT_EQ(status(client), 408);
  EXPECT_TRUE(client.ended);
}

TEST_F(Deadlines, EndAnIdleConnectionLaterThanTheFrontDoes) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  pass(179s);
  EXPECT_FALSE(client.ended);
  pass(2s);
  EXPECT_TRUE(client.ended);
}

TEST_F(Deadlines, OfAnIdleConnectionBeginAnewWithEveryRequest) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  pass(100s);
  send(client, get_head("/x"));
  pass(100s);
  EXPECT_FALSE(client.ended);
}

TEST_F(Deadlines, EndABodyThatStalls) {
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  pass(29s);
  send(client, std::string(50'000, 'x'), 0);
  pass(29s);
  EXPECT_FALSE(client.ended);
  pass(1100ms);
  EXPECT_EQ(status(client), 408);
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(blue_.server.peers.empty());
}

TEST_F(Deadlines, EndABodyBelowTheMinimumRateAfterItsGrace) {
  config_.body_rate_min = 500;
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  for (int second = 0; second < 19; ++second) {
    client.send("x");
    pass(1s);
  }
  EXPECT_FALSE(client.ended) << "within its grace it may be slow";
  pass(1s);
  send(client, "x", 0);
  EXPECT_EQ(status(client), 408);
}

TEST_F(Deadlines, LetABodyPassThatIsJustFastEnough) {
  config_.body_rate_min = 500;
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
  for (int second = 0; second < 59; ++second) {
    send(client, std::string(1000, 'x'), 0);
    pass(1s);
  }
  send(client, std::string(1000, 'x'), 0);
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(blue_.body(0).size(), 60'000u);
}

TEST_F(Deadlines, EndAWaitForASlot) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  MemoryPeer& first = connect();
  send(first, get_head("/1"));
  MemoryPeer& second = connect();
  send(second, get_head("/2"));
  pass(29'900ms);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1);
  pass(200ms);
  const std::vector<Answer> answers = read_answers(second.take());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_NE(answers[0].field("Retry-After"), "");
  EXPECT_TRUE(answers[0].keep_alive);
  EXPECT_EQ(tally(Tally::queue_timeouts), 1);
  EXPECT_EQ(core_->slots[kBlue]->waiting(), 0);
  EXPECT_EQ(blue_.server.peers.size(), 1u);
}

TEST_F(Deadlines, EndAConnectThatHangs) {
  table_.colors[kGreen].up = false;
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  pass(2900ms);
  EXPECT_EQ(taken(kBlue), 1);
  pass(200ms);
  EXPECT_EQ(status(client), 504);
  EXPECT_EQ(taken(kBlue), 0);
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 1);
}

TEST_F(Deadlines, EndAWaitForAnAnswer) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, post("/x", "abc"));
  pass(899s);
  EXPECT_EQ(taken(kBlue), 1);
  pass(2s);
  EXPECT_EQ(status(client), 504);
  EXPECT_FALSE(client.ended);
  EXPECT_EQ(taken(kBlue), 0);
  EXPECT_TRUE(blue_.peer(0).ended || blue_.peer(0).broken) << "a late answer reaches nobody";
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 1);
}

TEST_F(Deadlines, OfAnAnswerAreItsRoutes) {
  route("web").answer_timeout = 60s;
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  pass(61s);
  EXPECT_EQ(status(client), 504);
}

TEST_F(Deadlines, LetALongComputationFinish) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, post("/x", "abc"));
  pass(14min);
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  settle();
  EXPECT_EQ(status(client), 200);
}

TEST_F(Deadlines, EndAnAnswerThatStalls) {
  config_.timeouts.answer_idle = 100s;
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc");
  pass(99s);
  blue_.peer(0).send("d");
  pass(99s);
  EXPECT_FALSE(client.broken) << "each piece of it counts";
  pass(2s);
  EXPECT_TRUE(client.broken);
  EXPECT_EQ(errors(ErrorCode::backend_timeout), 1);
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 1);
}

TEST_F(Deadlines, EndAReaderThatTakesNothing) {
  loop_.network().capacity = 1000;
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n" + some_bytes(20'000);
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/x"));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::delivering), 1);
  EXPECT_EQ(taken(kBlue), 0) << "a slow reader holds no slot";
  pass(59s);
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::delivering), 1);
  pass(2s);
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::delivering), 0);
  client.read_on();
  settle();
  EXPECT_TRUE(client.broken);
}

TEST_F(Deadlines, LetASlowReaderFinish) {
  loop_.network().capacity = 1000;
  const std::string body = some_bytes(20'000);
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n" + body;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/x"));
  for (int i = 0; i < 60; ++i) {
    pass(50s);
    client.read_on();
    loop_.run_turn();
    loop_.run_turn();
    client.stall();
  }
  client.read_on();
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, body);
}

TEST_F(Deadlines, EndALingeringClose) {
  MemoryPeer& client = connect();
  send(client, "BAD\r\n\r\n");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(worker_->counters().client_connections.read(), 1) << "still there to read what comes";
  client.send("more");
  pass(5100ms);
  EXPECT_EQ(worker_->counters().client_connections.read(), 0);
}

TEST_F(Deadlines, EndALingeringCloseThatBringsTooMuch) {
  config_.linger_bytes = 1000;
  MemoryPeer& client = connect();
  send(client, "BAD\r\n\r\n");
  client.send(std::string(1001, 'x'));
  settle();
  EXPECT_EQ(worker_->counters().client_connections.read(), 0);
}

TEST_F(Deadlines, EndAConnectionByItsAgeWithAnAnnouncement) {
  MemoryPeer& client = connect();
  for (int i = 0; i < 40; ++i) {
    send(client, get_head("/x"));
    ASSERT_TRUE(read_answers(client.take()).at(0).keep_alive);
    pass(89s);
  }
  pass(60s);
  send(client, get_head("/x"));
  EXPECT_FALSE(read_answers(client.take()).at(0).keep_alive);
  EXPECT_TRUE(client.ended);
}

TEST_F(Deadlines, EndAHold) {
  table_.colors[kBlue].up = table_.colors[kGreen].up = false;
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::held), 1);
  pass(14'900ms);
  EXPECT_EQ(client.take(), "");
  pass(200ms);
  EXPECT_EQ(status(client), 503);
  EXPECT_EQ(tally(Tally::hold_timeouts), 1);
}

TEST_F(Deadlines, EndAnIdleTunnelButNoneThatIsUsed) {
  blue_websocket_.answer = kSwitched;
  blue_websocket_.closes = false;
  MemoryPeer& client = connect();
  send(client, upgrade());
  EXPECT_EQ(status(client), 101);
  for (int i = 0; i < 20; ++i) {
    pass(100s);
    blue_websocket_.last().send("\x89\x00");
    settle();
  }
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 1);
  pass(601s);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
  EXPECT_TRUE(client.ended);
}

}  // namespace
}  // namespace relay
