// Copies of safe requests to the other color: they cannot hurt.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Mirrored : public EveryReadSize {
 protected:
  Mirrored() { table_.mirror = {kGreen, 100, 2, 10'000ms}; }
};
AT_EVERY_READ_SIZE(Mirrored);

// C48
TEST_P(Mirrored, AGetGoesToBothAndTheUserSeesOne) {
  green_.answer = "HTTP/1.0 500 NO\r\nContent-Length: 5\r\n\r\ngreen";
  const Answer answer = get("/web", cookie(kBlue));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
  ASSERT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(green_.head(0), blue_.head(0)) << "the same request";
  EXPECT_EQ(tally(Tally::mirrors), 1);
  EXPECT_EQ(tally(Tally::mirrors_failed), 0) << "any whole answer is one";
  EXPECT_EQ(accounted(), 1) << "no request of a user";
}

// C48
TEST_P(Mirrored, NoPostAndNoBodyIsEverCopied) {
  MemoryPeer& client = connect();
  send(client, post("/web", "a=1", cookie(kBlue)));
  send(client, "GET /web HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + cookie(kBlue) + "\r\nx");
  EXPECT_EQ(blue_.requests.size(), 2u);
  EXPECT_TRUE(green_.requests.empty());
  EXPECT_EQ(tally(Tally::mirrors), 0);
}

TEST_P(Mirrored, WhatTheColorServesItselfIsNotCopied) {
  EXPECT_EQ(get("/web", cookie(kGreen)).status, 200);
  EXPECT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(tally(Tally::mirrors), 0);
}

// C48, C34: green hangs; no more than two copies are under way, the rest is dropped and counted,
// and blue's users notice nothing.
TEST_P(Mirrored, AColorThatHangsCostsItsUsersNothing) {
  green_.answer = "";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/web", cookie(kBlue)).status, 200);
  EXPECT_EQ(in_flight(kGreen, Kind::mirror), 2);
  EXPECT_EQ(in_flight(kGreen, Kind::http), 0);
  EXPECT_EQ(tally(Tally::mirrors), 2);
  EXPECT_EQ(tally(Tally::mirrors_dropped), 3);
  pass(10'001ms);
  EXPECT_EQ(in_flight(kGreen, Kind::mirror), 0) << "its time is over";
  EXPECT_EQ(tally(Tally::mirrors_failed), 2);
  EXPECT_EQ(taken(kGreen), 0);
}

TEST_P(Mirrored, OnlySpareSlotsAreTaken) {
  table_.colors[kGreen].slots = 1;
  green_.answer = "";
  MemoryPeer& user = connect();
  send(user, get_head("/web", cookie(kGreen)));
  EXPECT_EQ(get("/web", cookie(kBlue)).status, 200);
  EXPECT_EQ(tally(Tally::mirrors_dropped), 1);
  green_.last().send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
  settle();
  EXPECT_EQ(read_answers(user.take()).size(), 1u);
}

TEST_P(Mirrored, BreaksAlone) {
  green_.answer = "";
  green_.when_whole = [](MemoryPeer& peer) { peer.reset(); };
  EXPECT_EQ(get("/web", cookie(kBlue)).status, 200);
  green_.server.stop();
  EXPECT_EQ(get("/web", cookie(kBlue)).status, 200);
  EXPECT_EQ(tally(Tally::mirrors_failed), 2);
  table_.colors[kGreen].state = routing::ColorState::draining;
  publish();
  EXPECT_EQ(get("/web", cookie(kBlue)).status, 200);
  EXPECT_EQ(tally(Tally::mirrors), 2) << "a color that drains gets no copies";
}

}  // namespace
}  // namespace relay
