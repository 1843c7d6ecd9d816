// Faults of the relay around slots, connects and tables.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Attempts : public WholeReads {};

// A connect that was given up while its success was already on the way called back somebody who
// was no longer there.
TEST_F(Attempts, ThatEndInTheTurnInWhichTheyConnectAreCalledBackByNobody) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  loop_.heal(blue_.server.address());
  loop_.mailbox().post([&] { worker_->cut(kBlue); });
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).status, 503);
  EXPECT_TRUE(blue_.requests.empty());
}

TEST_F(Attempts, ThatEndInTheTurnInWhichTheirConnectFailsAreCalledBackByNobody) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.server.stop();
  loop_.heal(blue_.server.address());
  loop_.mailbox().post([&] { worker_->cut(kBlue); });
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).status, 503);
}

// The pool and the table are told apart; while they differed, the same slot was taken and given
// back until the stack ended.
TEST_F(Attempts, WithASlotThatTheTableDoesNotKnowEnd) {
  table_.colors[kGreen].up = false;
  table_.colors[kBlue].http[0].usable = false;
  connect();
  core_->slots[kBlue]->configure(std::vector<SlotPool::Backend>{{0, 2, true}});
  const Answer answer = get("/x");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(taken(kBlue), 0);
}

// The route that an exchange remembered belonged to a table that was gone.
TEST_F(Attempts, ThatAreChosenAgainAfterARetryKnowTheirRoute) {
  table_.colors[kGreen].slots = 1;
  green_.answer.clear();
  send(connect(), get_head("/1", cookie(kGreen, 1)));
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/2", cookie(kBlue, 2)));
  publish();
  loop_.heal(blue_.server.address());
  blue_.server.stop();
  settle();
  ASSERT_EQ(in_flight(kGreen, Kind::queued), 1);
  // A grant of an address that is not usable any more: chosen again, without a new table.
  core_->slots[kGreen]->configure(std::vector<SlotPool::Backend>{{1, 1, true}, {77, 1, true}});
  settle();
  core_->slots[kGreen]->configure(std::vector<SlotPool::Backend>{{1, 1, true}});
  green_.peer(0).send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  if (green_.requests.size() > 1) green_.peer(1).send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_GE(read_answers(client.take()).at(0).status, 200);
}

TEST_F(Attempts, OfATesterAreNotSentToAColorThatClosed) {
  table_.colors[kBlue].slots = 1;
  route("web").pin = kBlue;
  blue_.answer.clear();
  send(connect(), get_head("/1"));
  MemoryPeer& client = connect();
  send(client, get_head("/2"));
  table_.colors[kBlue].state = routing::ColorState::closing;
  publish();
  blue_.peer(0).send("HTTP/1.0 204 No\r\n\r\n");
  settle();
  EXPECT_EQ(blue_.requests.size(), 1u);
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::held), 1);
}

// While websockets of a draining color are told to go, those that come back go to the other.
TEST_F(Attempts, OfWebsocketsGoWhereTheyMayStay) {
  for (ScriptedBackend* backend : {&blue_websocket_, &green_websocket_}) {
    backend->answer = kSwitched;
    backend->closes = false;
  }
  connect();
  table_.colors[kBlue].state = routing::ColorState::draining;
  publish();
  worker_->close_websockets(kBlue, 0ms);
  MemoryPeer& client = connect();
  std::string request = upgrade();
  request.insert(request.size() - 2, cookie(kBlue));
  send(client, request);
  EXPECT_EQ(read_answers(client.take()).at(0).field("Set-Cookie"), "");
  EXPECT_EQ(in_flight(kGreen, Kind::websocket), 1);
  EXPECT_EQ(get("/x", cookie(kBlue)).field("Set-Cookie"), "") << "pages stay with their color";
  EXPECT_EQ(blue_.requests.size(), 1u);
}

TEST_F(Attempts, OfOptionsThatMayGoNoFurtherAreAnsweredHere) {
  const std::vector<Answer> answers =
      read_answers(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n"));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_NE(answers[0].field("Allow").find("OPTIONS"), std::string::npos);
  EXPECT_TRUE(blue_.requests.empty());
  ask("OPTIONS /x HTTP/1.1\r\nHost: a\r\nMax-Forwards: 1\r\n\r\n");
  EXPECT_NE(blue_.head(0).find("\r\nMax-Forwards: 0\r\n"), std::string::npos);
}

}  // namespace
}  // namespace relay
