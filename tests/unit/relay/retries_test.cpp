// What is sent a second time, and what never is; and which cookie tells the tale.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Retries : public EveryReadSize {
 protected:
  void refuse(ScriptedBackend& backend) { backend.server.stop(); }
  void add_backend(routing::ColorIndex color, routing::BackendId id,
                   const ScriptedBackend& backend) {
    table_.colors[color].http.push_back({id, backend.server.address(), true});
  }
  // Both colors' cookies: "blue" and so on, "" without one, home behind a dot.
  std::string color_of(const Answer& answer) {
    const std::string cookie = answer.field("Set-Cookie");
    if (cookie.empty() || cookie == "twice") return cookie;
    routing::AffinitySigner signer(table_.cookie_keys);
    const std::string text = cookie.substr(6, cookie.find(';') - 6);
    const auto affinity = signer.read(text, table_, UINT64_MAX / 2);
    if (!affinity) return "unreadable";
    std::string name = table_.colors[affinity->color].name;
    if (affinity->home != routing::kNoColor) name += "." + table_.colors[affinity->home].name;
    return name;
  }
};
AT_EVERY_READ_SIZE(Retries);

TEST_P(Retries, GoToTheOtherColorWithOneCookieThatRemembersHome) {
  refuse(blue_);
  const Answer answer = get("/x", cookie(kBlue, 77));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(color_of(answer), "green.blue");
  EXPECT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(tally(Tally::retries), 1);
  EXPECT_EQ(tally(Tally::affinity_moved_down), 1);
  EXPECT_EQ(tally(Tally::connect_failures), 1);
  EXPECT_EQ(worker_->counters().backends[0].failed.read(), 1);
  EXPECT_EQ(taken(kBlue), 0);
}

TEST_P(Retries, OfWhoHadNoCookieGiveOneForWhereItWasServed) {
  refuse(blue_);
  const Answer answer = get("/x");
  EXPECT_EQ(color_of(answer), "green");
  EXPECT_EQ(tally(Tally::affinity_moved_down), 0) << "it held nothing that could move";
}

TEST_P(Retries, SendAnUploadWholeToTheOther) {
  refuse(blue_);
  const std::string body = some_bytes(3000);
  EXPECT_EQ(read_answers(ask(post("/x", body))).at(0).status, 200);
  EXPECT_EQ(green_.body(0), body);
}

TEST_P(Retries, StayWithTheColorIfItHasAnotherBackend) {
  ScriptedBackend second(loop_, "10.0.0.3:8069");
  add_backend(kBlue, 9, second);
  table_.colors[kBlue].slots = 3;
  refuse(blue_);
  for (int i = 0; i < 3; ++i) {
    const Answer answer = get("/x", cookie(kBlue));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(color_of(answer), "");
  }
  EXPECT_EQ(second.requests.size(), 3u);
  EXPECT_EQ(green_.requests.size(), 0u);
  second.server.peers.clear();
}

TEST_P(Retries, AreNotTriedAThirdTime) {
  refuse(blue_);
  refuse(green_);
  const Answer answer = get("/x", cookie(kBlue));
  EXPECT_EQ(answer.status, 502);
  EXPECT_EQ(answer.field("Set-Cookie"), "");
  EXPECT_NE(answer.field("Retry-After"), "");
  EXPECT_EQ(tally(Tally::connects), 2);
}

TEST_P(Retries, DoNotMoveATesterOrAPinnedRoute) {
  route("web").pin = kBlue;
  refuse(blue_);
  EXPECT_EQ(get("/x").status, 502);
  EXPECT_EQ(green_.requests.size(), 0u);
  EXPECT_EQ(tally(Tally::retries), 0);
  EXPECT_EQ(tally(Tally::retries_refused), 0);
}

TEST_P(Retries, DoNotGoToAColorThatTakesNobodyNew) {
  table_.colors[kGreen].state = routing::ColorState::draining;
  refuse(blue_);
  EXPECT_EQ(get("/x", cookie(kBlue)).status, 502);
  EXPECT_EQ(green_.requests.size(), 0u);
}

