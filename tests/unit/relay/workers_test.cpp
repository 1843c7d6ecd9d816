// All workers on real threads and sockets: tables change under load, and every promise about them
// is kept. Also run under ThreadSanitizer.
#include "proxy/relay/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "proxy/relay/worker.h"
#include "tests/unit/base/loop_fixture.h"
#include "tests/unit/routing/table_for_tests.h"

namespace relay {
namespace {

using routing::ColorState;
using routing::kBlue;
using routing::kGreen;

// A backend on a loop and thread of its own: one request a connection.
class HttpServer final : private base::AcceptHandler {
 public:
  HttpServer() {
    auto listener = loop_.listen(*base::parse_address("127.0.0.1:0"), false, *this);
    EXPECT_TRUE(listener);
    listener_ = *std::move(listener);
    address_ = listener_->bound();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~HttpServer() {
    loop_.mailbox().post([this] {
      listener_.reset();
      connections_.clear();
      loop_.stop();
    });
    thread_.join();
  }
  const base::Address& address() const { return address_; }

  std::atomic<bool> closed{false};  // nobody may send anything now
  std::atomic<int> requests{0};
  std::atomic<int> requests_while_closed{0};

 private:
  struct Connection final : base::Disposable, base::StreamHandler {
    Connection(HttpServer& owner, std::unique_ptr<base::Stream> accepted)
        : server(owner), stream(std::move(accepted)) {
      stream->set_handler(this);
      stream->resume_reading();
    }
    void on_bytes(std::string_view bytes) override {
      request += bytes;
      if (request.find("\r\n\r\n") == std::string::npos) return;
      server.requests.fetch_add(1);
      if (server.closed) server.requests_while_closed.fetch_add(1);
      stream->write("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
      stream->finish_writing();
    }
    void on_end() override { server.drop(*this); }
    void on_broken(const base::Error&) override { server.drop(*this); }
    void on_flushed() override {}
    HttpServer& server;
    std::unique_ptr<base::Stream> stream;
    std::string request;
  };
  void on_accepted(std::unique_ptr<base::Stream> stream) override {
    auto connection = std::make_unique<Connection>(*this, std::move(stream));
    connections_[connection.get()] = std::move(connection);
  }
  void drop(Connection& connection) {
    const auto found = connections_.find(&connection);
    if (found == connections_.end()) return;
    loop_.dispose(std::move(found->second));
    connections_.erase(found);
  }

  base::UvLoop loop_;
  std::unique_ptr<base::Listener> listener_;
  base::Address address_;
  std::map<Connection*, std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

class WorkersOnThreads : public testing::Test {
 protected:
  static constexpr int kWorkers = 3;

  WorkersOnThreads() {
    config_.listen = *base::parse_address("127.0.0.1:0");
    config_.workers = kWorkers;
    config_.spool.dir = testing::TempDir();
    table_ = routing::two_colors(50, 50);
    table_.cookie_keys = {base::Key{1}};
    table_.colors[kBlue].http = {{0, blue_.address(), true}};
    table_.colors[kGreen].http = {{1, green_.address(), true}};
    routing::Route& route = table_.routes.emplace_back();
    route.name = "web";
    route.prefixes = {"/"};
    workers_ = std::make_unique<Workers>(config_, main_.share_mailbox(), nullptr);
    publish();
    auto bound = workers_->listen();
    EXPECT_TRUE(bound);
    address_ = *bound;
  }
  // Returns when it is true on every worker.
  void publish() {
    ++table_.version;
    bool applied = false;
    workers_->publish(std::make_shared<const routing::RoutingTable>(table_),
                      [&] { applied = true; });
    run_until(main_, [&] { return applied; });
    EXPECT_EQ(workers_->applied_version(), table_.version);
  }
  int64_t in_flight(routing::ColorIndex color) const {
    const routing::Totals totals = workers_->totals();
    int64_t sum = 0;
    for (int kind = 0; kind < routing::kColorKinds; ++kind) {
      sum += totals.colors[color].in_flight[static_cast<size_t>(kind)];
    }
    return sum;
  }
  void wait_until(const std::function<bool()>& is_so) {
    run_until(main_, [&] {
      main_.mailbox().post([] {});  // look again in the next turn
      return is_so();
    });
  }
  // One answer whole, "" when the connection ended.
  static std::string receive_answer(base::RawPeer& peer) {
    std::string bytes;
    while (bytes.find("\r\n\r\nok") == std::string::npos) {
      const std::string piece = peer.receive();
      if (piece.empty() || piece == "RST" || piece == "error") return "";
      bytes += piece;
      if (bytes.find("503") != std::string::npos) return bytes;
    }
    return bytes;
  }

  RelayConfig config_;
  routing::RoutingTable table_;
  HttpServer blue_;
  HttpServer green_;
  base::UvLoop main_;
  std::unique_ptr<Workers> workers_;
  base::Address address_;
};

TEST_F(WorkersOnThreads, SendNothingToAColorThatIsClosedEverywhere) {
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      while (!stop) {
        base::RawPeer peer = base::RawPeer::connect_to(address_);
        for (int request = 0; request < 20 && !stop; ++request) {
          peer.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
          const std::string answer = receive_answer(peer);
          (answer.rfind("HTTP/1.1 200 ", 0) == 0 ? answered : failed).fetch_add(1);
          if (answer.empty()) break;
        }
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    const routing::ColorIndex color = round % 2 == 0 ? kBlue : kGreen;
    HttpServer& server = color == kBlue ? blue_ : green_;
    table_.colors[color].state = ColorState::closing;
    publish();
    wait_until([&] { return in_flight(color) == 0; });
    server.closed = true;  // a zero after that is final
    const int before = answered;
    wait_until([&] { return answered > before + 20; });
    server.closed = false;
    table_.colors[color].state = ColorState::ready;
    publish();
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(blue_.requests_while_closed, 0);
  EXPECT_EQ(green_.requests_while_closed, 0);
  EXPECT_EQ(blue_.requests + green_.requests, answered);
  wait_until([&] { return in_flight(kBlue) + in_flight(kGreen) == 0; });
}

TEST_F(WorkersOnThreads, KeepAnAddressThatComesAndGoesStraight) {
  HttpServer second;
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  table_.colors[kGreen].weight = 0;
  table_.colors[kBlue].slots = 2;  // so that some wait in the line
  std::vector<std::thread> clients;
  for (int i = 0; i < 6; ++i) {
    clients.emplace_back([&] {
      base::RawPeer peer = base::RawPeer::connect_to(address_);
      while (!stop) {
        peer.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
        const std::string answer = receive_answer(peer);
        (answer.rfind("HTTP/1.1 200 ", 0) == 0 ? answered : failed).fetch_add(1);
        if (answer.empty()) break;
      }
    });
  }
  for (int round = 0; round < 40; ++round) {
    table_.colors[kBlue].http = {{0, blue_.address(), round % 3 != 0},
                                 {2, second.address(), round % 3 != 1}};
    ++table_.version;
    // Not awaited: several tables are on their way at once.
    workers_->publish(std::make_shared<const routing::RoutingTable>(table_), {});
    const int before = answered;
    wait_until([&] { return answered > before + round % 4 * 5 || failed > 0; });
  }
  publish();
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(second.requests, 0);
}

TEST_F(WorkersOnThreads, ListAndSumWhatAllOfThemHave) {
  table_.held = true;
  publish();
  std::vector<base::RawPeer> peers;
  for (int i = 0; i < 12; ++i) {
    peers.push_back(base::RawPeer::connect_to(address_));
    peers.back().send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const auto held = static_cast<size_t>(routing::Kind::held);
  wait_until([&] { return workers_->totals().colors.back().in_flight[held] == 12; });
  bool listed = false;
  workers_->list(routing::kNoColor, 10, [&](std::vector<routing::InFlightEntry> entries) {
    EXPECT_EQ(entries.size(), 10u);
    listed = true;
  });
  run_until(main_, [&] { return listed; });
  table_.held = false;
  publish();
  for (base::RawPeer& peer : peers) {
    EXPECT_EQ(receive_answer(peer).rfind("HTTP/1.1 200 ", 0), 0u);
  }
}

TEST_F(WorkersOnThreads, SayOnceWhenAllHaveLeft) {
  base::RawPeer idle = base::RawPeer::connect_to(address_);
  idle.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_NE(receive_answer(idle), "");
  int empty = 0;
  workers_->leave([&] { ++empty; });
  EXPECT_EQ(idle.receive(), "") << "let go with a FIN";
  idle.close();
  run_until(main_, [&] { return empty > 0; });
  for (int i = 0; i < 5; ++i) settle(main_);
  EXPECT_EQ(empty, 1);
  EXPECT_EQ(workers_->totals().client_connections, 0);
}

TEST_F(WorkersOnThreads, AreDestroyedInTheMiddleOfTheirWork) {
  table_.held = true;
  publish();
  std::vector<base::RawPeer> peers;
  for (int i = 0; i < 5; ++i) {
    peers.push_back(base::RawPeer::connect_to(address_));
    peers.back().send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  const auto held = static_cast<size_t>(routing::Kind::held);
  wait_until([&] { return workers_->totals().colors.back().in_flight[held] == 5; });
  workers_.reset();
  EXPECT_EQ(peers.front().receive(), "");
}

}  // namespace
}  // namespace relay
