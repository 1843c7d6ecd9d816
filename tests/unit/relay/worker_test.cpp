// What one worker does for all: slots in turn, slow readers, counting, latency, leaving.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class OneWorker : public EveryReadSize {
 protected:
  int status(MemoryPeer& client) {
    const std::vector<Answer> answers = read_answers(client.take());
    return answers.empty() ? 0 : answers.back().status;
  }
  void answer(size_t index) {
    blue_.peer(index).send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    settle();
  }
};
AT_EVERY_READ_SIZE(OneWorker);

TEST_P(OneWorker, SendAsManyRequestsAsThereAreSlotsAndTheRestInTurn) {
  table_.colors[kBlue].slots = 2;
  blue_.answer.clear();
  for (int i = 0; i < 5; ++i) send(connect(), get_head("/" + std::to_string(i)));
  EXPECT_EQ(blue_.requests.size(), 2u);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 3);
  EXPECT_EQ(in_flight(kBlue, Kind::http), 2);
  for (size_t i = 0; i < 5; ++i) {
    pass(100ms);
    answer(i);
    EXPECT_EQ(status(*clients_[i]), 200);
  }
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(blue_.head(i).rfind("GET /" + std::to_string(i) + " ", 0), 0u);
  }
  EXPECT_EQ(worker_->counters().color(kBlue).queue.count(0), 2);
}

TEST_P(OneWorker, RefuseWhenTooManyWait) {
  config_.queue_length = 1;
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  for (int i = 0; i < 3; ++i) send(connect(), get_head("/x"));
  EXPECT_EQ(status(*clients_[2]), 503);
  EXPECT_EQ(tally(Tally::queue_full), 1);
}

TEST_P(OneWorker, PassOverAUserWithHalfTheSlotsWhileAnotherWaits) {
  table_.colors[kBlue].slots = 2;
  blue_.answer.clear();
  const std::string ann = cookie(kBlue, 0xa11);
  const std::string bob = cookie(kBlue, 0xb0b);
  for (int i = 0; i < 3; ++i) send(connect(), get_head("/ann", ann));
  send(connect(), get_head("/bob", bob));
  answer(0);
  EXPECT_EQ(blue_.head(2).rfind("GET /bob ", 0), 0u);
}