// C44
TEST_P(Retries, NeverDoubleAPostThatWasRead) {
  blue_.when_whole = [](MemoryPeer& peer) { peer.close(); };
  EXPECT_EQ(read_answers(ask(post("/x", "abc"))).at(0).status, 502);
  EXPECT_EQ(blue_.requests.size(), 1u);
  EXPECT_EQ(green_.requests.size(), 0u);
}

TEST_P(Retries, NeverDoubleAPostThatWasHalfRead) {
  blue_.server.when_accepted = [](MemoryPeer& peer) {
    peer.when_bytes = [](MemoryPeer& reader) { reader.reset(); };
  };
  EXPECT_EQ(read_answers(ask(post("/x", "abc"))).at(0).status, 502);
  EXPECT_EQ(green_.requests.size(), 0u);
}

TEST_P(Retries, OfReadingsAreAChoiceOfTheConfig) {
  blue_.when_whole = [](MemoryPeer& peer) { peer.close(); };
  EXPECT_EQ(get("/x").status, 502);
  EXPECT_EQ(green_.requests.size(), 0u);
}

TEST_P(Retries, OfReadingsHappenOnceWhereTheConfigSaysSo) {
  config_.retry_safe_methods = true;
  blue_.when_whole = [](MemoryPeer& peer) { peer.close(); };
  EXPECT_EQ(get("/x").status, 200);
  EXPECT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(read_answers(ask(post("/x", "abc"))).at(0).status, 502);
  EXPECT_EQ(green_.requests.size(), 1u);
}

TEST_P(Retries, StopWhenTheirBudgetIsSpent) {
  refuse(blue_);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(get("/x").status, 200);
  EXPECT_EQ(get("/x").status, 502);
  EXPECT_EQ(tally(Tally::retries), 10);
  EXPECT_EQ(tally(Tally::retries_refused), 1);
  pass(11s);
  EXPECT_EQ(get("/x").status, 200);
}

TEST_P(Retries, AfterAConnectThatHungGoToTheOther) {
  connect();
  loop_.hang(blue_.server.address());
  MemoryPeer& client = connect();
  send(client, get_head("/x"));
  pass(3100ms);
  EXPECT_EQ(read_answers(client.take()).at(0).status, 200);
  EXPECT_EQ(green_.requests.size(), 1u);
}

TEST_P(Retries, WaitInTheOtherColorsLine) {
  table_.colors[kGreen].slots = 1;
  green_.answer.clear();
  MemoryPeer& first = connect();
  send(first, get_head("/1", cookie(kGreen, 1)));
  refuse(blue_);
  MemoryPeer& second = connect();
  send(second, get_head("/2", cookie(kBlue, 2)));
  EXPECT_EQ(in_flight(kGreen, Kind::queued), 1);
  EXPECT_EQ(in_flight(kBlue, Kind::http), 0);
  green_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
  green_.peer(0).send(green_.answer);
  settle();
  EXPECT_EQ(read_answers(second.take()).at(0).status, 200);
}

TEST_P(Retries, OnTheWebsocketPortGoToTheOtherColorToo) {
  refuse(blue_websocket_);
  green_websocket_.answer = kSwitched;
  green_websocket_.closes = false;
  MemoryPeer& client = connect();
  send(client, upgrade());
  EXPECT_EQ(read_answers(client.take()).at(0).status, 101);
  EXPECT_EQ(in_flight(kGreen, Kind::websocket), 1);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(Retries, OnTheWebsocketPortWithoutAnotherFail) {
  refuse(blue_websocket_);
  table_.colors[kGreen].websocket.clear();
  MemoryPeer& client = connect();
  send(client, upgrade());
  EXPECT_EQ(read_answers(client.take()).at(0).status, 502);
}

}  // namespace
}  // namespace relay
