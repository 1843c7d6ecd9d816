// A backend is never given more than its slots; who waits is served in the order of coming.
#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;

SidecarSetup four_workers(const std::string& address, const std::string& slots) {
  SidecarSetup setup;
  setup.workers = 4;
  setup.colors = {{"blue", 1, {address}, {address}, slots, false}};
  return setup;
}

// Requests of kept connections, so that they arrive at all four workers.
TEST(Slots, AreGrantedInTheOrderOfComingOverAllWorkers) {
  constexpr size_t kSlots = 4, kWaiting = 24;
  Gatekeeper gate;
  const ScriptedBackend backend([&gate](Peer& peer, const std::string&) {
    gate.wait_for_turn();
    peer.send_last(plain_answer(200, "ok"));
  });
  SidecarProcess sidecar(four_workers(backend.address(), "4"));
  sidecar.wait_until_up({"blue"});
  std::vector<RawClient> clients;
  for (size_t i = 0; i < kSlots + kWaiting; ++i) {
    clients.emplace_back(sidecar.port(), Millis{60'000});
    clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n");
    const std::string kind = i < kSlots ? "http" : "queued";
    const double wanted = static_cast<double>(i < kSlots ? i + 1 : i + 1 - kSlots);
    await("request " + std::to_string(i),
          [&] { return sidecar.in_flight("kind", kind) == wanted; });
  }
  await("the first four to arrive", [&] { return backend.heads().size() == kSlots; });
  // Waiters that leave lose no slot and hold nobody up.
  const std::vector<size_t> leavers = {kSlots + 3, kSlots + 4, kSlots + 11};
  for (size_t i : leavers) clients[i].socket().reset();
  await("the leavers to be gone", [&] {
    return sidecar.in_flight("kind", "queued") == static_cast<double>(kWaiting - leavers.size());
  });
  std::vector<std::string> wanted;
  for (size_t i = 0; i < clients.size(); ++i) {
    if (std::find(leavers.begin(), leavers.end(), i) == leavers.end()) {
      wanted.push_back("GET /" + std::to_string(i) + " ");
    }
  }
  for (size_t served = kSlots; served < wanted.size(); ++served) {
    gate.let_one_through();
    await("the next request", [&] { return backend.heads().size() == served + 1; });
  }
  gate.open();
  const auto heads = backend.heads();
  ASSERT_EQ(heads.size(), wanted.size());
  for (size_t i = kSlots; i < wanted.size(); ++i) {
    EXPECT_EQ(heads[i].substr(0, wanted[i].size()), wanted[i]) << "at place " << i;
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    if (std::find(leavers.begin(), leavers.end(), i) != leavers.end()) continue;
    EXPECT_EQ(clients[i].read_answer().status, 200);
  }
  EXPECT_EQ(backend.open_most(), static_cast<int>(kSlots));
  await("nothing in flight", [&] {
    return sidecar.in_flight("kind", "queued") + sidecar.in_flight("kind", "http") == 0;
  });
}

// Sends 60 requests at once and waits until all are answered.
Scrape send_sixty(SidecarProcess& sidecar) {
  constexpr int kRequests = 60;
  std::vector<RawClient> clients;
  for (int i = 0; i < kRequests; ++i) clients.emplace_back(sidecar.port(), Millis{60'000});
  for (RawClient& client : clients) {
    client.send("GET /web/report?ms=40 HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  for (RawClient& client : clients) EXPECT_EQ(client.read_answer().status, 200);
  await("all to be counted",
        [&] { return sidecar.scrape().sum("odoo_requests_total", "code=\"200\"") == kRequests; });
  return sidecar.scrape();
}

// The observations of a histogram below an edge of the color.
double below(const Scrape& scrape, const std::string& histogram, double edge) {
  double most = 0;
  for (const auto& [series, value] : scrape.samples()) {
    if (series.rfind(histogram + "_bucket", 0) != 0) continue;
    if (series.find("\"blue\"") == std::string::npos) continue;
    const std::string text = series.substr(series.find("le=\"") + 4);
    if (text[0] != '+' && std::atof(text.c_str()) < edge) most = std::max(most, value);
  }
  return most;
}

TEST(SlotsAlone, SixtyRequestsAtOnceNeverOpenMoreConnectionsThanSlots) {
  std::mutex two_workers[2];
  std::atomic<unsigned> next{0};
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    const std::lock_guard work(two_workers[next++ % 2]);
    peer.is_closed_within(Millis{20});
    peer.send_last(plain_answer(200, "ok"));
  });
  SidecarProcess sidecar(four_workers(backend.address(), "4"));
  sidecar.wait_until_up({"blue"});
  const Scrape after = send_sixty(sidecar);
  EXPECT_EQ(backend.open_most(), 4);
  EXPECT_EQ(after.sum("odoo_active_requests"), 0);
}

TEST(SlotsAlone, SixtyRequestsAtOnceOnATwoWorkerOdooNeverMeetAFullBacklog) {
  const Standin odoo("blue", {"--workers", "2"});
  SidecarSetup setup = four_workers(odoo.http(), "4");
  setup.colors[0].websocket = {odoo.websocket()};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  const Scrape after = send_sixty(sidecar);
  const double connects = after.sum("sidecar_connect_seconds_count", "blue");
  EXPECT_EQ(connects, 60);
  EXPECT_EQ(below(after, "sidecar_connect_seconds", 1), connects) << "a SYN was sent again";
  const double waited = after.sum("sidecar_queue_seconds_sum", "blue");
  EXPECT_GT(waited, 10);  // 56 of them wait for half a second on average
  std::printf("60 requests waited %.2f s in all, no connect took a second\n", waited);
}

TEST(Slots, AQueueThatIsFullAnswers503WithRetryAfter) {
  Gatekeeper gate;
  const ScriptedBackend backend([&gate](Peer& peer, const std::string&) {
    gate.wait_for_turn();
    peer.send(plain_answer(200, "ok"));
  });
  SidecarSetup setup = four_workers(backend.address(), "1");
  setup.keys["queue"] = "{ length: 3, timeout: 30s }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  std::vector<RawClient> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back(sidecar.port());
    clients.back().send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
    await("request " + std::to_string(i), [&] {
      return sidecar.in_flight("kind", "queued") + sidecar.in_flight("kind", "http") == i + 1;
    });
  }
  const Answer refused = get(sidecar.port(), "/a");
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(refused.field("Retry-After").empty()) << refused.head;
  gate.open();
  for (RawClient& client : clients) EXPECT_EQ(client.read_answer().status, 200);
}

}  // namespace
