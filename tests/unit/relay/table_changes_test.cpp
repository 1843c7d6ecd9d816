// A new table in every stage of a request: who waits is chosen again, who runs finishes, nobody is
// sent to a closed color.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

using routing::ColorState;

class Tables : public EveryReadSize {
 protected:
  void close(routing::ColorIndex color, ColorState state = ColorState::closing) {
    table_.colors[color].state = state;
    publish();
  }
  int status(MemoryPeer& client) {
    const std::vector<Answer> answers = read_answers(client.take());
    return answers.empty() ? 0 : answers.back().status;
  }
  void answer(ScriptedBackend& backend, size_t index = 0) {
    backend.peer(index).send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
    settle();
  }
};
AT_EVERY_READ_SIZE(Tables);

TEST_P(Tables, ThatCloseAColorWhileABodyArrivesSendItToTheOther) {
  MemoryPeer& client = connect();
  send(client, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
  close(kBlue);
  send(client, "o", 0);
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(green_.body(0), "hello");
  EXPECT_TRUE(blue_.server.peers.empty());
}

TEST_P(Tables, ThatCloseAColorMoveItsQueueToTheOther) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  MemoryPeer& runs = connect();
  send(runs, get_head("/1"));
  MemoryPeer& waits = connect();
  send(waits, post("/2", "abc", cookie(kBlue, 5)));
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1);
  close(kBlue);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 0);
  EXPECT_EQ(core_->slots[kBlue]->waiting(), 0);
  const std::vector<Answer> answers = read_answers(waits.take());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].field("Set-Cookie").rfind("color=1.green.", 0), 0u);
  EXPECT_EQ(green_.body(0), "abc");
  EXPECT_EQ(in_flight(kBlue, Kind::http), 1);
  answer(blue_);
  EXPECT_EQ(status(runs), 200) << "what ran has finished";
  EXPECT_EQ(blue_.requests.size(), 1u);
}

TEST_P(Tables, ThatCloseAColorLetItsConnectsFinish) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  close(kBlue);
  EXPECT_EQ(in_flight(kBlue, Kind::http), 1) << "the drain waits for it";
  loop_.heal(blue_.server.address());
  settle();
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(blue_.requests.size(), 1u);
}

TEST_P(Tables, ThatCloseAColorWhileItsConnectFailsSendTheRequestToTheOther) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  close(kBlue);
  loop_.heal(blue_.server.address());
  blue_.server.stop();
  settle();
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(green_.requests.size(), 1u);
}

TEST_P(Tables, ThatCloseEverythingWhileARetryWaitsHoldIt) {
  table_.colors[kGreen].slots = 1;
  green_.answer.clear();
  MemoryPeer& first = connect();
  send(first, get_head("/1", cookie(kGreen, 1)));
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/2", cookie(kBlue, 2)));
  publish();  // the route that the request remembered belongs to the table before
  loop_.heal(blue_.server.address());
  blue_.server.stop();
  settle();
  EXPECT_EQ(in_flight(kGreen, Kind::queued), 1);
  table_.colors[kBlue].state = ColorState::maint;
  close(kGreen);
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::held), 1);
  green_.answer = blue_.answer;
  close(kGreen, ColorState::ready);
  answer(green_);
  EXPECT_EQ(status(client), 200);
}

TEST_P(Tables, ThatCloseAColorLetItsAnswersFinish) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  blue_.peer(0).send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  settle();
  close(kBlue);
  blue_.peer(0).send("llo");
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, "hello");
}

TEST_P(Tables, ThatOpenAColorServeWhoIsHeld) {
  table_.colors[kBlue].up = table_.colors[kGreen].up = false;
  MemoryPeer& one = connect();
  send(one, get_head("/1"));
  MemoryPeer& two = connect();
  send(two, post("/2", "abc"));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::held), 2);
  EXPECT_EQ(core_->held, 2);
  table_.colors[kGreen].up = true;
  publish();
  EXPECT_EQ(status(one), 200);
  EXPECT_EQ(status(two), 200);
  EXPECT_EQ(green_.requests.size(), 2u);
  EXPECT_EQ(core_->held, 0);
  EXPECT_EQ(worker_->counters().held.sum_us(), 0) << "no time passed";
}

