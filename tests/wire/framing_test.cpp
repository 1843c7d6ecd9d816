// Where a message ends, and what that did to other proxies (cases B01 to B19).
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/wire/site.h"

namespace wire {
namespace {

const std::string kNext = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kUpgrade =
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

class Framing : public testing::Test {
 protected:
  // One refusal, the end, and nothing at the backend.
  void expect_refused(const std::string& bytes, const std::string& status = "400") {
    const Seen seen = site_.talk(bytes);
    EXPECT_EQ(seen.statuses(), status) << visible(bytes, 200);
    if (seen.answers.whole.empty()) return;
    EXPECT_EQ(seen.answers.whole.back().value("Connection"), "close") << visible(bytes, 200);
    EXPECT_TRUE(seen.records.empty()) << visible(bytes, 200);
  }
  Site site_;
};

// B01
TEST_F(Framing, BytesBehindAnUpgradeWithout101AreNoRequest) {
  const Seen seen = site_.talk("GET / HTTP/1.1\r\nHost: a\r\n" + kUpgrade + "\r\n" + kNext);
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_EQ(seen.answer().value("Connection"), "close");
  ASSERT_EQ(seen.records.size(), 1u);
  EXPECT_EQ(seen.records[0].find("/smuggled"), std::string::npos);
}

// B02
TEST_F(Framing, NoBodyIsDelimitedByTheCloseOfAClient) {
  const std::string body = "\r\n0\r\n\r\n" + kNext;
  expect_refused(
      "POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 29\r\n"
      "Transfer-Encoding: identity, chunked\r\n" +
      body);
  expect_refused("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n" + body);
  expect_refused(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
      "Transfer-Encoding: chunked\r\n" +
      body);
}

// B04
TEST_F(Framing, ALengthBesideACodingIsRefusedInEitherOrder) {
  for (const char* id : {"F02", "F03", "F27"}) expect_refused(raw_case(id));
}

// B05
TEST_F(Framing, AnUpgradeHasNoBody) {
  expect_refused("GET /websocket HTTP/1.1\r\nHost: a\r\n" + kUpgrade +
                 "Content-Length: 5\r\n\r\nhello");
}

// B07
TEST_F(Framing, ALastChunkInItsOwnSegmentAddsNoByte) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::vector<std::string>> ways = {
      {head + "5\r\nhello\r\n", "0\r\n\r\n"},
      {head, "5\r\nhello\r\n", "0\r\n", "\r\n"},
      {head, "5\r\nhello", "\r\n0\r\n\r\n"},
      {head + "5\r\nhello\r\n0\r\n\r", "\n"},
  };
  for (const auto& pieces : ways) {
    const Seen seen = site_.talk(pieces);
    EXPECT_EQ(seen.statuses(), "200");
    EXPECT_EQ(seen.faults, std::vector<std::string>{});
    EXPECT_EQ(seen.request().body, "hello");
  }
}

// B08
TEST_F(Framing, AChunkedBodyArrivesWithItsLengthWhateverTheMethod) {
  for (const char* method : {"DELETE", "OPTIONS", "GET", "PATCH", "PUT", "POST"}) {
    const Seen seen = site_.talk(std::string(method) +
                                 " /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    EXPECT_EQ(seen.statuses(), "200") << method;
    EXPECT_EQ(seen.faults, std::vector<std::string>{}) << method;
    EXPECT_EQ(seen.request().value("Content-Length"), "5") << method;
    EXPECT_EQ(seen.request().body, "hello") << method;
  }
}

// B09
TEST_F(Framing, NoSpellingOfChunkedHidesALength) {
  for (const char* coding : {"chunked,", "chunked ", "chunked\t", "chunked, gzip", "Chunked",
                             "\tchunked", ",chunked", "chunked;q=1", "\"chunked\"", "xchunked"}) {
    const std::string line = std::string("Transfer-Encoding: ") + coding + "\r\n";
    const Seen seen = site_.talk("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + line +
                                 "\r\n0\r\n\r\n" + kNext);
    EXPECT_TRUE(seen.statuses() == "400" || seen.statuses() == "501") << coding;
    EXPECT_TRUE(seen.records.empty()) << coding;
  }
}

// B10
TEST_F(Framing, AnEmptyLengthIsRefused) {
  const std::string rest = "\r\n" + std::string(43, 'x');
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\n";
  expect_refused(head + "Content-Length: \r\nContent-Length: 43\r\n" + rest);
  expect_refused(head + "Content-Length: 43\r\nContent-Length: \r\n" + rest);
  expect_refused(head + "Content-Length:\r\n" + rest);
}

// B11
TEST_F(Framing, AnEmptyFieldNameIsRefused) {
  for (const char* id : {"C15", "C16"}) expect_refused(raw_case(id));
}

// B12
TEST_F(Framing, ALongFieldNameIsNeverAnother) {
  for (const size_t size : {255, 256, 257, 270, 4096, 65535, 65536}) {
    const std::string name = "content-length" + std::string(size - 14, 'a');
    const Seen seen = site_.talk("GET / HTTP/1.1\r\nHost: a\r\n" + name + ": 5\r\n\r\n");
    if (seen.statuses() == "431") {
      EXPECT_TRUE(seen.records.empty()) << size;
      EXPECT_GT(size, 4096u);
      continue;
    }
    EXPECT_EQ(seen.statuses(), "200") << size;
    EXPECT_EQ(seen.request().value(name), "5") << size;
    EXPECT_FALSE(seen.request().has("Content-Length")) << size;
  }
}

// B14: also shows that the second parser was built strict.
TEST_F(Framing, OnlyAWholeLineEndEndsALine) {
  for (const char* id : {"G08", "G09", "G26", "G34"}) expect_refused(raw_case(id));
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\n\rX" + kNext);
  expect_refused("GET / HTTP/1.1\r\nHost: a\r\n\r" + kNext);
}

// B15
TEST_F(Framing, ACarriageReturnAnywhereInAHeadIsRefused) {
  for (const char* id : {"A10", "A11", "A12"}) expect_refused(raw_case(id));
  const std::string head =
      "POST /a?b=c HTTP/1.1\r\nHost: a.b\r\nX-Y: z w\r\nContent-Length: 2\r\n\r\n";
  for (size_t at = 0; at <= head.size() - 2; ++at) {
    std::string bent = head;
    bent.insert(at, "\r");
    const Seen seen = site_.talk(bent + "hi");
    EXPECT_GE(seen.answer().status(), 400) << visible(bent);
    EXPECT_TRUE(seen.records.empty()) << visible(bent);
  }
}

// B16
TEST_F(Framing, ALengthIsDigitsAndNothingElse) {
  for (const char* id : {"E06", "E07", "E16", "E22"}) expect_refused(raw_case(id));
}

// B17
TEST_F(Framing, AnUnderscoreIsNoDash) {
  const Seen seen =
      site_.talk("GET / HTTP/1.1\r\nHost: a\r\nX_Custom: 1\r\nCookie_: 2\r\nX-Kept: 3\r\n\r\n");
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_EQ(seen.faults, std::vector<std::string>{});
  EXPECT_EQ(seen.request().value("X-Kept"), "3");
  for (const char* line :
       {"Content_Length: 5", "Transfer_Encoding: chunked", "Host_: b", "X_Real_IP: 6.6.6.6",
        "X_Forwarded_For: 6.6.6.6", "X_Forwarded-Proto: https"}) {
    const Seen other = site_.talk(std::string("GET / HTTP/1.1\r\nHost: a\r\n") + line + "\r\n\r\n");
    for (const std::string& raw : other.records) {
      EXPECT_EQ(raw.find("6.6.6.6"), std::string::npos) << line;
      EXPECT_EQ(raw.find("https"), std::string::npos) << line;
    }
    EXPECT_EQ(other.faults, std::vector<std::string>{}) << line;
  }
  for (const char* twin : {"Content_Length: 5", "Transfer_Encoding: chunked"}) {
    expect_refused(std::string("POST / HTTP/1.1\r\nHost: a\r\n") + twin + "\r\n\r\nhello");
  }
}

// B18
TEST_F(Framing, NoTrailerReachesTheBackend) {
  for (const char* trailer : {"Content-Length: 0", "Host: evil", "X-Forwarded-For: 1.2.3.4",
                              "X-Trailer: evil", "Transfer-Encoding: evil", "Cookie: evil"}) {
    const Seen seen =
        site_.talk(std::string("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n0\r\n") +
                   trailer + "\r\n\r\n");
    EXPECT_TRUE(seen.statuses() == "200" || seen.statuses() == "400") << trailer;
    EXPECT_EQ(seen.faults, std::vector<std::string>{}) << trailer;
    for (const std::string& raw : seen.records) {
      EXPECT_EQ(raw.find("evil"), std::string::npos) << trailer;
      EXPECT_EQ(raw.find("1.2.3.4"), std::string::npos) << trailer;
    }
  }
}

// B19
TEST_F(Framing, ATrailerIsNoRequest) {
  const Seen seen = site_.talk(raw_case("G22"));
  EXPECT_EQ(seen.statuses(), "200");
  EXPECT_EQ(seen.request().start, "POST / HTTP/1.1");
  EXPECT_EQ(seen.records.size(), 1u);
}

// B03
TEST(FramingOfOwnAnswers, TheBodyOfARequestThatWeAnswerIsNoRequest) {
  SiteSetup setup;
  setup.keys["limits"] = "{ body: 1KiB }";
  setup.keys["routes"] =
      "[{ name: closed, prefix: /closed, deny: all }, { name: web, prefix: /web }]";
  Site site(setup);
  const std::string length = "Content-Length: " + std::to_string(kNext.size()) + "\r\n\r\n";
  const std::map<std::string, std::string> own = {
      {"GET /.sidecar/health", "200"},
      {"POST /closed/x", "403"},
      {"POST /nowhere", "404"},
  };
  for (const auto& [start, status] : own) {
    const Seen seen = site.talk(start + " HTTP/1.1\r\nHost: a\r\n" + length + kNext);
    EXPECT_EQ(seen.statuses(), status);
    EXPECT_TRUE(seen.records.empty()) << start;
  }
  const std::string padding(2048 - kNext.size(), 'x');
  const Seen large =
      site.talk("POST /web HTTP/1.1\r\nHost: a\r\nContent-Length: 2048\r\n\r\n" + kNext + padding);
  EXPECT_EQ(large.statuses(), "413");
  EXPECT_TRUE(large.records.empty());
}

// B03, again: nobody may be asked, so the body waits, and 503 comes.
TEST(FramingOfOwnAnswers, ABodyThatWaitedInVainIsNoRequest) {
  SiteSetup setup;
  setup.keys["hold"] = "{ max: 0, timeout: 1s }";
  Site site(setup);
  site.sidecar().command("maint blue last=yes");
  const Seen seen =
      site.talk("POST /web HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(kNext.size()) +
                "\r\n\r\n" + kNext);
  EXPECT_EQ(seen.statuses(), "503");
  EXPECT_TRUE(seen.records.empty());
}

// B05: where backends keep their connections.
TEST(FramingWithReuse, AnUpgradeNeverUsesAConnectionThatServedAnother) {
  harness::ScriptedBackend keeping([](harness::Peer& peer, const std::string& head) {
    std::string next = head;
    while (!next.empty()) {
      if (!peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")) return;
      if (next.find("Upgrade: websocket") != std::string::npos) return;
      next = peer.read_head();
      if (next.find("Upgrade: websocket") != std::string::npos) std::abort();
    }
  });
  harness::SidecarSetup second;
  second.colors = {{"blue", 1, {keeping.address()}, {keeping.address()}, "64", true}};
  second.workers = 1;
  harness::SidecarProcess sidecar(second);
  sidecar.wait_until_up({"blue"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(harness::get(sidecar.port(), "/a").status, 200);
    harness::RawClient client(sidecar.port());
    client.send("GET /b HTTP/1.1\r\nHost: a\r\n" + kUpgrade + "\r\n");
    EXPECT_EQ(client.read_answer().status, 200);
  }
  // Plain requests did share one: only the first was seen as a connection's beginning.
  const std::vector<std::string> heads = keeping.heads();
  const auto plain = std::count_if(heads.begin(), heads.end(), [](const std::string& head) {
    return head.find("Upgrade") == std::string::npos;
  });
  EXPECT_EQ(plain, 1);
  EXPECT_EQ(heads.size(), 4u);
}

}  // namespace
}  // namespace wire
