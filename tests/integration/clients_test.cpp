// Clients that are slow, stop half-way or leave: their affair, and nobody else's.
#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;

double seconds_of(const std::function<void()>& work) {
  const auto start = SteadyClock::now();
  work();
  return seconds_since(start);
}

constexpr int kClients = 20;
constexpr int kAnswerBytes = 4 << 20;

SidecarSetup in_front_of(const Standin& standin) {
  SidecarSetup setup;
  setup.colors = {standin.as_color(1, "4")};
  return setup;
}

// A two-worker Odoo serves a page in milliseconds though twenty browsers read 4 MB at 1 kB/s.
TEST(ClientsAlone, ThatReadSlowlyHoldNoSlotAndDelayNobody) {
  const Standin odoo("blue", {"--workers", "2", "--asset-miss", "200", "--asset-bytes",
                              std::to_string(kAnswerBytes)});
  SidecarProcess sidecar(in_front_of(odoo));
  sidecar.wait_until_up({"blue"});
  get(sidecar.port(), "/web/login");
  const long before_kib = resident_kib(sidecar.pid());
  std::vector<RawClient> slow;
  for (int i = 0; i < kClients; ++i) {
    slow.emplace_back(sidecar.port(), Millis{60'000}, 4096);
    slow.back().send("GET /web/assets/0123456/x.js HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  const auto sip = [&] {  // about 1 kB a second each
    for (RawClient& client : slow) client.socket().receive(client.pending(), 2, Millis{0});
  };
  await("the backend to be done with all of them", [&] {
    sip();
    const Scrape now = sidecar.scrape();
    return now.sum("odoo_active_requests", "kind=\"delivering\"") == kClients &&
           now.sum("odoo_active_requests", "kind=\"http\"") == 0;
  });
  for (int i = 0; i < 10; ++i) {
    sip();
    const double took =
        seconds_of([&] { EXPECT_EQ(get(sidecar.port(), "/web/login").status, 200); });
    EXPECT_LT(took, 1.0 * kSlowness);
  }
  const long grown_kib = resident_kib(sidecar.pid()) - before_kib;
  if (kSlowness == 1) {
    EXPECT_LT(grown_kib, (64 + 32) << 10) << "spool.memory is 64 MiB";
  }
  for (RawClient& client : slow) {
    const Answer answer = client.read_answer();
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body.size(), static_cast<size_t>(kAnswerBytes));
  }
  std::printf("memory grew by %ld KiB for %d answers of 4 MiB\n", grown_kib, kClients);
}

TEST(ClientsAlone, ThatSendHalfAPostHoldNoSlotAndReachNobody) {
  const Standin odoo("blue", {"--workers", "2"});
  SidecarProcess sidecar(in_front_of(odoo));
  sidecar.wait_until_up({"blue"});
  std::vector<RawClient> slow;
  for (int i = 0; i < kClients; ++i) {
    slow.emplace_back(sidecar.port());
    slow.back().send("POST /nonce?n=half HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" +
                     std::string(50'000, 'x'));
  }
  await("all to be received", [&] { return sidecar.in_flight("kind", "receiving") == kClients; });
  for (int i = 0; i < 10; ++i) {
    const double took =
        seconds_of([&] { EXPECT_EQ(get(sidecar.port(), "/web/login").status, 200); });
    EXPECT_LT(took, 1.0 * kSlowness);
  }
  await("the last answer to be accounted", [&] { return sidecar.in_flight("kind", "http") == 0; });
  for (const Executed& one : odoo.executed()) EXPECT_NE(one.nonce, "half");
  slow.front().send(std::string(50'000, 'x'));
  EXPECT_EQ(slow.front().read_answer().status, 200);
  for (size_t i = 1; i < slow.size(); ++i) slow[i].socket().reset();
  await("the rest to be forgotten", [&] { return sidecar.in_flight("kind", "receiving") == 0; });
}

// C28: a client that leaves is no server error.
TEST(Clients, ThatLeaveAreCountedAs499AndAsNothingElse) {
  constexpr int kLeaving = 100;
  Gatekeeper gate;
  const ScriptedBackend backend([&gate](Peer& peer, const std::string&) {
    gate.wait_for_turn();
    peer.send(plain_answer(200, "ok"));
  });
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "auto", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  std::vector<RawClient> leaving;
  for (int i = 0; i < kLeaving; ++i) {
    leaving.emplace_back(sidecar.port());
    leaving.back().send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  await("all to be taken", [&] {
    return sidecar.in_flight("kind", "http") + sidecar.in_flight("kind", "queued") == kLeaving;
  });
  for (RawClient& client : leaving) client.socket().reset();  // a FIN alone may be a half-close
  // Those that wait are gone at once; a backend at work keeps its slot until it has answered.
  await("those that waited", [&] { return sidecar.in_flight("kind", "queued") == 0; });
  gate.open();
  await("all to be counted",
        [&] { return sidecar.scrape().sum("odoo_requests_total", "code=\"499\"") == kLeaving; });
  const Scrape after = sidecar.scrape();
  EXPECT_EQ(after.sum("odoo_requests_total"), kLeaving);
  EXPECT_EQ(after.sum("odoo_active_requests"), 0);
  EXPECT_TRUE(sidecar.is_up("blue"));
  EXPECT_EQ(get(sidecar.port(), "/quick").status, 200);
  EXPECT_EQ(sidecar.access_log().find("\"status\":502"), std::string::npos);
}

}  // namespace
