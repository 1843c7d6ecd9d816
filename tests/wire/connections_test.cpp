// Which connection serves whom, and for how long (cases B49 to B53, B56 to B58).
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/recorder.h"

namespace wire {
namespace {

using harness::Answer;
using harness::await;
using harness::Millis;
using harness::Peer;
using harness::plain_answer;
using harness::RawClient;
using harness::ScriptedBackend;
using harness::SidecarProcess;

const std::string kUpgrade =
    "GET /websocket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const std::string kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

harness::SidecarSetup in_front_of(const ScriptedBackend& backend,
                                  std::map<std::string, std::string> keys = {}) {
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "64", false}};
  setup.keys = std::move(keys);
  return setup;
}

// B49
TEST(Retries, APostThatWasReadIsNotSentAgain) {
  std::atomic<int> executed{0};
  const auto swallow = [&](Peer& peer, const std::string& head) {
    if (head.rfind("POST", 0) != 0) return (void)peer.send(plain_answer(200, "ok"));
    if (peer.read_body(2) == "hi") ++executed;
  };
  const ScriptedBackend one(swallow);
  const ScriptedBackend two(swallow);
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {one.address()}, {one.address()}, "8", false},
                  {"green", 1, {two.address()}, {two.address()}, "8", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(harness::post(sidecar.port(), "/pay", "hi").status, 502);
    EXPECT_EQ(executed, i + 1);
  }
}

// B49: a connection that was refused has seen no byte.
TEST(Retries, APostGoesElsewhereWhenTheConnectionIsRefused) {
  auto down = std::make_unique<ScriptedBackend>();
  std::atomic<int> executed{0};
  const ScriptedBackend up([&](Peer& peer, const std::string& head) {
    if (head.rfind("POST", 0) == 0 && peer.read_body(2) == "hi") ++executed;
    peer.send(plain_answer(200, "ok"));
  });
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {down->address()}, {up.address()}, "8", false},
                  {"green", 1, {up.address()}, {up.address()}, "8", false}};
  // So slow that no probe finds out before the requests do.
  setup.keys["health"] = "{ interval: 60s, rise: 1, fall: 3 }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  down.reset();
  for (int i = 0; i < 30; ++i) {  // all of them drawn to green: once in 10^9
    EXPECT_EQ(harness::post(sidecar.port(), "/pay", "hi").status, 200);
    EXPECT_EQ(executed, i + 1);
  }
  EXPECT_GE(sidecar.scrape().sum("sidecar_retries_total"), 1);
}

