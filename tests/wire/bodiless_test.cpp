// Answers that come before the last one, and answers without a body (cases B28 to B33).
#include <gtest/gtest.h>

#include "tests/wire/site.h"

namespace wire {
namespace {

using harness::Answer;
using harness::Millis;
using harness::RawClient;

const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Bodiless : public testing::Test {
 protected:
  Site site_;
};

// B28: Werkzeug says it twice.
TEST_F(Bodiless, OneContinueIsSaidAtOnceAndByUs) {
  const std::string client = site_.new_client({{kContinue, kContinue, kOk}});
  harness::Socket socket = connect_from(client, site_.port());
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  std::string received;
  while (received.size() < kContinue.size()) {
    ASSERT_GT(socket.receive(received, 4096, Millis{10'000}), 0) << "it must not wait for the body";
  }
  EXPECT_EQ(received, kContinue);
  socket.send("hello");
  socket.finish();
  while (socket.receive(received, 4096, Millis{10'000}) > 0) {
  }
  const Answers answers = read_answers(received, {}, true);
  EXPECT_EQ(answers.fault, "");
  EXPECT_EQ(answers.interim.size(), 1u);
  EXPECT_EQ(answers.whole.size(), 1u);
  EXPECT_EQ(answers.rest, "");
  Seen seen;
  site_.look_at_backend(client, seen);
  EXPECT_EQ(seen.faults, std::vector<std::string>{}) << "Expect does not pass";
  EXPECT_EQ(seen.request().body, "hello");
}

TEST_F(Bodiless, AClientThatSendsItsBodyAtOnceGetsNoMoreThanOneContinue) {
  for (const char* version : {"1.1", "1.0"}) {
    const Seen seen = site_.talk(std::string("POST / HTTP/") + version +
                                 "\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
                                 "5\r\n\r\nhello");
    EXPECT_EQ(seen.statuses(), "200") << version;
    EXPECT_EQ(seen.request().body, "hello");
    EXPECT_LE(seen.answers.interim.size(), version[2] == '1' ? 1u : 0u) << version;
  }
}

TEST_F(Bodiless, AnUnknownExpectationIsRefused) {
  const Seen seen = site_.talk("GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n");
  EXPECT_EQ(seen.statuses(), "417");
  EXPECT_TRUE(seen.records.empty());
}

// B29
TEST_F(Bodiless, ATooLargeBodyIsRefusedInsteadOfContinued) {
  const Seen seen = site_.talk(
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999999\r\n\r\n"
      "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(seen.statuses(), "413");
  EXPECT_TRUE(seen.answers.interim.empty());
  EXPECT_EQ(seen.answer().value("Connection"), "close");
  EXPECT_TRUE(seen.records.empty());
}

// B30
TEST_F(Bodiless, AnInterimAnswerShiftsNothing) {
  const Seen seen =
      site_.talk("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n",
                 {{"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n",
                   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
                  /*ends=*/false},
                 {true, false});
  EXPECT_EQ(seen.statuses(), "200 200");
  EXPECT_EQ(seen.answer(0).value("Content-Length"), "5");
  EXPECT_EQ(seen.answer(1).body, answer_text("127.1.0.2", 1));
}

TEST_F(Bodiless, NoInterimAnswerReachesAnOldClient) {
  const Seen seen = site_.talk("GET / HTTP/1.0\r\n\r\n",
                               {{"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", kOk}});
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_TRUE(seen.answers.interim.empty());
}

// B31
TEST_F(Bodiless, TheBodyOfAnAnswerToHeadReachesNobody) {
  const std::string head = "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        "0\r\n\r\n"}) {
    const Seen seen = site_.talk(head, {{answer}}, {true, false});
    EXPECT_EQ(seen.statuses(), "200 200") << answer;
    EXPECT_EQ(seen.answers.rest, "") << answer;
  }
}

// B32: and promptly, though the backend keeps its connection open.
TEST_F(Bodiless, A304WithALengthEndsAtItsHead) {
  const std::string head = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const char* answer : {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    const auto start = harness::SteadyClock::now();
    const Seen seen = site_.talk(head, {{answer}, /*ends=*/false});
    EXPECT_LT(harness::seconds_since(start), 2.0 * harness::kSlowness) << answer;
    EXPECT_EQ(seen.answers.whole.size(), 2u) << answer;
    EXPECT_EQ(seen.answer(1).status(), 200);
    EXPECT_EQ(seen.answers.fault, "") << answer;
  }
}

// B33: also where connections are kept.
TEST(BodilessWithReuse, SurplusBytesEndTheConnectionAndReachNobody) {
  std::atomic<int> connections{0};
  std::atomic<int> closed{0};
  const harness::ScriptedBackend backend([&](harness::Peer& peer, const std::string&) {
    ++connections;
    peer.send("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 evil...");
    if (peer.is_closed_within(Millis{10'000})) ++closed;
  });
  harness::SidecarSetup setup;
  setup.workers = 1;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "64", true}};
  harness::SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  for (int i = 0; i < 5; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.head.find("evil"), std::string::npos);
  }
  EXPECT_EQ(client.pending(), "");
  EXPECT_EQ(connections, 5) << "each was closed after its answer";
  harness::await("the connections to be closed", [&] { return closed == 5; });
}

// A backend that speaks between two requests has nothing to say to anybody.
TEST(BodilessWithReuse, BytesThatNobodyAskedForEndAnIdleConnection) {
  std::atomic<bool> answered{false};
  std::atomic<int> closed{0};
  const harness::ScriptedBackend backend([&](harness::Peer& peer, const std::string&) {
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    harness::await("the client to have its answer", [&] { return answered.exchange(false); });
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    if (peer.is_closed_within(Millis{10'000})) ++closed;
  });
  harness::SidecarSetup setup;
  setup.workers = 1;
  setup.colors = {{"blue", 1, {backend.address()}, {backend.address()}, "64", true}};
  harness::SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  RawClient client(sidecar.port());
  for (int i = 0; i < 5; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "ok");
    answered = true;
    harness::await("the connection to be closed", [&] { return closed == i + 1; });
  }
}

}  // namespace
}  // namespace wire
