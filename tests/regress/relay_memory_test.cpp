// Faults of the relay that a client could use to make it keep too much, or the wrong thing.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Memory : public WholeReads {};

// Answers of our own were written as fast as requests came, whether or not anybody read them.
TEST_F(Memory, OwnAnswersWaitForAClientThatDoesNotReadThem) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = connect();
  client.stall();
  std::string requests;
  for (int i = 0; i < 5000; ++i) requests += get_head("/.sidecar/health");
  send(client, requests, 5000);
  EXPECT_LT(accounted(), 2000) << "the rest is not even read";
  EXPECT_GT(client.unsent(), 0u);
  client.read_on();
  settle();
  const std::vector<Answer> answers = read_answers(client.take());
  EXPECT_EQ(answers.size(), 5000u);
}

TEST_F(Memory, OwnAnswersThatWaitAreAllGivenToAClientThatStopsSending) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = connect();
  client.stall();
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += get_head("/.sidecar/health");
  send(client, requests, 20);
  client.finish();
  settle();
  client.read_on();
  settle();
  EXPECT_EQ(read_answers(client.take()).size(), 20u);
  EXPECT_TRUE(client.ended);
}

TEST_F(Memory, OwnAnswersThatNobodyReadsEndWithTheirConnection) {
  loop_.network().capacity = 100;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/.sidecar/health") + get_head("/.sidecar/health"), 1);
  pass(200s);
  EXPECT_EQ(worker_->counters().client_connections.read(), 0);
}

// An answer that is held back for an HTTP/1.0 client was paused at its limit, and then nobody ever
// read on.
TEST_F(Memory, AnswersHeldBackEndAtTheLimitOfOneAnswer) {
  config_.answer_spool_max = 10'000;
  blue_.answer = "HTTP/1.0 200 OK\r\n\r\n" + some_bytes(40'000);
  MemoryPeer& client = connect();
  send(client, "GET /x HTTP/1.0\r\n\r\n");
  EXPECT_EQ(read_answers(client.take()).at(0).status, 503);
  EXPECT_EQ(taken(kBlue), 0);
}

// A spool that is full at the last byte of a body answered 503, kept the connection, and dropped
// what stood behind the body: the next read began somewhere inside it.
TEST_F(Memory, RequestsBehindABodyThatFoundNoRoomAreNotCutInTwo) {
  config_.spool.memory_bytes_max = 64 << 10;
  config_.spool.disk_bytes_max = 0;
  MemoryPeer& client = connect();
  send(client, post("/x", std::string(100'000, 'x')) + "GET /ne", 1);
  send(client, "xt HTTP/1.1\r\nHost: a\r\n\r\n", 1);
  const std::vector<Answer> answers = read_answers(client.take());
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].status, 503);
  EXPECT_EQ(answers[1].status, 200);
  ASSERT_EQ(blue_.requests.size(), 1u);
  EXPECT_EQ(blue_.head(0).rfind("GET /next ", 0), 0u);
}

// An id of a trusted front is often its client's own; it stood in pages and JSON as it came.
TEST_F(Memory, RequestIdsThatCouldBreakAPageAreReplaced) {
  blue_.answer = "no answer at all\r\n\r\n";
  for (const char* id : {"<script>alert(1)</script>", "a\"b", "a\\b", "a b", "a&b", "\xc3\xb1"}) {
    for (const char* target : {"/x", "/jsonrpc"}) {
      const Answer answer = get(target, std::string("X-Request-Id: ") + id + "\r\n");
      EXPECT_EQ(answer.status, 502);
      EXPECT_EQ(answer.field("X-Request-Id").size(), 16u) << id;
      EXPECT_EQ(answer.body.find(id), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace relay
