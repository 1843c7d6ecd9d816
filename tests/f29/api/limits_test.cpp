// What a client may send: sizes, times, and nothing lost when it is refused.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/f29/api/api_fixture.h"

using namespace f29;
using namespace f29test;
using namespace std::chrono_literals;

namespace {

class LimitsTest : public ApiTest {
 protected:
  LimitsTest() {
    HttpServerOptions http;
    http.head_bytes_max = 4 << 10;
    http.body_bytes_max = 64 << 10;
    http.head_timeout = 200ms;
    http.body_timeout = 200ms;
    http.threads = 2;
    http.waiting_max = 2;
    start({}, http);
  }
  Answer raw(const std::string& bytes) {
    return read_answer(exchange(server_->bound().port, bytes));
  }
  // Sends and keeps the connection open.
  int open(const std::string& bytes) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->bound().port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
    return socket;
  }
  static std::string rest_of(int socket) {
    std::string all;
    char piece[4096];
    for (ssize_t n = 0; (n = ::recv(socket, piece, sizeof piece, 0)) > 0;) {
      all.append(piece, static_cast<size_t>(n));
    }
    ::close(socket);
    return all;
  }
  const std::string import_ = "POST " + std::string(kPeriodPath) +
                              "/import HTTP/1.1\r\nHost: f29\r\nX-API-Key: first-key\r\n"
                              "Content-Type: text/csv\r\n";
};

}  // namespace

TEST_F(LimitsTest, RefusesABodyAboveTheLimitByItsLengthAlone) {
  const Answer answer = at("POST", "/import", std::string(1 << 20, 'x'), "text/csv");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(code_of(answer), "too_large");
}

TEST_F(LimitsTest, RefusesAChunkedBodyAboveTheLimit) {
  std::string chunks;
  for (int i = 0; i < 40; ++i) chunks += "1000\r\n" + std::string(4096, 'x') + "\r\n";
  const Answer answer = raw(import_ + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(code_of(answer), "too_large");
}

TEST_F(LimitsTest, RefusesABodyThatGrowsAboveTheLimitWhenDecompressed) {
  // 10 MiB of zeros, gzip -9.
  const std::string file = folder_ + "/bomb.gz";
  ASSERT_EQ(std::system(("head -c 10485760 /dev/zero | gzip -9 > " + file).c_str()), 0);
  const std::string bomb = read_file(file);
  ASSERT_LT(bomb.size(), size_t{64} << 10);
  const Answer answer =
      raw(import_ + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(bomb.size()) +
          "\r\n\r\n" + bomb);
  EXPECT_EQ(answer.status, 413) << answer.body;
}

TEST_F(LimitsTest, RefusesAHeadAboveTheLimit) {
  const Answer one = raw("GET /healthz HTTP/1.1\r\nX: " + std::string(6'000, 'x') + "\r\n\r\n");
  EXPECT_EQ(one.status, 431);
  std::string many = "GET /healthz HTTP/1.1\r\n";
  for (int i = 0; i < 2'000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
  EXPECT_EQ(raw(many + "\r\n").status, 431);
}

TEST_F(LimitsTest, RefusesWhatIsNoRequest) {
  const Answer answer = raw("hello\r\n\r\n");
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(code_of(answer), "bad_request");
}

TEST_F(LimitsTest, EndsAHeadThatDoesNotCome) {
  const Answer answer = read_answer(rest_of(open("GET /healthz HTTP/1.1\r\nHost:")));
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(code_of(answer), "too_slow");
}

TEST_F(LimitsTest, EndsABodyThatDoesNotCome) {
  const Answer answer =
      read_answer(rest_of(open(import_ + "Content-Length: 100\r\n\r\nhalf of it")));
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(at("GET", "").status, 404) << "nothing was kept";
}

TEST_F(LimitsTest, ServesOthersOnceSlowClientsAreGone) {
  std::vector<int> slow;
  for (int i = 0; i < 6; ++i) slow.push_back(open("GET /healthz HTTP/1.1\r\n"));
  EXPECT_EQ(call("GET", "/healthz").status, 200);
  for (const int socket : slow) ::close(socket);
}
