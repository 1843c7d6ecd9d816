// What waits for a slow client or a slow backend, and how much of it (cases B35, B36, B42 to B47 of
// the proxies, 43 and 47 of the routing).
#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/recorder.h"

namespace wire {
namespace {

using harness::await;
using harness::Millis;
using harness::Peer;
using harness::plain_answer;
using harness::RawClient;
using harness::ScriptedBackend;
using harness::SidecarProcess;
using harness::SteadyClock;

harness::SidecarSetup in_front_of(const ScriptedBackend& backend,
                                  std::map<std::string, std::string> keys = {}) {
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "64", false}};
  setup.keys = std::move(keys);
  return setup;
}

// Bytes that tell where they stand.
std::string pattern(size_t size) {
  std::string bytes;
  bytes.reserve(size + 16);
  for (size_t i = 0; bytes.size() < size; ++i) bytes += std::to_string(i * 2'654'435'761U) + ",";
  bytes.resize(size);
  return bytes;
}

double spooled(const SidecarProcess& sidecar) {
  const harness::Scrape scrape = sidecar.scrape();
  return scrape.sum("sidecar_spool_memory_bytes") + scrape.sum("sidecar_spool_disk_bytes");
}

// B35: the backend is done although its client has read nothing at all.
TEST(Buffers, ALongAnswerLeavesTheBackendWithoutAPause) {
  const std::string body = pattern(70 << 20);
  std::atomic<int> longest_ms{0};
  std::atomic<bool> done{false};
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    std::string_view rest = body;
    peer.send("HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    while (!rest.empty()) {
      const auto start = SteadyClock::now();
      if (!peer.send(rest.substr(0, 64 << 10))) return;
      rest.remove_prefix(std::min<size_t>(rest.size(), 64 << 10));
      longest_ms = std::max<int>(longest_ms, static_cast<int>(harness::seconds_since(start) * 1e3));
    }
    done = true;
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port(), Millis{60'000}, 8192);
  client.send("GET /report HTTP/1.1\r\nHost: a\r\n\r\n");
  await(
      "the backend to be rid of it", [&] { return done.load(); }, Millis{60'000});
  EXPECT_LT(longest_ms, 1000 * harness::kSlowness);
  await("its slot to be free",
        [&] { return sidecar.scrape().sum("odoo_active_requests", "kind=\"http\"") == 0; });
  const harness::Answer answer = client.read_answer();
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(answer.body == body);
  await("the spool to be empty", [&] { return spooled(sidecar) == 0; });
  std::printf("70 MiB: the longest pause of the backend was %d ms\n", longest_ms.load());
}

// B36
TEST(Buffers, AnUploadReachesTheBackendInOneGo) {
  const std::string body = pattern(5 << 20);
  std::atomic<int> took_ms{-1};
  std::string arrived;
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    const auto start = SteadyClock::now();
    arrived = peer.read_body(body.size());
    took_ms = static_cast<int>(harness::seconds_since(start) * 1e3);
    peer.send(plain_answer(200, "ok"));
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  const std::string_view bytes = body;
  size_t sent = 0;
  for (; sent < 5000; sent += 5) client.send(bytes.substr(sent, 5));
  client.send(bytes.substr(sent, bytes.size() - 1 - sent));
  await("the rest to be taken",
        [&] { return spooled(sidecar) >= static_cast<double>(body.size() - 1); });
  EXPECT_EQ(backend.heads().size(), 0u);
  EXPECT_EQ(sidecar.scrape().sum("odoo_active_requests", "kind=\"http\""), 0);
  client.send(bytes.substr(bytes.size() - 1));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(arrived == body);
  EXPECT_LT(took_ms, 1000 * harness::kSlowness);
}

// B42: again and again, because the reset may overtake the answer.
TEST(Buffers, AnAnswerBeforeTheBodyEndsIsNotLost) {
  const std::string body(10 << 20, 'x');
  const ScriptedBackend backend([](Peer& peer, const std::string&) {
    peer.send(plain_answer(403, "no"));
    // Closing with the body unread makes the kernel reset the connection.
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  for (int i = 0; i < 20; ++i) {
    RawClient client(sidecar.port());
    client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const auto start = SteadyClock::now();
    const harness::Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.body, "no");
    EXPECT_LT(harness::seconds_since(start), 1.0 * harness::kSlowness);
  }
}

// B43
TEST(Buffers, AnUploadOverTheLimitReachesNobody) {
  const ScriptedBackend backend;
  SidecarProcess sidecar(in_front_of(backend, {{"limits", "{ body: 64KiB }"}}));
  sidecar.wait_until_up({"blue"});
  for (const size_t size : {65'535, 65'536, 65'537, 200'000}) {
    RawClient client(sidecar.port());
    client.send("POST /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    char line[16];
    std::snprintf(line, sizeof line, "%zx\r\n", size);
    client.socket().send(line + std::string(size, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_answer().status, size <= 65'536 ? 200 : 413) << size;
  }
  EXPECT_EQ(backend.heads().size(), 2u);
}

TEST(Buffers, AnAnswerOverTheDiskCapWaitsForItsClient) {
  const std::string body = pattern(16 << 20);
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    // Its own deadline is longer than the test's; it may wait for the client.
    peer.send("HTTP/1.0 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    peer.socket().send(body, Millis{60'000});
  });
  SidecarProcess sidecar(in_front_of(
      backend, {{"spool", "{ dir: /tmp, memory: 1MiB, disk: 2MiB, min_free: 16MiB }"}}));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port(), Millis{20'000}, 8192);
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  await("the spool to be full", [&] { return spooled(sidecar) > (2 << 20); });
  EXPECT_LE(spooled(sidecar), 3 << 20);
  const harness::Answer answer = client.read_answer();
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(answer.body == body);
}

// B44
TEST(Buffers, AnnouncedUploadsCannotTakeMoreThanTheCaps) {
  constexpr int kClients = 50;
  const ScriptedBackend backend;
  SidecarProcess sidecar(in_front_of(
      backend, {{"spool", "{ dir: /tmp, memory: 4MiB, disk: 8MiB, min_free: 16MiB }"}}));
  sidecar.wait_until_up({"blue"});
  harness::get(sidecar.port(), "/");
  const long before_kib = harness::resident_kib(sidecar.pid());
  const std::string megabyte(1 << 20, 'x');
  std::vector<RawClient> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back(sidecar.port());
    clients.back().send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 134217728\r\n\r\n");
    clients.back().socket().send(megabyte);
  }
  int refused = 0;
  for (RawClient& client : clients) {
    std::string& answer = client.pending();
    if (client.socket().receive(answer, 4096, Millis{200}) <= 0) continue;
    ++refused;
    EXPECT_TRUE(answer.find(" 503 ") == 8 || answer.find(" 413 ") == 8) << answer.substr(0, 40);
  }
  EXPECT_GE(refused, kClients - 13);
  EXPECT_LE(spooled(sidecar), 12 << 20);
  if (harness::kSlowness == 1) {
    EXPECT_LT(harness::resident_kib(sidecar.pid()) - before_kib, (4 + 8) << 10);
  }
  EXPECT_EQ(harness::get(sidecar.port(), "/").status, 200) << "others are served meanwhile";
}

int files_in(const std::string& folder) {
  int count = 0;
  DIR* open = ::opendir(folder.c_str());
  while (open != nullptr && ::readdir(open) != nullptr) ++count;
  if (open != nullptr) ::closedir(open);
  return count;
}

// B45
TEST(Buffers, AbortedUploadsLeaveNoFileBehind) {
  const ScriptedBackend backend;
  const harness::TempFolder folder;
  SidecarProcess sidecar(
      in_front_of(backend, {{"spool", "{ dir: " + folder.path() +
                                          ", memory: 64MiB, disk: 1GiB, min_free: 16MiB, "
                                          "memory_each: 16KiB }"}}));
  sidecar.wait_until_up({"blue"});
  const int files = files_in(folder.path());
  const std::string part(64 << 10, 'x');
  for (int i = 0; i < 1000; ++i) {
    RawClient client(sidecar.port());
    client.send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: 131072\r\n\r\n");
    client.send(part);
    if (i % 100 == 0) {
      await("a file", [&] { return sidecar.scrape().sum("sidecar_spool_disk_bytes") > 0; });
      EXPECT_EQ(files_in(folder.path()), files) << "it has no name";
    }
    i % 2 == 0 ? client.socket().reset() : client.socket().close();
  }
  await("all to be forgotten",
        [&] { return sidecar.scrape().sum("odoo_active_requests") == 0 && spooled(sidecar) == 0; });
  EXPECT_EQ(files_in(folder.path()), files);
  EXPECT_LT(harness::open_descriptors(sidecar.pid()), 100);
  EXPECT_EQ(backend.heads().size(), 0u);
}

// Each event is sent only when the one before has been read: one held back would stop the test.
void expect_events_at_once(const std::string& head, double within_s) {
  constexpr int kEvents = 20;
  std::atomic<int> seen{0};
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    peer.send(head);
    for (int i = 0; i < kEvents; ++i) {
      peer.send("data: " + std::to_string(i) + "\n\n");
      await("the client to read it", [&] { return seen == i + 1; });
    }
  });
  SidecarProcess sidecar(in_front_of(backend));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  double slowest = 0;
  std::string received;
  for (int i = 0; i < kEvents; ++i) {
    const auto start = SteadyClock::now();
    const std::string wanted = "data: " + std::to_string(i) + "\n\n";
    while (received.find(wanted) == std::string::npos) received += client.read_exactly(1);
    if (i > 0) slowest = std::max(slowest, harness::seconds_since(start));
    ++seen;
  }
  EXPECT_LT(slowest, within_s * harness::kSlowness);
  client.read_until_close();
}

// B46, and 43 of the routing
TEST(Buffers, AnEventStreamPassesEventByEvent) {
  expect_events_at_once("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n",
                        0.05);
}

// B46
TEST(Buffers, ASlowAnswerPassesAsItComes) {
  expect_events_at_once("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", 0.1);
  expect_events_at_once("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", 0.1);
}

// B47: no file can be written, because that much must stay free for others.
TEST(Buffers, ASpoolThatCannotBeWrittenGivesOneAnswer) {
  const std::string body = pattern(4 << 20);
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    if (head.find("/big") == std::string::npos) return (void)peer.send(plain_answer(200, "ok"));
    peer.send("HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n");
    peer.socket().send(body, Millis{20'000});
  });
  SidecarProcess sidecar(in_front_of(backend, {{"spool",
                                                "{ dir: /tmp, memory: 1MiB, disk: 1GiB, "
                                                "min_free: 64TiB }"}}));
  sidecar.wait_until_up({"blue"});
  // A request: refused, before anybody saw it.
  RawClient upload(sidecar.port());
  upload.send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  upload.socket().send(body);
  const harness::Answer refusal = upload.read_answer();
  EXPECT_TRUE(refusal.status == 503 || refusal.status == 413) << refusal.status;
  EXPECT_FALSE(refusal.keeps_connection);
  upload.socket().finish();
  EXPECT_EQ(upload.read_until_close(), "");
  EXPECT_EQ(backend.heads().size(), 0u);
  // An answer: goes on as the client takes it.
  RawClient download(sidecar.port(), Millis{20'000}, 8192);
  download.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const harness::Answer answer = download.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == body);
  // An answer that must be whole before its first byte: one 5xx, and the end.
  RawClient old(sidecar.port());
  old.send("GET /big HTTP/1.0\r\n\r\n");
  const harness::Answer failure = old.read_answer();
  EXPECT_GE(failure.status, 500);
  EXPECT_TRUE(failure.whole);
  EXPECT_EQ(old.read_until_close(), "");
}

// 47: an upload that takes longer than every idle limit is neither cut nor counted as slow Odoo.
TEST(Buffers, ALongUploadIsNoSlowBackend) {
  const std::string piece(256 << 10, 'x');
  constexpr int kPieces = 80;  // 20 MiB
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    peer.read_body(piece.size() * kPieces);
    peer.send(plain_answer(200, "ok"));
  });
  SidecarProcess sidecar(
      in_front_of(backend, {{"timeouts", "{ head: 500ms, body_idle: 500ms, first_byte: 500ms }"}}));
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: " +
              std::to_string(piece.size() * kPieces) + "\r\n\r\n");
  const auto start = SteadyClock::now();
  for (int i = 0; i < kPieces; ++i) {
    client.send(piece);
    EXPECT_FALSE(client.is_closed_within(Millis{25}));
  }
  const double sending = harness::seconds_since(start);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_GT(sending, 1.5);
  await("it to be counted",
        [&] { return sidecar.scrape().sum("odoo_request_latency_seconds_count") == 1; });
  const harness::Scrape scrape = sidecar.scrape();
  EXPECT_LT(scrape.sum("odoo_request_latency_seconds_sum"), sending / 2);
  EXPECT_GT(scrape.sum("sidecar_receiving_seconds_sum"), sending * 0.9);
}

}  // namespace
}  // namespace wire
