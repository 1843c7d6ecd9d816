// The network in memory must behave as the real one does, or tests on it show nothing.
#include "tests/support/memory_loop.h"

#include <gtest/gtest.h>

#include "tests/support/memory_peer.h"

namespace support {
namespace {

using base::ErrorCode;
using base::Millis;

const base::Address kHere = *base::parse_address("10.0.0.1:80");

// Writes down how a connect ended.
struct Outcome final : base::ConnectHandler {
  void on_connected(std::unique_ptr<base::Stream> connected) override {
    stream = std::move(connected);
  }
  void on_connect_failed(const base::Error& reason) override { error = reason.code; }
  std::unique_ptr<base::Stream> stream;
  std::optional<ErrorCode> error;
};

TEST(MemoryLoop, CarriesBytesBothWaysInPiecesOfTheReadSize) {
  for (const size_t read_size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, SIZE_MAX}) {
    MemoryLoop loop({.read_size = read_size});
    MemoryServer server(loop, kHere);
    size_t reads = 0;
    server.when_accepted = [&](MemoryPeer& peer) {
      peer.when_bytes = [&](MemoryPeer& self) {
        ++reads;
        if (self.received == "ping pong") self.send("answer");
      };
    };
    MemoryPeer client(loop, kHere);
    client.send("ping ");
    client.send("pong");
    loop.run_until_idle();
    EXPECT_EQ(server.peers.at(0)->received, "ping pong");
    EXPECT_EQ(client.received, "answer");
    EXPECT_EQ(reads, read_size == SIZE_MAX ? 1 : (9 + read_size - 1) / read_size);
  }
}

TEST(MemoryLoop, RefusesConnectsWhereNobodyListens) {
  MemoryLoop loop;
  Outcome outcome;
  const auto connecting = loop.connect(kHere, outcome);
  EXPECT_EQ(outcome.error, std::nullopt) << "never from inside connect";
  loop.run_until_idle();
  EXPECT_EQ(outcome.error, ErrorCode::connect_refused);
}

TEST(MemoryLoop, HangsAndFailsConnectsOnDemand) {
  MemoryLoop loop;
  MemoryServer server(loop, kHere);
  loop.hang(kHere);
  Outcome outcome;
  auto connecting = loop.connect(kHere, outcome);
  loop.advance(Millis(60'000));
  EXPECT_EQ(outcome.error, std::nullopt);
  EXPECT_EQ(outcome.stream, nullptr);
  loop.heal(kHere);
  loop.run_until_idle();
  EXPECT_NE(outcome.stream, nullptr);
  loop.fail(kHere, {ErrorCode::connect_failed, base::Side::proxy, "no port"});
  connecting = loop.connect(kHere, outcome);
  loop.run_until_idle();
  EXPECT_EQ(outcome.error, ErrorCode::connect_failed);
}

TEST(MemoryLoop, TellsAFinFromAReset) {
  MemoryLoop loop;
  MemoryServer server(loop, kHere);
  MemoryPeer polite(loop, kHere);
  MemoryPeer rude(loop, kHere);
  loop.run_until_idle();
  polite.send("bye");
  polite.close();
  rude.send("half a");
  rude.reset();
  loop.run_until_idle();
  EXPECT_EQ(server.peers.at(0)->received, "bye");
  EXPECT_TRUE(server.peers[0]->ended);
  EXPECT_FALSE(server.peers[0]->broken);
  EXPECT_EQ(server.peers.at(1)->received, "half a");
  EXPECT_FALSE(server.peers[1]->ended);
  EXPECT_TRUE(server.peers[1]->broken);
}

TEST(MemoryLoop, ClosingOverUnreadBytesResets) {
  MemoryLoop loop;
  MemoryServer server(loop, kHere);
  server.when_accepted = [](MemoryPeer& peer) { peer.stall(); };
  MemoryPeer client(loop, kHere);
  client.send("never read");
  loop.run_until_idle();
  server.peers.at(0)->close();
  loop.run_until_idle();
  EXPECT_TRUE(client.broken);
  EXPECT_FALSE(client.ended);
}

TEST(MemoryLoop, AWriteToAClosedPeerBreaksLater) {
  MemoryLoop loop;
  MemoryServer server(loop, kHere);
  MemoryPeer client(loop, kHere);
  loop.run_until_idle();
  server.peers.at(0)->close();
  loop.run_until_idle();
  EXPECT_TRUE(client.ended);
  client.send("x");
  EXPECT_FALSE(client.broken) << "never from inside write";
  loop.run_until_idle();
  EXPECT_TRUE(client.broken);
}

TEST(MemoryLoop, HoldsBackAWriterWhoseReaderStalls) {
  MemoryLoop loop({.capacity = 1000});
  MemoryServer server(loop, kHere);
  server.when_accepted = [](MemoryPeer& peer) { peer.stall(); };
  MemoryPeer client(loop, kHere);
  const std::string body(5000, 'b');
  client.send(body);
  client.finish();
  loop.run_until_idle();
  EXPECT_EQ(client.unsent(), 4000u);
  server.peers.at(0)->read_on();
  loop.run_until_idle();
  EXPECT_EQ(client.unsent(), 0u);
  EXPECT_EQ(server.peers[0]->received, body);
  EXPECT_TRUE(server.peers[0]->ended);
}

TEST(MemoryLoop, ResetsWhatWaitsAtAListenerThatCloses) {
  MemoryLoop loop;
  MemoryServer server(loop, kHere);
  MemoryPeer client(loop, kHere);
  server.stop();
  loop.run_until_idle();
  EXPECT_TRUE(client.broken);
}

TEST(MemoryLoop, FiresTimersAsItsTimePasses) {
  MemoryLoop loop;
  struct Ring {
    MemoryLoop& loop;
    std::vector<base::Instant> rings;
    base::Timer timer{loop.timers(), this, base::fires<&Ring::ring>};
    void ring() {
      rings.push_back(loop.now());
      if (rings.size() < 3) timer.start(Millis(1000));
    }
  } ring{loop, {}};
  const base::Instant begin = loop.now();
  ring.timer.start(Millis(1000));
  loop.advance(Millis(999));
  EXPECT_TRUE(ring.rings.empty());
  loop.advance(Millis(9001));
  ASSERT_EQ(ring.rings.size(), 3u);
  EXPECT_LT(ring.rings[2] - begin, Millis(3000 + 3 * 17));
  EXPECT_EQ(loop.now() - begin, Millis(10'000));
}

TEST(MemoryLoop, RunsPostedClosuresAndDestroysDisposedObjects) {
  struct Flag final : base::Disposable {
    explicit Flag(bool& flag) : gone(flag) {}
    ~Flag() override { gone = true; }
    bool& gone;
  };
  MemoryLoop loop;
  bool gone = false;
  loop.mailbox().post([&] {
    loop.dispose(std::make_unique<Flag>(gone));
    EXPECT_FALSE(gone);
  });
  EXPECT_FALSE(gone);
  loop.run_until_idle();
  EXPECT_TRUE(gone);
}

TEST(FakeClock, ItsWallJumpsAlone) {
  FakeClock clock;
  const base::Instant now = clock.now();
  const base::WallTime wall = clock.wall();
  clock.jump_wall(Millis(-5000));
  EXPECT_EQ(clock.now(), now);
  EXPECT_EQ(clock.wall(), wall - Millis(5000));
  clock.advance(std::chrono::microseconds(1500));
  clock.advance(std::chrono::microseconds(500));
  EXPECT_EQ(clock.now(), now + Millis(2));
  EXPECT_EQ(clock.wall(), wall - Millis(4998));
}

}  // namespace
}  // namespace support
