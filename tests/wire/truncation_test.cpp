// Answers that break off, backends that say nothing, clients that stop half-way (cases B37 to B40,
// B54, B59).
#include <gtest/gtest.h>

#include <atomic>

#include "tests/wire/site.h"

namespace wire {
namespace {

using harness::await;
using harness::Millis;
using harness::Peer;
using harness::plain_answer;
using harness::RawClient;
using harness::ScriptedBackend;
using harness::SidecarProcess;

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kOldGet = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";

class Truncation : public testing::Test {
 protected:
  // Nothing that a client could take for the whole answer.
  void expect_visibly_broken(const Seen& seen, const std::string& how) {
    EXPECT_EQ(seen.answers.fault, "") << how;
    if (seen.answers.whole.empty()) {
      EXPECT_NE(seen.answers.rest, "") << how << ": an empty reply";
      return;
    }
    EXPECT_EQ(seen.statuses(), "502") << how;
    EXPECT_EQ(seen.answers.rest, "") << how;
  }
  Site site_;
};

// B37, B59
TEST_F(Truncation, ABrokenAnswerNeverLooksWhole) {
  const std::vector<std::string> begun = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
      "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
  };
  for (const std::string& answer : begun) {
    for (const bool resets : {false, true}) {
      Script script{{answer}};
      script.resets = resets;
      const std::string how = visible(answer) + (resets ? " RST" : " FIN");
      expect_visibly_broken(site_.talk(kGet, script), how);
      // A 1.0 client sees only where the connection ends: less than the length, or our 502.
      const Seen old = site_.talk(kOldGet, script);
      if (!old.answers.whole.empty()) {
        EXPECT_EQ(old.statuses(), "502") << how;
      }
    }
  }
  // Close-delimited: only a clean end is one.
  for (const char* answer : {"HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.0 200 OK\r\n\r\nabc"}) {
    Script script{{answer}};
    EXPECT_EQ(site_.talk(kGet, script).statuses(), "200");
    script.resets = true;
    expect_visibly_broken(site_.talk(kGet, script), answer);
    EXPECT_EQ(site_.talk(kOldGet, script).statuses(), "502");
  }
}

// B38
TEST_F(Truncation, ABackendThatSaysNothingOrNonsenseBecomesA502) {
  for (const char* answer :
       {"", "H", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n", "\x16\x03\x01", "HTTP/1.1 200 OK\r\nA b\r\n\r\n"}) {
    for (const bool resets : {false, true}) {
      Script script{{answer}};
      script.resets = resets;
      const Seen seen = site_.talk(kGet, script);
      EXPECT_EQ(seen.statuses(), "502") << answer;
      EXPECT_GT(seen.answer().body.size(), 50u) << "for a person to read";
      EXPECT_EQ(seen.answers.rest, "");
      EXPECT_EQ(seen.records.size(), 1u) << "sent once";
    }
  }
}

// B54
TEST_F(Truncation, BytesBehindABodyAreNotPartOfIt) {
  const Seen seen =
      site_.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcd\r\n\r\n" + kGet);
  EXPECT_EQ(seen.statuses(), "200 400");
  EXPECT_EQ(seen.answer(1).value("Connection"), "close");
  ASSERT_EQ(seen.records.size(), 1u);
  EXPECT_EQ(seen.request().body, "abc");
}

// B39
TEST(HalfClose, AClientThatStopsSendingGetsItsWholeAnswer) {
  std::atomic<bool> finished{false};
  const std::string body(1 << 20, 'x');
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    await("the client to stop sending", [&] { return finished.load(); });
    EXPECT_FALSE(peer.is_closed_within(Millis{300})) << "that was no abort";
    peer.send(plain_answer(200, body));
  });
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "64", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  for (const std::string& request :
       {kGet, kOldGet, std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")}) {
    finished = false;
    RawClient client(sidecar.port());
    client.send(request);
    client.socket().finish();
    finished = true;
    const harness::Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.whole);
    EXPECT_EQ(answer.body, body);
    EXPECT_EQ(client.read_until_close(), "") << "and then the end";
  }
}

// B40
TEST(Aborts, AClientThatLeavesTheQueueReachesNobody) {
  std::atomic<bool> go{false};
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    await(
        "the word to go on", [&] { return go.load(); }, Millis{30'000});
    peer.send(plain_answer(200, "ok"));
  });
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "1", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  const auto in_flight = [&](const std::string& kind) {
    return sidecar.scrape().sum("odoo_active_requests", "kind=\"" + kind + "\"");
  };
  RawClient first(sidecar.port());
  first.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  await("the slot to be taken", [&] { return in_flight("http") == 1; });
  RawClient second(sidecar.port());
  second.send("POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  RawClient third(sidecar.port());
  third.send("GET /third HTTP/1.1\r\nHost: a\r\n\r\n");
  await("two to wait", [&] { return in_flight("queued") == 2; });
  second.socket().reset();
  await("one to wait", [&] { return in_flight("queued") == 1; });
  go = true;
  EXPECT_EQ(first.read_answer().status, 200);
  EXPECT_EQ(third.read_answer().status, 200);
  for (const std::string& head : backend.heads()) {
    EXPECT_EQ(head.find("/second"), std::string::npos);
  }
}

// B40: what was sent is not taken back; its answer is read to the end and dropped.
TEST(Aborts, TheAnswerForAClientThatLeftIsDrained) {
  std::atomic<bool> left{false};
  std::atomic<bool> drained{false};
  const ScriptedBackend backend([&](Peer& peer, const std::string&) {
    await("the client to leave", [&] { return left.load(); });
    drained = peer.send(plain_answer(200, std::string(20 << 20, 'x')));
  });
  harness::SidecarSetup setup;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "1", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  client.send("POST /report HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
  await("it to be sent", [&] { return backend.heads().size() == 1; });
  client.socket().reset();
  await("it to be noticed", [&] {
    return sidecar.scrape().sum("sidecar_errors_total", "error=\"client_gone\"") +
               sidecar.scrape().sum("sidecar_errors_total", "code=\"client_gone\"") >=
           1;
  });
  EXPECT_EQ(sidecar.scrape().sum("odoo_active_requests", "kind=\"http\""), 1) << "still its slot";
  left = true;
  await("the answer to be drained", [&] { return drained.load(); });
  await("its slot to be free", [&] { return sidecar.scrape().sum("odoo_active_requests") == 0; });
}

}  // namespace
}  // namespace wire