TEST_P(Tables, ThatHoldLetNobodyNewThrough) {
  connect();
  table_.held = true;
  publish();
  MemoryPeer& client = connect();
  send(client, get_head("/x", cookie(kBlue)));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::held), 1);
  pass(5s);
  table_.held = false;
  publish();
  EXPECT_EQ(status(client), 200);
  EXPECT_EQ(tally(Tally::holds), 1);
}

TEST_P(Tables, ThatHoldLetAQueueGoOn) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  MemoryPeer& runs = connect();
  send(runs, get_head("/1"));
  MemoryPeer& waits = connect();
  send(waits, get_head("/2"));
  table_.held = true;
  publish();
  answer(blue_);
  EXPECT_EQ(blue_.requests.size(), 2u) << "it was no longer new";
}

// C46
TEST_P(Tables, HoldSoManyAndRefuseTheRestAtOnce) {
  table_.held = true;
  table_.hold_max = 2;
  for (int i = 0; i < 3; ++i) send(connect(), get_head("/x"));
  EXPECT_EQ(status(*clients_[0]), 0);
  EXPECT_EQ(status(*clients_[1]), 0);
  EXPECT_EQ(status(*clients_[2]), 503);
  EXPECT_EQ(tally(Tally::hold_full), 1);
  clients_[0]->reset();
  settle();
  send(connect(), get_head("/x"));
  EXPECT_EQ(status(*clients_[3]), 0) << "who left has made room";
}

TEST_P(Tables, ThatHoldNobodyRefuseAtOnce) {
  table_.held = true;
  table_.hold_max = 0;
  EXPECT_EQ(get("/x").status, 503);
}

TEST_P(Tables, ThatHoldDoNotHoldOurHealthPage) {
  table_.held = true;
  EXPECT_EQ(get("/.sidecar/health").status, 200);
}

TEST_P(Tables, ThatDrainAColorKeepItsHoldersThere) {
  connect();
  table_.colors[kGreen].weight = 100;
  close(kBlue, ColorState::draining);
  EXPECT_EQ(get("/x", cookie(kBlue)).field("Set-Cookie"), "");
  EXPECT_EQ(blue_.requests.size(), 1u);
  EXPECT_EQ(get("/x").field("Set-Cookie").rfind("color=1.green.", 0), 0u);
}

TEST_P(Tables, ThatDrainAColorSendItsWaitingNewcomersToTheOther) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  send(connect(), get_head("/1"));
  MemoryPeer& newcomer = connect();
  send(newcomer, get_head("/2"));
  MemoryPeer& holder = connect();
  send(holder, get_head("/3", cookie(kBlue, 5)));
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 2);
  close(kBlue, ColorState::draining);
  EXPECT_EQ(status(newcomer), 200);
  EXPECT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1) << "a holder stays";
  answer(blue_);
  EXPECT_EQ(blue_.head(1).rfind("GET /3 ", 0), 0u);
}

TEST_P(Tables, ThatVoidACookieGiveTheNextAnswerAnother) {
  connect();
  table_.colors[kGreen].weight = 100;
  table_.colors[kBlue].weight = 0;
  table_.colors[kBlue].valid_from = 11;
  table_.epoch = 11;
  publish();
  const Answer answer = get("/x", cookie(kBlue, 7, 10));
  EXPECT_EQ(answer.field("Set-Cookie").rfind("color=1.green.", 0), 0u);
  EXPECT_EQ(tally(Tally::cookies_void), 1);
}

TEST_P(Tables, ThatRollBackWhileAnAnswerIsOnItsWayVoidItsCookie) {
  blue_.answer.clear();
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  // The rollback: whoever got blue before epoch 11 is free again.
  table_.epoch = 11;
  table_.colors[kBlue].valid_from = 11;
  table_.colors[kBlue].weight = 0;
  table_.colors[kGreen].weight = 100;
  publish();
  answer(blue_);
  const std::string cookie = read_answers(client.take()).at(0).field("Set-Cookie");
  ASSERT_NE(cookie, "");
  get("/y", "Cookie: " + cookie.substr(0, cookie.find(';')) + "\r\n");
  EXPECT_EQ(green_.requests.size(), 1u) << "it was chosen before the rollback";
}

