// Kept connections that must not be used again. Nobody else noticed when these were.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

constexpr std::string_view kKept = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class Reuse : public WholeReads {
 protected:
  Reuse() {
    table_.colors[kBlue].reuse = true;
    blue_.closes = false;
    blue_.answer = kKept;
  }
  size_t connections() const { return blue_.server.peers.size(); }
};

TEST_F(Reuse, HappensAfterAWholeRequestAndAWholeAnswer) {
  EXPECT_EQ(get("/1").status, 200);
  EXPECT_EQ(get("/2").status, 200);
  EXPECT_EQ(connections(), 1u);
}

// They would be taken for the answer to the next request.
TEST_F(Reuse, EndsWithBytesBehindAnAnswer) {
  blue_.answer = std::string(kKept) + "HTTP/1.1 500 Other\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(get("/1").status, 200);
  blue_.answer = kKept;
  EXPECT_EQ(get("/2").status, 200);
  EXPECT_EQ(connections(), 2u);
}

// The backend would take the next head for the rest of this body.
TEST_F(Reuse, EndsWithAnAnswerBeforeTheRequestIsWhole) {
  blue_.server.when_accepted = [](MemoryPeer& accepted) {
    accepted.when_bytes = [](MemoryPeer& peer) {
      if (!peer.take().empty()) peer.send(kKept);
    };
  };
  const std::string half = "POST /stream/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345";
  EXPECT_EQ(read_answers(ask(half)).at(0).status, 200);
  EXPECT_EQ(get("/stream/2").status, 200);
  EXPECT_EQ(connections(), 2u);
}

}  // namespace
}  // namespace relay
