// The websocket port, the fast mode, the control port and the command line.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "tests/support/standin/tests/running_standin.h"

namespace standin {
namespace {

std::string handshake(std::string_view fields) {
  return "GET /websocket HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string(fields) + "\r\n";
}

TEST(WebsocketPort, KeepsConnectionsAliveAndServesEveryRoute) {
  const RunningStandin odoo;
  Socket socket(odoo.websocket());
  for (int i = 0; i < 3; ++i) {
    socket.send("GET /web/health HTTP/1.1\r\nHost: t\r\n\r\n");
    const std::string head = socket.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
    EXPECT_EQ(count_of(head, "Server:"), 0);
    EXPECT_EQ(socket.read(18), "{\"status\": \"pass\"}");
  }
  EXPECT_EQ(status_of(get(odoo.websocket(), "/websocket/health")), 200);
  EXPECT_EQ(status_of(get(odoo.websocket(), "/web/login")), 200);
}

TEST(WebsocketPort, TakesBodiesInAnyPiecesAndPipelinedRequests) {
  const RunningStandin odoo;
  Socket socket(odoo.websocket());
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nConnection: close\r\n\r\nabcd";
  for (char c : request) socket.send(std::string(1, c));
  const std::string answers = socket.read_all();
  EXPECT_EQ(count_of(answers, "\"body_bytes\": 3"), 1) << answers;
  EXPECT_EQ(count_of(answers, "\"body_bytes\": 4"), 1) << answers;
}

TEST(WebsocketPort, RefusesAHandshakeWithoutOriginOrOfAnotherVersion) {
  const RunningStandin odoo;
  EXPECT_EQ(status_of(ask(odoo.websocket(), handshake("Sec-WebSocket-Version: 13\r\n"))), 400);
  EXPECT_EQ(
      status_of(ask(odoo.websocket(), handshake("Origin: t\r\nSec-WebSocket-Version: 8\r\n"))),
      500);
}

TEST(WebsocketPort, EchoesFramesAnswersPingsAndCloses) {
  const RunningStandin odoo;
  Socket socket = open_websocket(odoo.websocket());
  for (size_t size : {0u, 125u, 126u, 65'535u, 65'536u, 1'000'000u}) {
    const std::string payload(size, 'x');
    socket.send(masked_frame(2, payload));
    const Frame frame = read_frame(socket);
    EXPECT_EQ(frame.opcode, 2);
    EXPECT_TRUE(frame.payload == payload) << size;
  }
  socket.send(masked_frame(9, "hello") + masked_frame(1, "text"));
  EXPECT_EQ(read_frame(socket).opcode, 10);
  EXPECT_EQ(read_frame(socket).payload, "text");
  socket.send(masked_frame(8, "\x03\xe9"));
  EXPECT_EQ(read_frame(socket).payload, "\x03\xe9");
  EXPECT_EQ(read_frame(socket).opcode, -1);
  EXPECT_EQ(socket.error(), 0);
}

TEST(WebsocketPort, RefusesFramesWithoutAMask) {
  const RunningStandin odoo;
  Socket socket = open_websocket(odoo.websocket());
  socket.send(std::string("\x81\x01z", 3));
  EXPECT_EQ(read_frame(socket).payload, "\x03\xea");
}

TEST(WebsocketPort, PingsTheSilent) {
  const RunningStandin odoo({"--websocket-ping-ms", "20"});
  Socket socket = open_websocket(odoo.websocket());
  EXPECT_EQ(read_frame(socket).opcode, 9);
  EXPECT_EQ(read_frame(socket).opcode, 9);
}

TEST(WebsocketPort, OpensLater) {
  const RunningStandin odoo({"--websocket-delay-ms", "600"});
  EXPECT_EQ(Socket(odoo.websocket()).error(), ECONNREFUSED);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/health")), 200);
  while (Socket(odoo.websocket()).error() != 0) {
  }
  EXPECT_EQ(status_of(get(odoo.websocket(), "/websocket/health")), 200);
}

TEST(WebsocketPort, HoldsFiveThousandWebsockets) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  // As many as the file limit of this machine lets one process have.
  const int count = static_cast<int>(std::min<rlim_t>(5'000, limit.rlim_cur - 100));
  const RunningStandin odoo;
  std::vector<Socket> sockets;
  for (int i = 0; i < count; ++i) sockets.push_back(open_websocket(odoo.websocket()));
  EXPECT_EQ(odoo.stat("websockets_open"), count);
  for (Socket& socket : sockets) ASSERT_TRUE(socket.send(masked_frame(1, "still here")));
  for (Socket& socket : sockets) ASSERT_EQ(read_frame(socket).payload, "still here");
}

TEST(WebsocketPort, HoldsALongPollForItsTime) {
  const RunningStandin odoo;
  Socket polling(odoo.websocket());
  polling.send("GET /longpolling/poll?ms=200 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  odoo.await_stat("requests", 1);
  EXPECT_EQ(status_of(get(odoo.websocket(), "/websocket/health")), 200);  // meanwhile
  EXPECT_EQ(count_of(polling.read_all(), "\"result\": []"), 1);
}

TEST(WebsocketPort, StreamsEventsInChunks) {
  const RunningStandin odoo;
  EXPECT_EQ(body_of(get(odoo.websocket(), "/events?count=2&ms=1")),
            "9\r\ndata: 0\n\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n");
}

TEST(FastMode, ServesManyKeptConnectionsWithFewWorkers) {
  RunningStandin odoo({"--http11-keepalive", "--workers", "1"});
  Socket first(odoo.http());
  Socket second(odoo.http());
  for (int i = 0; i < 100; ++i) {
    for (Socket* socket : {&first, &second}) {
      socket->send("GET /bytes?size=1024 HTTP/1.1\r\nHost: t\r\n\r\n");
      EXPECT_TRUE(socket->read_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
      EXPECT_EQ(socket->read(1'024).size(), 1'024u);
    }
  }
  Socket running(odoo.http());
  running.send("GET /web/report?ms=300 HTTP/1.1\r\nHost: t\r\n\r\n");
  odoo.await_stat("requests", 201);
  odoo.signal(SIGTERM);
  EXPECT_EQ(first.read_all(), "");
  EXPECT_EQ(status_of(running.read_all()), 200);
  EXPECT_EQ(odoo.wait(), 0);
}

TEST(ControlPort, ChangesWhatIsServedAtOnce) {
  const RunningStandin odoo;
  EXPECT_EQ(status_of(odoo.set("page=fail&health=fail&websocket_health=fail")), 200);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/login")), 500);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/health")), 500);
  EXPECT_EQ(status_of(get(odoo.websocket(), "/websocket/health")), 500);
  EXPECT_EQ(status_of(odoo.set("page=ok&health=ok&websocket_health=ok&error_rate=1")), 200);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/health")), 200);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/login")), 500);
  EXPECT_EQ(status_of(odoo.set("error_rate=0&latency_ms=1&slow_rate=1&slow_ms=1")), 200);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/login")), 200);
}

TEST(ControlPort, EndsAHangWhenItIsTold) {
  const RunningStandin odoo({"--health", "hang"});
  for (int port : {odoo.http(), odoo.websocket()}) {
    odoo.set("health=hang");
    Socket probe(port);
    const int64_t before = odoo.stat("requests");
    probe.send("GET /web/health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    odoo.await_stat("requests", before + 1);
    odoo.set("health=ok");
    EXPECT_EQ(status_of(probe.read_all()), 200);
  }
}

TEST(ControlPort, RefusesUnknownSettings) {
  const RunningStandin odoo;
  for (const char* settings : {"latncy_ms=5", "error_rate=2", "page=maybe", "page", "=", "&"}) {
    EXPECT_EQ(status_of(odoo.set(settings)), 400) << settings;
  }
}

TEST(CommandLine, EndsWithTwoOnWhatItDoesNotKnow) {
  for (const char* option : {"--colour=blue", "--workers=0", "blue", "--http=abc"}) {
    const int status = system((std::string(STANDIN_ODOO) + " " + option + " 2>/dev/null").c_str());
    EXPECT_EQ(WEXITSTATUS(status), 2) << option;
  }
}

}  // namespace
}  // namespace standin