TEST_P(Tables, WithoutItsRouteRefuseWhoWaits) {
  table_.held = true;
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  table_.routes.pop_back();
  publish();
  EXPECT_EQ(status(client), 404);
}

TEST_P(Tables, ThatDenyARouteRefuseWhoWaitsForIt) {
  table_.held = true;
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  route("web").deny_all = true;
  publish();
  EXPECT_EQ(status(client), 403);
}

TEST_P(Tables, WithoutABackendSendItsQueueToTheOtherAddress) {
  ScriptedBackend second(loop_, "10.0.0.3:8069");
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  send(connect(), get_head("/1"));
  MemoryPeer& waits = connect();
  send(waits, get_head("/2"));
  table_.colors[kBlue].http[0].usable = false;
  table_.colors[kBlue].http.push_back({9, second.server.address(), true});
  publish();
  EXPECT_EQ(status(waits), 200);
  EXPECT_EQ(second.requests.size(), 1u);
  second.server.peers.clear();
}

TEST_P(Tables, WithoutItsBackendEndKeptConnections) {
  table_.colors[kBlue].reuse = true;
  blue_.closes = false;
  blue_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
  EXPECT_EQ(get("/x").body, "x");
  EXPECT_EQ(worker_->counters().backends[0].idle.read(), 1);
  close(kBlue);
  EXPECT_EQ(worker_->counters().backends[0].idle.read(), 0);
  EXPECT_TRUE(blue_.peer(0).ended);
}

TEST_P(Tables, DoNotTouchWhoMayStay) {
  table_.colors[kBlue].slots = 1;
  blue_.answer.clear();
  send(connect(), get_head("/1"));
  MemoryPeer& waits = connect();
  send(waits, get_head("/2"));
  for (int i = 0; i < 10; ++i) {
    table_.colors[kGreen].weight = i;
    publish();
  }
  EXPECT_EQ(in_flight(kBlue, Kind::queued), 1);
  answer(blue_);
  EXPECT_EQ(blue_.requests.size(), 2u);
  answer(blue_, 1);
  EXPECT_EQ(status(waits), 200);
}

TEST_P(Tables, ThatAreCutEndWhatIsInFlightThere) {
  blue_.answer.clear();
  MemoryPeer& runs = connect();
  send(runs, get_head("/1"));
  MemoryPeer& streams = connect();
  send(streams, get_head("/stream"));
  MemoryPeer& other = connect();
  send(other, get_head("/2", cookie(kGreen)));
  close(kBlue);
  worker_->cut(kBlue);
  settle();
  EXPECT_EQ(status(runs), 503);
  EXPECT_EQ(status(streams), 503);
  EXPECT_EQ(status(other), 200);
  EXPECT_EQ(in_flight(kBlue, Kind::http) + in_flight(kBlue, Kind::longpoll), 0);
  EXPECT_EQ(taken(kBlue), 0);
}

TEST_P(Tables, ThatAreCutDoNotCutADeliveryThatNeedsNoBackend) {
  loop_.network().capacity = 1000;
  const std::string body = some_bytes(5000);
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 5000\r\n\r\n" + body;
  MemoryPeer& client = connect();
  client.stall();
  send(client, get_head("/x"));
  EXPECT_EQ(in_flight(routing::kNoColor, Kind::delivering), 1);
  worker_->cut(kBlue);
  client.read_on();
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, body);
}

TEST_P(Tables, ListWhatIsInFlight) {
  blue_.answer.clear();
  table_.colors[kBlue].slots = 1;
  send(connect(), get_head("/1", "X-Forwarded-For: 198.51.100.7\r\nX-Request-Id: one\r\n"));
  pass(3s);
  send(connect(), get_head("/2"));
  send(connect(), "POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
  std::vector<routing::InFlightEntry> entries;
  worker_->list(routing::kNoColor, 10, entries);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].request_id, "one");
  EXPECT_EQ(entries[0].peer, "198.51.100.7");
  EXPECT_EQ(entries[0].kind, Kind::http);
  EXPECT_GE(entries[0].age, 3s);
  entries.clear();
  worker_->list(kBlue, 10, entries);
  EXPECT_EQ(entries.size(), 2u);
  entries.clear();
  worker_->list(routing::kNoColor, 1, entries);
  EXPECT_EQ(entries.size(), 1u);
}

}  // namespace
}  // namespace relay
