// Routes that are not buffered: back-pressure both ways, a third of the slots, and latency that
// ends with the first byte.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Streams : public EveryReadSize {
 protected:
  Streams() { blue_.answer.clear(); }
  void answer(std::string_view bytes) {
    blue_.last().send(bytes);
    settle();
  }
};
AT_EVERY_READ_SIZE(Streams);

TEST_P(Streams, MakeTheBackendWaitForASlowClientInsteadOfSpooling) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/stream"));
  const std::string body = some_bytes(20'000);
  answer("HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n" + body);
  EXPECT_GT(blue_.last().unsent(), 10'000u);
  EXPECT_EQ(core_->spool.memory_used(), 0);
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 1);
  client.read_on();
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, body);
  EXPECT_EQ(taken(kBlue), 0);
}

TEST_P(Streams, EndAClientThatReadsNothingAndBlameItNotTheBackend) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/stream"));
  answer("HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n" + some_bytes(20'000));
  pass(59s);
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 1);
  pass(2s);
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 0);
  EXPECT_EQ(errors(base::ErrorCode::client_gone), 1);
  EXPECT_EQ(errors(base::ErrorCode::backend_timeout), 0);
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 0);
}

TEST_P(Streams, SendTheirBodyAsItComes) {
  MemoryPeer& client = connect();
  send(client, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  ASSERT_EQ(blue_.server.peers.size(), 1u) << "connected before the body is whole";
  const std::string so_far = blue_.last().received;
  EXPECT_EQ(so_far.substr(so_far.size() - 5), "hello");
  EXPECT_NE(so_far.find("\r\nContent-Length: 10\r\n"), std::string::npos);
  send(client, "world", 0);
  EXPECT_EQ(blue_.body(0), "helloworld");
  answer("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(read_answers(client.take()).at(0).status, 200);
  EXPECT_FALSE(client.ended);
}

TEST_P(Streams, SendTheirChunksAsChunksOfOurs) {
  MemoryPeer& client = connect();
  send(client,
       "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n");
  EXPECT_TRUE(blue_.requests.empty());
  send(client, "5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n", 0);
  ASSERT_EQ(blue_.requests.size(), 1u);
  const std::string body = blue_.body(0);
  EXPECT_EQ(body.find("x=y"), std::string::npos);
  EXPECT_EQ(body.find("X-Trailer"), std::string::npos);
  EXPECT_EQ(body.substr(body.size() - 5), "0\r\n\r\n");
}

TEST_P(Streams, MakeTheClientWaitForASlowBackend) {
  loop_.network().capacity = 1000;
  blue_.server.when_accepted = [](MemoryPeer& peer) { peer.stall(); };
  MemoryPeer& client = connect();
  const std::string body = some_bytes(200'000);
  ++requests_;
  client.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + body);
  settle();
  EXPECT_GT(client.unsent(), 50'000u);
  EXPECT_LE(core_->spool.memory_used() + core_->spool.disk_used(), 2 << 20);
  blue_.last().read_on();
  settle();
  const std::string got = blue_.last().received;
  EXPECT_EQ(got.substr(got.size() - body.size()), body);
}

TEST_P(Streams, WithABodyThatStallsAreTheClientsFault) {
  MemoryPeer& client = connect();
  send(client, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  pass(31s);
  EXPECT_EQ(read_answers(client.take()).at(0).status, 408);
  EXPECT_EQ(taken(kBlue), 0) << "it kept a slot and said nothing";
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 0);
}

TEST_P(Streams, OfALongUploadAwaitTheAnswerFromTheLastByteOn) {
  route("stream").answer_timeout = 60s;
  MemoryPeer& client = connect();
  send(client, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    pass(20s);
    send(client, std::string(10'000, 'x'), 0);
  }
  pass(50s);
  EXPECT_FALSE(client.ended);
  answer("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(read_answers(client.take()).at(0).status, 200);
}

TEST_P(Streams, AnsweredBeforeTheirBodyIsWholeEndTheConnection) {
  MemoryPeer& client = connect();
  send(client, "POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello");
  answer("HTTP/1.0 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const Answer got = read_answers(client.take()).at(0);
  EXPECT_EQ(got.status, 403);
  EXPECT_EQ(got.field("Connection"), "close");
  EXPECT_TRUE(client.ended);
  send(client, get_head("/smuggled"), 0);
  EXPECT_TRUE(blue_.requests.empty());
}

TEST_P(Streams, WithABrokenBodyAreRefusedAndTheirBackendLetGo) {
  MemoryPeer& client = connect();
  send(client,
       "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  send(client, "zz\r\n", 0);
  EXPECT_EQ(read_answers(client.take()).at(0).status, 400);
  EXPECT_TRUE(blue_.last().ended || blue_.last().broken);
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 0);
}

TEST_P(Streams, WithAQueuedBodyTakeOnlySoMuchOfIt) {
  table_.colors[kBlue].slots = 1;
  send(connect(), get_head("/stream"));
  loop_.network().capacity = 1000;
  MemoryPeer& second = connect();
  ++requests_;
  second.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" +
              std::string(200'000, 'x'));
  settle();
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1);
  EXPECT_GT(second.unsent(), 100'000u);
  answer("HTTP/1.0 204 No\r\n\r\n");
  EXPECT_EQ(blue_.body(1).size(), 200'000u);
}

TEST_P(Streams, WithoutALengthEndWithTheConnectionForHttp10Clients) {
  MemoryPeer& client = connect();
  send(client, "GET /stream HTTP/1.0\r\n\r\n");
  answer("HTTP/1.0 200 OK\r\n\r\nhel");
  EXPECT_EQ(client.received.substr(client.received.size() - 3), "hel") << "at once";
  blue_.last().send("lo");
  blue_.last().finish();
  settle();
  EXPECT_EQ(client.received.substr(client.received.size() - 5), "hello");
  EXPECT_TRUE(client.ended);
}

TEST_P(Streams, CutForHttp10ClientsEndInAReset) {
  MemoryPeer& client = connect();
  send(client, "GET /stream HTTP/1.0\r\n\r\n");
  answer("HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhel");
  blue_.last().close();
  settle();
  EXPECT_TRUE(client.broken);
}

TEST_P(Streams, HaveTheLatencyOfTheirFirstByte) {
  MemoryPeer& client = connect();
  send(client, get_head("/stream"));
  pass(2s);
  answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
  pass(10s);
  answer("0\r\n\r\n");
  const int64_t us =
      worker_->counters().color(kBlue).routes[route("stream").index].latency.sum_us();
  EXPECT_GE(us, 2'000'000);
  EXPECT_LT(us, 2'100'000);
}

TEST_P(Streams, LeavePagesTheirSlots) {
  table_.colors[kBlue].slots = 3;
  for (int i = 0; i < 5; ++i) send(connect(), get_head("/stream"));
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 1);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 4);
  send(connect(), get_head("/x"));
  EXPECT_EQ(in_flight(kBlue, Kind::http), 1);
}

}  // namespace
}  // namespace relay
