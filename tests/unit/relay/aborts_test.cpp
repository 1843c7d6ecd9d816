// Clients that leave in every stage of their request: 499, nothing kept, nobody blamed.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Aborts : public EveryReadSize {
 protected:
  Aborts() {
    blue_.answer.clear();
    green_.answer.clear();
    blue_websocket_.answer.clear();
    blue_.closes = false;
  }
  // The account of a client that left, and of no fault of any backend.
  void expect_499(int count = 1) {
    EXPECT_EQ(accounted_as(499), count);
    EXPECT_EQ(errors(base::ErrorCode::client_gone), count);
    for (const BackendCells& backend : worker_->counters().backends) {
      EXPECT_EQ(backend.failed.read(), 0);
    }
  }
  void finish_answer(ScriptedBackend& backend, std::string_view answer) {
    backend.last().send(answer);
    backend.last().finish();
    settle();
  }
};
AT_EVERY_READ_SIZE(Aborts);

TEST_P(Aborts, InTheHeadAreNoRequest) {
  MemoryPeer& client = connect();
  send(client, "GET / HT", 0);
  client.reset();
  settle();
  EXPECT_EQ(accounted(), 0);
  EXPECT_EQ(worker_->counters().client_connections.read(), 0);
}

TEST_P(Aborts, InTheBodyGiveItBack) {
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\nsome");
  client.reset();
  settle();
  expect_499();
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::receiving), 0);
  EXPECT_EQ(core_->spool.memory_used(), 0);
}

TEST_P(Aborts, WhileHeldGiveTheirPlaceBack) {
  table_.colors[kBlue].up = table_.colors[kGreen].up = false;
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  EXPECT_EQ(core_->held, 1);
  client.reset();
  settle();
  expect_499();
  EXPECT_EQ(core_->held, 0);
}

TEST_P(Aborts, WhileQueuedNeverReachTheBackend) {
  table_.colors[kBlue].slots = 1;
  MemoryPeer& first = connect();
  send(first, get_head("/1"));
  MemoryPeer& second = connect();
  send(second, get_head("/2"));
  MemoryPeer& third = connect();
  send(third, get_head("/3"));
  second.reset();
  settle();
  expect_499();
  EXPECT_EQ(tally(Tally::queue_cancelled), 1);
  EXPECT_EQ(core_->slots[kBlue]->waiting(), 1);
  finish_answer(blue_, "HTTP/1.0 204 No\r\n\r\n");
  ASSERT_EQ(blue_.requests.size(), 2u);
  EXPECT_EQ(blue_.head(1).rfind("GET /3 ", 0), 0u);
}

TEST_P(Aborts, WhileTheirGrantIsOnItsWayGiveTheSlotBack) {
  table_.colors[kBlue].slots = 1;
  send(connect(), get_head("/1"));
  MemoryPeer& second = connect();
  send(second, get_head("/2"));
  send(connect(), get_head("/3"));
  // Read whole, both happen in one turn: the slot goes to the second, then it leaves.
  blue_.peer(0).send("HTTP/1.0 204 No\r\n\r\n");
  second.reset();
  settle();
  expect_499();
  ASSERT_EQ(blue_.requests.size(), 2u);
  EXPECT_EQ(blue_.head(1).rfind("GET /3 ", 0), 0u);
  EXPECT_EQ(taken(kBlue), 1);
}

TEST_P(Aborts, WhileConnectingSendNothing) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  EXPECT_EQ(in_flight(kBlue, Kind::http), 1);
  client.reset();
  settle();
  expect_499();
  EXPECT_EQ(taken(kBlue), 0);
  loop_.heal(blue_.server.address());
  settle();
  EXPECT_TRUE(blue_.server.peers.empty());
}

TEST_P(Aborts, WhileTheBackendWorksKeepTheSlotUntilItIsDone) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  client.reset();
  settle();
  EXPECT_EQ(taken(kBlue), 1) << "its worker is still busy with it";
  EXPECT_EQ(in_flight(kBlue, Kind::http), 1);
  EXPECT_FALSE(blue_.peer(0).ended);
  finish_answer(blue_, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(taken(kBlue), 0);
  expect_499();
  EXPECT_EQ(worker_->counters().backends[0].finished.read(), 1);
}

TEST_P(Aborts, WhileTheBackendWorksDoNotWaitForItForEver) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
  settle();
  client.reset();
  for (int i = 0; i < 20 && taken(kBlue) > 0; ++i) {
    blue_.peer(0).send("data: again\n\n");
    pass(60s);
  }
  EXPECT_EQ(taken(kBlue), 0) << "an endless answer does not keep its slot";
  EXPECT_EQ(accounted_as(499), 1);
}

TEST_P(Aborts, WhileTheBackendAnswersDrainAndDropTheRest) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\nabc");
  settle();
  client.reset();
  settle();
  EXPECT_EQ(taken(kBlue), 1);
  finish_answer(blue_, some_bytes(20'000 - 3));
  EXPECT_EQ(taken(kBlue), 0);
  EXPECT_EQ(core_->spool.memory_used(), 0);
  expect_499();
}

TEST_P(Aborts, OfAStreamEndItAtOnce) {
  MemoryPeer& client = connect();
  send(client, get_head("/stream"));
  EXPECT_EQ(in_flight(kBlue, Kind::longpoll), 1);
  client.reset();
  settle();
  EXPECT_EQ(taken(kBlue), 0);
  EXPECT_TRUE(blue_.peer(0).ended || blue_.peer(0).broken);
  expect_499();
}

TEST_P(Aborts, OfADeliveryForgetTheRest) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/x"));
  finish_answer(blue_, "HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n" + some_bytes(20'000));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::delivering), 1);
  EXPECT_GT(core_->spool.memory_used(), 0);
  client.reset();
  settle();
  EXPECT_EQ(core_->spool.memory_used(), 0);
  expect_499();
}

TEST_P(Aborts, WhileTheBackendIsRetriedGoNowhere) {
  table_.colors[kGreen].slots = 1;
  MemoryPeer& first = connect();
  send(first, get_head("/1", cookie(kGreen)));
  blue_.server.stop();
  MemoryPeer& second = connect();
  send(second, get_head("/2", cookie(kBlue)));
  EXPECT_EQ(in_flight(kGreen, Kind::queued), 1);
  second.reset();
  settle();
  EXPECT_EQ(accounted_as(499), 1);
  EXPECT_EQ(core_->slots[kGreen]->waiting(), 0);
  green_.last().send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_EQ(green_.requests.size(), 1u);
}

TEST_P(Aborts, OfAnUpgradeEndIt) {
  MemoryPeer& client = connect();
  send(client, upgrade());
  client.reset();
  settle();
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
  expect_499();
}

TEST_P(Aborts, OfAClientThatStoppedSendingAreSeenWhenItIsWrittenTo) {
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  client.finish();
  settle();
  client.close();
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\nabc");
  settle();
  finish_answer(blue_, some_bytes(20'000 - 3));
  expect_499();
}

TEST_P(Aborts, InGreatNumberLeaveNothingBehind) {
  table_.colors[kBlue].slots = 2;
  for (int i = 0; i < 30; ++i) {
    MemoryPeer& client = connect();
    send(client, i % 3 == 0 ? "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"
                            : get_head("/x"));
    client.reset();
    if (i % 4 == 0) settle();
  }
  settle();
  for (const auto& peer : blue_.server.peers) peer->send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_LE(blue_.requests.size(), 8u) << "who left in the line was not sent";
  expect_499(30);
}

}  // namespace
}  // namespace relay