// B50
TEST(LateAnswers, ReachNobody) {
  std::atomic<int> closed{0};
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    if (head.find("/slow") == std::string::npos) return (void)peer.send(plain_answer(200, "fresh"));
    if (peer.is_closed_within(Millis{10'000})) ++closed;
    peer.send(plain_answer(200, "late"));
  });
  SidecarProcess sidecar(
      in_front_of(backend, {{"routes", "[{ name: web, prefix: /, answer_timeout: 1s }]"}}));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  for (int i = 0; i < 2; ++i) {
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, 504);
    await("its connection to be closed", [&] { return closed == i + 1; });
    client.send("GET /quick HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "fresh");
  }
}

// B51
TEST(Tunnels, ABackendThatDiesAfterThe101IsNotAskedAgain) {
  for (const bool resets : {false, true}) {
    const ScriptedBackend backend([&](Peer& peer, const std::string&) {
      peer.send(kSwitch);
      if (resets) peer.reset();
    });
    SidecarProcess sidecar(in_front_of(backend));
    sidecar.wait_until_up({"blue"});
    RawClient client(sidecar.port());
    client.send(kUpgrade);
    EXPECT_EQ(client.read_answer().status, 101);
    EXPECT_TRUE(client.is_closed_within(Millis{5'000}));
    client.socket().close();
    await("the tunnel to be gone",
          [&] { return sidecar.scrape().sum("odoo_active_requests") == 0; });
    EXPECT_EQ(backend.heads().size(), 1u);
  }
}

// B52
TEST(Tunnels, EarlyBytesPassInOrder) {
  const ScriptedBackend backend([](Peer& peer, const std::string&) {
    peer.send(kSwitch + "\x81\x02hi");  // one segment
    const std::string early = peer.read_body(4);
    peer.send("got " + early + peer.read_body(2));
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send(kUpgrade + "ab");
  client.send("cd");
  EXPECT_EQ(client.read_answer().status, 101);
  EXPECT_EQ(client.read_exactly(4), "\x81\x02hi");
  client.send("ef");
  EXPECT_EQ(client.read_exactly(10), "got abcdef");
}

// B52
TEST(Tunnels, RefusedUpgradesLeaveNoDescriptor) {
  const ScriptedBackend backend(
      [](Peer& peer, const std::string&) { peer.send(plain_answer(403, "no")); });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  const long before = harness::open_descriptors(sidecar.pid());
  for (int i = 0; i < 500; ++i) {
    RawClient client(sidecar.port());
    client.send(kUpgrade + "early");
    ASSERT_EQ(client.read_answer().status, 403);
    ASSERT_TRUE(client.is_closed_within(Millis{5'000}));
  }
  await("their descriptors to be closed",
        [&] { return harness::open_descriptors(sidecar.pid()) <= before + 8; });
}

// B53
TEST(Tunnels, AnEndIsPassedOnBehindTheLastByte) {
  const std::string megabyte(1 << 20, 'x');
  std::string arrived;
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    peer.send(kSwitch);
    if (head.find("/up") != std::string::npos) {
      arrived = peer.read_body(SIZE_MAX);  // until the client's end
      peer.send("thanks");
    } else {
      peer.send(megabyte);
    }
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  RawClient up(sidecar.port());
  std::string upgrade = kUpgrade;
  upgrade.replace(upgrade.find("/websocket"), 10, "/websocket/up");
  up.send(upgrade);
  EXPECT_EQ(up.read_answer().status, 101);
  up.send(megabyte);
  up.socket().finish();
  EXPECT_EQ(up.read_until_close(), "thanks");
  EXPECT_TRUE(arrived == megabyte);

  RawClient down(sidecar.port(), Millis{20'000}, 8192);
  down.send(kUpgrade);
  EXPECT_EQ(down.read_answer().status, 101);
  await("the backend to be done", [&] { return backend.open_now() == 0; });
  EXPECT_TRUE(down.read_until_close() == megabyte);
}

// B56
TEST(Slowness, OfAHeadEndsAtItsDeadlineAndDelaysNobody) {
  constexpr int kSlow = 300;
  const ScriptedBackend backend;
  SidecarProcess sidecar(in_front_of(
      backend, {{"timeouts", "{ first_byte: 1500ms, head: 1500ms, body_idle: 1500ms }"}}));
  sidecar.wait_until_up({"blue"});
  std::vector<RawClient> slow;
  for (int i = 0; i < kSlow; ++i) slow.emplace_back(sidecar.port());
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: " + std::string(4096, 'x');
  size_t at = 0;
  double slowest = 0;
  const auto start = harness::SteadyClock::now();
  const auto all_closed = [&] {
    size_t closed = 0;
    for (RawClient& client : slow) {
      if (client.socket().receive(client.pending(), 4096, Millis{0}) == 0) ++closed;
    }
    return closed == slow.size();
  };
  // A byte for each, a healthy client, and again: their deadline is absolute.
  while (!all_closed()) {
    for (RawClient& client : slow) client.socket().send(head.substr(at, 1));
    at = (at + 1) % head.size();
    const auto asked = harness::SteadyClock::now();
    EXPECT_EQ(harness::get(sidecar.port(), "/").status, 200);
    slowest = std::max(slowest, harness::seconds_since(asked));
    ASSERT_LT(harness::seconds_since(start), 10.0 * harness::kSlowness);
  }
  EXPECT_LT(slowest, 0.1 * harness::kSlowness);
  for (RawClient& client : slow) {
    EXPECT_EQ(client.pending().find("HTTP/1.1 408 "), 0u) << client.pending();
  }
}

TEST(Slowness, OfABodyEndsAtItsDeadline) {
  const ScriptedBackend backend;
  SidecarProcess sidecar(in_front_of(backend, {{"timeouts", "{ body_idle: 300ms }"}}));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(client.read_until_close(), "");
  EXPECT_EQ(backend.heads().size(), 0u);
}

// One byte now and then keeps no connection for ever: below the rate it ends.
TEST(Slowness, OfADribblingBodyEndsBelowTheRate) {
  const ScriptedBackend backend;
  SidecarProcess sidecar(in_front_of(backend, {{"timeouts", "{ body_idle: 5s, body_grace: 1s }"}}));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n");
  const auto start = harness::SteadyClock::now();
  while (client.socket().receive(client.pending(), 4096, Millis{50}) == -2) {
    client.socket().send("x");
    ASSERT_LT(harness::seconds_since(start), 4.0 * harness::kSlowness);
  }
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_EQ(backend.heads().size(), 0u);
}

// B57
TEST(LiveTransfers, OutliveTheLimitsOfIdleConnections) {
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    if (head.find("/websocket") != std::string::npos) {
      peer.send(kSwitch);
      for (int i = 0; i < 8; ++i) {  // a ping, as Odoo sends them
        if (peer.is_closed_within(Millis{250})) return;
        peer.send(std::string("\x89\0", 2));
      }
      return;
    }
    EXPECT_FALSE(peer.is_closed_within(Millis{1'500})) << "a report takes its time";
    peer.send(plain_answer(200, "report"));
  });
  SidecarProcess sidecar(
      in_front_of(backend, {{"timeouts",
                             "{ keep_alive: 500ms, first_byte: 500ms, head: 500ms, "
                             "body_idle: 500ms, send_idle: 500ms, tunnel_idle: 700ms }"}}));
  sidecar.wait_until_up({"blue"});
  RawClient websocket(sidecar.port());
  websocket.send(kUpgrade);
  EXPECT_EQ(websocket.read_answer().status, 101);
  RawClient report(sidecar.port());
  report.send("POST /report HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(report.read_answer().body, "report");
  const auto idle = harness::SteadyClock::now();
  EXPECT_EQ(websocket.read_until_close().size(), 16u) << "all eight pings";
  EXPECT_TRUE(report.is_closed_within(Millis{5'000}));
  EXPECT_GT(harness::seconds_since(idle), 0.4) << "not before its time";
}

// B58
TEST(Shutdown, LosesNoRequest) {
  constexpr int kThreads = 8;
  const ScriptedBackend backend;
  for (int round = 0; round < 3; ++round) {
    SidecarProcess sidecar(in_front_of(backend));
    sidecar.wait_until_up({"blue"});
    std::atomic<int> answered{0};
    std::atomic<int> lost{0};
    std::atomic<int> announced{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        try {
          RawClient client(sidecar.port());
          while (true) {
            // Closed between two requests: no request was lost.
            if (client.is_closed_within(Millis{0})) return;
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            const Answer answer = client.read_answer();
            if (answer.status != 200 || !answer.whole) ++lost;
            ++answered;
            if (!answer.keeps_connection) {
              ++announced;
              return;
            }
          }
        } catch (const harness::Failure&) {
          ++lost;
        }
      });
    }
    await("some load", [&] { return answered > 200; });
    const std::optional<int> code = sidecar.stop();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(code, 0);
    EXPECT_EQ(lost, 0) << "of " << answered;
    std::printf("%d answered, %d connections told to close\n", answered.load(), announced.load());
  }
}

}  // namespace
}  // namespace wire