TEST_P(OneWorker, GiveNoSlotToASlowReader) {
  loop_.network().capacity = 1000;
  table_.colors[kBlue].slots = 1;
  const std::string body = some_bytes(100'000);
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n" + body;
  MemoryPeer& slow = connect();
  slow.stall();
  send(slow, get_head("/1"));
  EXPECT_TRUE(blue_.peer(0).unsent() == 0) << "the backend was never made to wait";
  EXPECT_EQ(taken(kBlue), 0);
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
  MemoryPeer& quick = connect();
  send(quick, get_head("/2"));
  EXPECT_EQ(status(quick), 200);
  slow.read_on();
  settle();
  EXPECT_EQ(read_answers(slow.take()).at(0).body, body);
  EXPECT_GT(tally(Tally::spooled_bytes), 90'000);
}

TEST_P(OneWorker, PauseABackendOnlyWhenOneAnswersShareIsUsedUp) {
  loop_.network().capacity = 1000;
  config_.answer_spool_max = 10'000;
  const std::string body = some_bytes(40'000);
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 40000\r\n\r\n" + body;
  MemoryPeer& slow = connect();
  slow.stall();
  send(slow, get_head("/1"));
  EXPECT_GT(blue_.peer(0).unsent(), 0u);
  EXPECT_EQ(taken(kBlue), 1);
  slow.read_on();
  settle();
  EXPECT_EQ(read_answers(slow.take()).at(0).body, body);
}

TEST_P(OneWorker, RefuseUploadsWhenMemoryAndDiskAreUsedUp) {
  config_.spool.memory_bytes_max = 64 << 10;
  config_.spool.disk_bytes_max = 0;
  MemoryPeer& client = connect();
  ++requests_;
  client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" +
              std::string(200'000, 'x'));
  settle();
  EXPECT_EQ(status(client), 503);
  EXPECT_EQ(tally(Tally::spool_full), 1);
  EXPECT_TRUE(blue_.server.peers.empty());
  EXPECT_EQ(core_->spool.memory_used(), 0);
}

TEST_P(OneWorker, CountLatencyFromTheLastRequestByteQueueIncluded) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  send(connect(), get_head("/1"));
  MemoryPeer& second = connect();
  send(second, "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  pass(10s);
  send(second, "abc", 0);
  pass(2s);
  answer(0);
  pass(1s);
  answer(1);
  const base::Histogram& latency =
      worker_->counters().color(kBlue).routes[route("web").index].latency;
  EXPECT_GE(latency.sum_us(), (12 + 3) * 1'000'000);
  EXPECT_LT(latency.sum_us(), (12 + 3) * 1'000'000 + 100'000);
  EXPECT_GE(worker_->counters().receiving.sum_us(), 10'000'000);
}

TEST_P(OneWorker, TakeNoMoreClientsThanTheyMay) {
  config_.connections_max = 2;
  for (int i = 0; i < 3; ++i) connect();
  settle();
  EXPECT_FALSE(clients_[1]->ended);
  EXPECT_TRUE(clients_[2]->ended || clients_[2]->broken);
}

TEST_P(OneWorker, ThatLeaveAnswerWhatRunsAndSayClose) {
  blue_.answer.clear();
  MemoryPeer& runs = connect();
  send(runs, get_head("/1"));
  MemoryPeer& uploads = connect();
  send(uploads, "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  MemoryPeer& idle = connect();
  settle();
  worker_->leave();
  pass(200ms);
  EXPECT_TRUE(idle.ended);
  EXPECT_FALSE(runs.ended);
  EXPECT_EQ(loop_.dial(address_), nullptr);
  send(uploads, "abc", 0);
  answer(0);
  answer(1);
  for (MemoryPeer* client : {&runs, &uploads}) {
    const Answer got = read_answers(client->take()).at(0);
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.field("Connection"), "close");
    EXPECT_TRUE(client->ended);
  }
}

TEST_P(OneWorker, ThatLeaveAnswerARequestThatWasAlreadyHere) {
  MemoryPeer& client = connect();
  send(client, get_head("/1"));
  client.take();
  ++requests_;
  client.send(get_head("/2"));  // in the kernel's buffer, not yet read
  worker_->leave();
  settle();
  EXPECT_EQ(status(client), 200);
}

TEST_P(OneWorker, ThatLeaveServeAConnectionThatTheyJustTook) {
  MemoryPeer& client = connect();
  loop_.run_turn();
  ++requests_;
  client.send(get_head("/1"));
  worker_->leave();
  settle();
  EXPECT_EQ(status(client), 200);
}

TEST_P(OneWorker, ThatLeaveAnswerAHeadThatIsHalfHere) {
  MemoryPeer& client = connect();
  send(client, "GET /1 HTTP/1.1\r\n");
  worker_->leave();
  pass(2s);
  send(client, "Host: a\r\n\r\n", 0);
  EXPECT_EQ(status(client), 200);
  EXPECT_TRUE(client.ended);
}

TEST_P(OneWorker, ThatLeaveTellWebsocketsAlsoThoseThatOpenLate) {
  blue_websocket_.closes = false;
  blue_websocket_.answer = kSwitched;
  MemoryPeer& open = connect();
  send(open, upgrade());
  open.take();
  blue_websocket_.answer.clear();
  MemoryPeer& late = connect();
  send(late, upgrade());
  worker_->leave();
  pass(100ms);
  EXPECT_EQ(open.take(), std::string("\x88\x02\x03\xf4", 4));
  blue_websocket_.last().send(kSwitched);
  pass(2s);
  const std::string got = late.take();
  ASSERT_GE(got.size(), 4u);
  EXPECT_EQ(got.substr(got.size() - 4), std::string("\x88\x02\x03\xf4", 4));
  pass(20s);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(OneWorker, CountWhatIsInFlightByKind) {
  blue_.answer.clear();
  blue_websocket_.closes = false;
  blue_websocket_.answer = kSwitched;
  table_.colors[kBlue].slots = 3;
  for (int i = 0; i < 4; ++i) send(connect(), get_head("/x"));
  for (int i = 0; i < 2; ++i) send(connect(), upgrade());
  blue_websocket_.answer.clear();
  send(connect(), get_head("/longpolling/poll"));
  send(connect(), "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(in_flight(kBlue, Kind::http), 3);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 2);
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 1);
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::receiving), 1);
  EXPECT_EQ(worker_->counters().backends[0].in_flight.read(), 3);
  EXPECT_EQ(worker_->counters().backends[2].in_flight.read(), 3);
}

}  // namespace
}  // namespace relay
