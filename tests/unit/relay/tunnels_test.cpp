// Upgrades and what follows: only a 101 opens a tunnel, every byte passes in its order, and a
// goodbye of ours stands between two frames.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

// A text frame; of a client: masked with zeros.
std::string frame(const std::string& text, bool masked = false) {
  std::string bytes = {'\x81', static_cast<char>(text.size() | (masked ? 0x80 : 0))};
  if (masked) bytes += std::string(4, '\0');
  return bytes + text;
}

const std::string kClose1012("\x88\x02\x03\xf4", 4);  // unmasked

class Tunnels : public EveryReadSize {
 protected:
  Tunnels() {
    blue_websocket_.answer = kSwitched;
    blue_websocket_.closes = false;
    green_websocket_.answer = kSwitched;
    green_websocket_.closes = false;
  }
  // A client behind its 101.
  MemoryPeer& open(const std::string& fields = "") {
    MemoryPeer& client = connect();
    std::string request = upgrade();
    request.insert(request.size() - 2, fields);
    send(client, request);
    EXPECT_EQ(read_answers(client.take()).at(0).status, 101);
    backend().take();
    return client;
  }
  MemoryPeer& backend() { return blue_websocket_.last(); }
  // Is this a masked close frame with that code?
  static bool is_masked_close(const std::string& bytes, int code) {
    if (bytes.size() != 8 || bytes[0] != '\x88' || bytes[1] != '\x82') return false;
    const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
    return ((byte(6) ^ byte(2)) << 8 | (byte(7) ^ byte(3))) == code;
  }
};
AT_EVERY_READ_SIZE(Tunnels);

TEST_P(Tunnels, OpenWithA101AndPassEverythingBothWays) {
  MemoryPeer& client = connect();
  send(client, upgrade());
  const Answer answer = read_answers(client.take()).at(0);
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.field("Upgrade"), "websocket");
  EXPECT_EQ(answer.field("Connection"), "Upgrade");
  EXPECT_EQ(answer.field("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.field("Set-Cookie"), "");
  const std::string head = blue_websocket_.head(0);
  EXPECT_NE(head.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), std::string::npos);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 1);
  EXPECT_EQ(accounted_as(101), 1);

  backend().take();
  client.send(frame("hello", true));
  settle();
  EXPECT_EQ(backend().take(), frame("hello", true));
  backend().send(frame("welcome") + frame(""));
  settle();
  EXPECT_EQ(client.take(), frame("welcome") + frame(""));
  EXPECT_EQ(taken(kBlue), 0);
}

TEST_P(Tunnels, DoNotOpenWithAnyOtherAnswerAndNothingBehindItIsARequest) {
  blue_websocket_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno";
  MemoryPeer& client = connect();
  send(client, upgrade() + get_head("/admin"));
  const std::vector<Answer> answers = read_answers(client.take());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_EQ(answers[0].field("Connection"), "close");
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(blue_.requests.empty());
  EXPECT_EQ(backend().received, "");
}

TEST_P(Tunnels, ThatFailToOpenEndTheConnectionToo) {
  table_.colors[kBlue].websocket.clear();
  MemoryPeer& client = connect();
  send(client, upgrade() + get_head("/admin"));
  ASSERT_EQ(read_answers(client.take()).size(), 1u);
  EXPECT_TRUE(client.ended);
  EXPECT_TRUE(blue_.requests.empty());
}

TEST_P(Tunnels, OpenForALoneWebsocketOnly) {
  for (const char* protocols : {"h2c", "foo", "websocket, h2c"}) {
    MemoryPeer& client = connect();
    send(client,
         get_head("/x", std::string("Connection: Upgrade\r\nUpgrade: ") + protocols + "\r\n"));
    EXPECT_EQ(read_answers(client.take()).at(0).status, 200) << protocols;
    EXPECT_EQ(blue_.head(blue_.requests.size() - 1).find("Upgrade"), std::string::npos);
  }
  MemoryPeer& client = connect();
  std::string with_body = upgrade();
  with_body.insert(with_body.size() - 2, "Content-Length: 5\r\n");
  send(client, with_body + "hello");
  EXPECT_EQ(read_answers(client.take()).at(0).status, 400);
}

