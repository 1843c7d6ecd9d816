// The HTTP port: what was measured on a real Odoo 17 with prefork workers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "tests/support/standin/tests/running_standin.h"

namespace standin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(Prefork, AnswersOnceInHttp10AndCloses) {
  const RunningStandin odoo;
  const std::string request =
      "GET /web/login HTTP/1.1\r\nHost: t\r\nConnection: keep-alive\r\n\r\n";
  Socket socket(odoo.http());
  socket.send(request + request);
  const std::string answer = socket.read_all();
  EXPECT_EQ(socket.error(), 0);
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\n")) << answer;
  EXPECT_EQ(count_of(answer, "HTTP/1."), 1);
  EXPECT_EQ(count_of(answer, "\r\nConnection: close\r\n"), 1);
  EXPECT_EQ(count_of(answer, "\r\nContent-Length: 4624\r\n"), 1);
  EXPECT_EQ(body_of(answer).size(), 4'624u);
  EXPECT_EQ(count_of(answer, "\r\nSet-Cookie: frontend_lang="), 2);
  EXPECT_EQ(count_of(answer, "\r\nSet-Cookie: session_id="), 1);
}

TEST(Prefork, RefusesWhatTheRealOneRefuses) {
  const RunningStandin odoo;
  std::string hundred_and_one;
  for (int i = 0; i < 101; ++i) hundred_and_one += "X-A: b\r\n";
  const std::vector<std::pair<std::string, int>> cases = {
      {"GET /web/login HTTP/1.1\r\n\r\n", 500},
      {"GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505},
      {"GET / http/1.1\r\nHost: t\r\n\r\n", 400},
      {"BREW /web/login HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"OPTIONS /web/login HTTP/1.1\r\nHost: t\r\n\r\n", 200},
      {"GET /web%00 HTTP/1.1\r\nHost: t\r\n\r\n", 500},
      {"GET /jsonrpc HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"POST /jsonrpc HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"POST /web/login HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\na=b", 400},
      {"GET / HTTP/1.1\r\n" + hundred_and_one + "\r\n", 431},
      {"GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(65'540, 'a') + "\r\n\r\n", 431},
      {"GET /web/health HTTP/1.1\r\nHost: t\r\nX: " + std::string(60'000, 'a') + "\r\n\r\n", 200},
      {"GET /" + std::string(65'540, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
      {"GET /websocket HTTP/1.1\r\nHost: t\r\nOrigin: t\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\n\r\n",
       500},
      {"GET /longpolling/poll HTTP/1.1\r\nHost: t\r\n\r\n", 404},
      {"POST /jsonrpc HTTP/1.1\r\nHost: t\r\nContent-Length: 134217729\r\n\r\n", 200},
  };
  for (const auto& [request, status] : cases) {
    EXPECT_EQ(status_of(ask(odoo.http(), request)), status) << request.substr(0, 80);
  }
}

TEST(Prefork, TakesChunkedBodiesAndSaysContinueWhenAsked) {
  const RunningStandin odoo;
  const std::string echo = ask(odoo.http(),
                               "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n"
                               "\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: r\r\n\r\n");
  EXPECT_EQ(count_of(echo, "\"body_bytes\": 5"), 1) << echo;
  Socket socket(odoo.http());
  socket.send(
      "POST /echo HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("abcde");
  const std::string answer = socket.read_all();
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200 OK\r\n")) << answer;
  EXPECT_EQ(body_of(answer).substr(body_of(answer).find("body_bytes")),
            body_of(echo).substr(body_of(echo).find("body_bytes")));
}

TEST(Prefork, SaysRpcErrorsWithStatus200) {
  const RunningStandin odoo({"--rpc-error-rate", "1"});
  const std::string call =
      "POST /jsonrpc HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n{\"id\":42}";
  std::string answer = ask(odoo.http(), call);
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(count_of(answer, "\"id\": 42, \"error\": "), 1) << answer;
  odoo.set("rpc_error_name=odoo.exceptions.UserError");
  EXPECT_EQ(count_of(ask(odoo.http(), call), "\"name\": \"odoo.exceptions.UserError\""), 1);
  odoo.set("rpc_error_rate=0");
  EXPECT_EQ(count_of(ask(odoo.http(), call), "\"id\": 42, \"result\": "), 1);
}

TEST(Prefork, ServesFilesWithTwoDatesRangesAndTags) {
  const RunningStandin odoo;
  const std::string whole = get(odoo.http(), "/web/static/src/img/logo.png");
  EXPECT_EQ(count_of(whole, "\r\nDate: "), 2);
  EXPECT_EQ(body_of(whole).size(), 2'901u);
  const size_t tag = whole.find("ETag: ") + 6;
  const std::string fields =
      "Host: t\r\nIf-None-Match: " + whole.substr(tag, whole.find("\r\n", tag) - tag) + "\r\n\r\n";
  EXPECT_EQ(status_of(ask(odoo.http(), "GET /web/static/a.png HTTP/1.1\r\n" + fields)), 304);
  const std::string part =
      ask(odoo.http(), "GET /web/static/a.png HTTP/1.1\r\nHost: t\r\nRange: bytes=1-3\r\n\r\n");
  EXPECT_EQ(status_of(part), 206);
  EXPECT_EQ(body_of(part), "PNG");
}

TEST(Prefork, KnowsOnlyItsOwnBundles) {
  const RunningStandin blue({"--version", "a", "--asset-bytes", "100000"});
  const RunningStandin green({"--version", "b", "--asset-bytes", "100000"});
  const std::string miss = get(blue.http(), "/web/assets/0000000/web.min.js");
  EXPECT_EQ(status_of(miss), 303);
  const size_t at = miss.find("Location: ") + 10;
  const std::string own = miss.substr(at, miss.find("\r\n", at) - at);
  const std::string bundle = get(blue.http(), own);
  EXPECT_EQ(status_of(bundle), 200);
  EXPECT_EQ(count_of(bundle, "Cache-Control: public, max-age=31536000, immutable\r\n"), 1);
  EXPECT_EQ(body_of(bundle).size(), 100'000u);
  EXPECT_EQ(status_of(get(green.http(), own)), 303);
  green.set("asset_miss=404");
  EXPECT_EQ(status_of(get(green.http(), own)), 404);
}

TEST(Prefork, WritesANonceForEveryExecutedRequestBeforeItAnswers) {
  const RunningStandin odoo({"--color", "green", "--version", "7"});
  get(odoo.http(), "/nonce?n=a1");
  EXPECT_EQ(odoo.nonces(), "a1 GET /nonce?n=a1 green 7\n");
  ask(odoo.http(), "POST /jsonrpc HTTP/1.1\r\nHost: t\r\nX-Nonce: b2\r\n\r\n");
  EXPECT_EQ(odoo.nonces(), "a1 GET /nonce?n=a1 green 7\nb2 POST /jsonrpc green 7\n");
}

TEST(Prefork, LosesAWorkerToAnIdleConnectionUntilTheSocketTimeout) {
  const RunningStandin odoo({"--workers", "1", "--socket-timeout-ms", "300"});
  const auto start = steady_clock::now();
  Socket idle(odoo.http());
  odoo.await_stat("http_open", 1);
  EXPECT_EQ(status_of(get(odoo.http(), "/web/health")), 200);
  EXPECT_GE(steady_clock::now() - start, milliseconds(300));
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_EQ(idle.error(), 0);
}

TEST(Prefork, AnswersAHalfSentBodyAfterTheSocketTimeout) {
  const RunningStandin odoo({"--socket-timeout-ms", "100"});
  const std::string call =
      " HTTP/1.1\r\nHost: t\r\nX-Nonce: half\r\nContent-Length: 100\r\n\r\n{\"id\":1,";
  const std::string answer = ask(odoo.http(), "POST /jsonrpc" + call);
  EXPECT_EQ(status_of(answer), 200);
  EXPECT_EQ(count_of(answer, "ClientDisconnected"), 1) << answer;
  EXPECT_EQ(status_of(ask(odoo.http(), "POST /web/login" + call)), 400);
  EXPECT_EQ(odoo.nonces(), "");
}

TEST(Prefork, CutsTheAnswerOfAReaderThatStallsWithAPlainEnd) {
  const RunningStandin odoo(
      {"--socket-timeout-ms", "100", "--asset-bytes", "30000000", "--asset-miss", "200"});
  Socket slow(odoo.http(), /*receive_buffer=*/65'536);
  slow.send("GET /web/assets/0/a.js HTTP/1.1\r\nHost: t\r\n\r\n");
  odoo.await_stat("truncated", 1);
  const std::string answer = slow.read_all();
  EXPECT_EQ(count_of(answer, "Content-Length: 30000000\r\n"), 1);
  EXPECT_LT(answer.size(), 30'000'000u);
  EXPECT_EQ(slow.error(), 0);
}

TEST(Prefork, QueuesEightConnectionsPerWorkerAndNoMore) {
  const RunningStandin odoo({"--workers", "1"});
  Socket busy(odoo.http());
  busy.send("GET /web/report?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n");
  odoo.await_stat("requests", 1);
  std::vector<pollfd> connects;
  for (int i = 0; i < 20; ++i) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(odoo.http()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    connects.push_back({fd, POLLOUT, 0});
  }
  const auto connected = [&] { return poll(connects.data(), connects.size(), 0); };
  const auto end = steady_clock::now() + std::chrono::seconds(10);
  while (connected() < 9 && steady_clock::now() < end) poll(nullptr, 0, 1);
  EXPECT_EQ(connected(), 9);  // the others wait for an answer to their SYN
  for (const pollfd& one : connects) close(one.fd);
}

TEST(Prefork, EndsAsObservedOnSigterm) {
  RunningStandin odoo({"--workers", "1"});
  Socket websocket = open_websocket(odoo.websocket());
  Socket running(odoo.http());
  running.send("GET /web/report?ms=1000 HTTP/1.1\r\nHost: t\r\nX-Nonce: running\r\n\r\n");
  odoo.await_stat("requests", 1);
  Socket queued(odoo.http());
  queued.send("GET /nonce?n=queued HTTP/1.1\r\nHost: t\r\n\r\n");
  odoo.signal(SIGTERM);
  EXPECT_EQ(websocket.read_all(), "");  // no close frame
  EXPECT_EQ(websocket.error(), 0);
  EXPECT_EQ(Socket(odoo.websocket()).error(), ECONNREFUSED);
  EXPECT_EQ(Socket(odoo.http()).error(), 0);  // accepted by the kernel, never served
  EXPECT_EQ(status_of(running.read_all()), 200);
  EXPECT_EQ(queued.read_all(), "");
  EXPECT_EQ(queued.error(), ECONNRESET);
  EXPECT_EQ(odoo.nonces(), "running GET /web/report?ms=1000 blue 1\n");
  EXPECT_EQ(odoo.wait(), 0);
}

TEST(Prefork, EndsAtOnceOnASecondSigterm) {
  RunningStandin odoo;
  Socket running(odoo.http());
  running.send("GET /web/report?ms=60000 HTTP/1.1\r\nHost: t\r\n\r\n");
  odoo.await_stat("requests", 1);
  odoo.signal(SIGTERM);
  while (Socket(odoo.websocket()).error() == 0) poll(nullptr, 0, 1);  // the first has been seen
  odoo.signal(SIGTERM);
  EXPECT_EQ(running.read_all(), "");
  EXPECT_EQ(running.error(), 0);
  EXPECT_EQ(odoo.wait(), 1);
}

TEST(Prefork, AcceptsBeforeItAnswers) {
  const auto start = steady_clock::now();
  const RunningStandin odoo({"--http-delay-ms", "200"});
  Socket early(odoo.http());
  EXPECT_EQ(early.error(), 0);
  early.send("GET /web/health HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(status_of(early.read_all()), 200);
  EXPECT_GE(steady_clock::now() - start, milliseconds(200));
}

TEST(Prefork, StreamsEventsWithoutALength) {
  const RunningStandin odoo;
  const std::string answer = get(odoo.http(), "/events?count=3&ms=1");
  EXPECT_EQ(count_of(answer, "Content-Length"), 0);
  EXPECT_EQ(body_of(answer), "data: 0\n\ndata: 1\n\ndata: 2\n\n");
}

}  // namespace
}  // namespace standin
