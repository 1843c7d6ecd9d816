// A client that stops sending too early.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class HalfClosed : public WholeReads {};

// Its FIN came while the request before was at work, so nobody looked at it again: the connection
// waited 30 seconds for a body that could not come.
TEST_F(HalfClosed, APipelinedBodyThatCannotBecomeWholeEndsTheConnectionAtOnce) {
  blue_.answer = "";
  MemoryPeer& client = connect();
  std::string cut_short = post("/", "hello");
  cut_short.resize(cut_short.size() - 2);
  send(client, get_head("/") + cut_short, 2);
  client.finish();
  settle();
  blue_.last().send("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  blue_.last().finish();
  settle();
  EXPECT_EQ(read_answers(client.take()).size(), 1u);
  EXPECT_EQ(worker_->counters().client_connections.read(), 0);
  EXPECT_EQ(blue_.requests.size(), 1u);
}

}  // namespace
}  // namespace relay