TEST_P(Tunnels, PassWhatCameEarlyOnlyAfterThe101) {
  blue_websocket_.answer.clear();
  MemoryPeer& client = connect();
  send(client, upgrade() + frame("early", true));
  EXPECT_EQ(backend().received, "") << "held back until the backend has agreed";
  backend().send(std::string(kSwitched) + frame("first"));
  settle();
  EXPECT_EQ(backend().take(), frame("early", true));
  EXPECT_EQ(client.received.substr(client.received.size() - 7), frame("first"));
}

TEST_P(Tunnels, PassALotBothWaysWhileBothAreSlow) {
  loop_.network().capacity = 64;
  MemoryPeer& client = open();
  std::string up;
  std::string down;
  for (int i = 0; i < 40; ++i) {
    up += frame(std::string(100, static_cast<char>('a' + i % 26)), true);
    down += frame(std::string(90, static_cast<char>('A' + i % 26)));
  }
  client.send(up);
  backend().send(down);
  settle();
  EXPECT_EQ(backend().take(), up);
  EXPECT_EQ(client.take(), down);
}

TEST_P(Tunnels, KeepLittleForASideThatDoesNotRead) {
  loop_.network().capacity = 1000;
  MemoryPeer& client = open();
  client.stall();
  backend().send(std::string(20'000, 'x'));
  settle();
  EXPECT_GT(backend().unsent(), 10'000u) << "the backend is made to wait";
  client.read_on();
  settle();
  EXPECT_EQ(client.take(), std::string(20'000, 'x'));
}

TEST_P(Tunnels, EndWhenOneSideEndsAfterItsLastByte) {
  loop_.network().capacity = 500;
  MemoryPeer& client = open();
  const std::string bytes = some_bytes(10'000);
  client.send(bytes);
  client.finish();
  settle();
  EXPECT_EQ(backend().take(), bytes);
  EXPECT_TRUE(backend().ended);
  EXPECT_FALSE(client.ended) << "the other half is still open";
  backend().send("bye");
  backend().finish();
  settle();
  EXPECT_EQ(client.take(), "bye");
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(Tunnels, EndWhenOneSideResets) {
  MemoryPeer& client = open();
  backend().reset();
  settle();
  EXPECT_TRUE(client.ended || client.broken);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
  MemoryPeer& other = open();
  other.reset();
  settle();
  EXPECT_TRUE(backend().ended || backend().broken);
  EXPECT_EQ(accounted(), 2);
}

TEST_P(Tunnels, OutliveEveryTable) {
  MemoryPeer& client = open();
  for (int i = 0; i < 20; ++i) {
    table_.colors[kBlue].weight = i;
    table_.colors[kBlue].up = i % 2 == 0;
    publish();
  }
  client.send(frame("still", true));
  settle();
  EXPECT_EQ(backend().take(), frame("still", true));
}

TEST_P(Tunnels, SayGoodbyeToBothSidesBetweenFrames) {
  MemoryPeer& client = open();
  worker_->close_websockets(kBlue, 0ms);
  pass(20ms);
  EXPECT_EQ(client.take(), kClose1012);
  EXPECT_TRUE(is_masked_close(backend().take(), 1012));
  // The client's echo is not passed on: the backend has its goodbye already.
  client.send(std::string("\x88\x82\0\0\0\0\x03\xf4", 8));
  settle();
  EXPECT_EQ(backend().take(), "");
  client.finish();
  backend().finish();
  settle();
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(Tunnels, SayGoodbyeOnlyWhereAFrameEnds) {
  MemoryPeer& client = open();
  const std::string whole = frame("a long message of the backend");
  backend().send(whole.substr(0, 10));
  settle();
  worker_->close_websockets(kBlue, 0ms);
  pass(20ms);
  EXPECT_EQ(client.take(), whole.substr(0, 10)) << "not inside a frame";
  EXPECT_TRUE(is_masked_close(backend().take(), 1012)) << "the other way is free";
  backend().send(whole.substr(10) + frame("too late"));
  settle();
  EXPECT_EQ(client.take(), whole.substr(10) + kClose1012);
}

TEST_P(Tunnels, WithAnUnfinishedFrameAreCutAfterTenSeconds) {
  MemoryPeer& client = open();
  backend().send(frame("never finished").substr(0, 5));
  settle();
  worker_->close_websockets(kBlue, 0ms);
  pass(9s);
  EXPECT_FALSE(client.ended);
  pass(2s);
  EXPECT_TRUE(client.ended);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(Tunnels, WhoseBackendSaidCloseGetNoSecondGoodbye) {
  MemoryPeer& client = open();
  const std::string theirs("\x88\x02\x0f\xa2", 4);  // 4002
  backend().send(theirs);
  settle();
  worker_->close_websockets(kBlue, 0ms);
  pass(20ms);
  EXPECT_EQ(client.take(), theirs);
}

TEST_P(Tunnels, SayGoodbyeSpreadOverTime) {
  for (int i = 0; i < 10; ++i) open();
  worker_->close_websockets(kBlue, 10s);
  const auto told = [&] {
    int count = 0;
    for (const auto& client : clients_) count += client->received == kClose1012 ? 1 : 0;
    return count;
  };
  for (int second = 0; second < 10; ++second) {
    pass(100ms);
    EXPECT_EQ(told(), second + 1);
    pass(900ms);
  }
}

TEST_P(Tunnels, ToldToGoSoonerGoSooner) {
  MemoryPeer& first = open();
  MemoryPeer& second = open();
  worker_->close_websockets(kBlue, 10min);
  pass(20ms);
  EXPECT_EQ((first.received + second.received), kClose1012) << "one at once, one in five minutes";
  worker_->close_websockets(kBlue, 1s);
  pass(1100ms);
  EXPECT_EQ((first.received + second.received), kClose1012 + kClose1012);
}

TEST_P(Tunnels, OfTheOtherColorAreLeftAlone) {
  MemoryPeer& client = open();
  worker_->close_websockets(kGreen, 0ms);
  pass(1s);
  EXPECT_EQ(client.take(), "");
}

TEST_P(Tunnels, ThatOpenOnAClosingColorAreToldToGo) {
  blue_websocket_.answer.clear();
  MemoryPeer& client = connect();
  send(client, upgrade());
  table_.colors[kBlue].state = routing::ColorState::closing;
  publish();
  worker_->close_websockets(kBlue, 0ms);
  backend().send(kSwitched);
  pass(2s);
  const std::string received = client.take();
  EXPECT_EQ(received.substr(received.size() - 4), kClose1012)
      << "the drain told those that were open; this one was not";
}

TEST_P(Tunnels, SayGoodbyeBeforeTheEndEvenToASlowClient) {
  loop_.network().capacity = 100;
  MemoryPeer& client = open();
  client.stall();
  backend().send(frame(std::string(120, 'x')));
  settle();
  worker_->close_websockets(kBlue, 0ms);
  pass(20ms);
  backend().finish();
  settle();
  client.read_on();
  settle();
  EXPECT_EQ(client.take(), frame(std::string(120, 'x')) + kClose1012);
  EXPECT_TRUE(client.ended);
}

TEST_P(Tunnels, ThatAreCutEndAtOnce) {
  MemoryPeer& client = open();
  worker_->cut(kBlue);
  settle();
  EXPECT_TRUE(client.broken);
  EXPECT_EQ(in_flight(kBlue, Kind::websocket), 0);
}

TEST_P(Tunnels, AreListed) {
  open("X-Forwarded-For: 198.51.100.7\r\n");
  pass(5s);
  std::vector<routing::InFlightEntry> entries;
  worker_->list(kBlue, 10, entries);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].kind, Kind::websocket);
  EXPECT_EQ(entries[0].peer, "198.51.100.7");
  EXPECT_GE(entries[0].age, 5s);
  EXPECT_EQ(worker_->counters().color(kBlue).websocket_lifetime.sum_us(), 0);
}

TEST_P(Tunnels, OnThePortForPagesTakeAThirdOfTheSlots) {
  blue_.answer = kSwitched;
  blue_.closes = false;
  table_.colors[kBlue].slots = 3;
  MemoryPeer& one = connect();
  send(one, upgrade("/x"));
  EXPECT_EQ(read_answers(one.take()).at(0).status, 101);
  MemoryPeer& two = connect();
  send(two, upgrade("/x"));
  EXPECT_EQ(two.take(), "");
  EXPECT_EQ(taken(kBlue), 1);
  one.close();
  blue_.peer(0).close();
  settle();
  EXPECT_EQ(read_answers(two.take()).at(0).status, 101);
}

// C40
TEST_P(Tunnels, LiveLongerThanTheirHandshakeSays) {
  open();
  pass(60s);
  const ColorCells& cells = worker_->counters().color(kBlue);
  EXPECT_EQ(cells.routes[0].latency.sum_us(), 0) << "the handshake took no time";
  clients_[0]->close();
  backend().close();
  settle();
  EXPECT_GE(cells.websocket_lifetime.sum_us(), 60'000'000);
}

}  // namespace
}  // namespace relay
