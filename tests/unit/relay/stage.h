// One worker on a loop in memory, with scripted backends around it and clients in front. Virtual
// time: nothing happens but what a test says. At its end every test must have left nothing behind:
// nothing in flight, all slots free, no spooled byte, exactly one account a request.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/relay/client_connection.h"
#include "proxy/relay/tunnel.h"
#include "proxy/relay/worker.h"
#include "tests/support/memory_loop.h"
#include "tests/support/memory_peer.h"
#include "tests/unit/routing/table_for_tests.h"

namespace relay {

using namespace std::chrono_literals;
using routing::kBlue;
using routing::kGreen;
using routing::Tally;
using support::MemoryPeer;

// A server that takes one request a connection, writes it down and answers as it was told.
class ScriptedBackend {
 public:
  ScriptedBackend(support::MemoryLoop& loop, const std::string& address);

  support::MemoryServer server;
  // Sent when a request is whole; empty: the test answers itself.
  std::string answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
  bool closes = true;                 // after its answer, as Odoo does
  std::vector<std::string> requests;  // whole ones
  std::function<void(MemoryPeer&)> when_whole;

  MemoryPeer& peer(size_t index) { return *server.peers.at(index); }
  MemoryPeer& last() { return *server.peers.back(); }
  // What the last connection got, without the empty line and what is behind it.
  std::string head(size_t index) const;
  std::string body(size_t index) const;

 private:
  void on_bytes(MemoryPeer& peer);
};

// An answer as a client reads it.
struct Answer {
  int status = 0;
  std::vector<std::string> fields;
  std::string body;
  bool whole = false;
  bool keep_alive = false;

  // The value of the only field of that name; "" without one, "twice" if there are several.
  std::string field(std::string_view name) const;
};
std::vector<Answer> read_answers(std::string_view bytes, const std::vector<http::Method>& to = {});

class RelayStage {
 public:
  explicit RelayStage(size_t read_size);
  virtual ~RelayStage();

 protected:
  // What the worker runs on; who puts something before it destroys the worker first.
  virtual base::Loop& relay_loop() { return loop_; }
  // Until then config_, table_ may be changed freely; afterwards table_ takes effect by publish().
  void start();
  void publish();
  void publish_after(base::Millis wait) {
    pass(wait);
    publish();
  }

  MemoryPeer& connect();
  // Counts the requests in `bytes` as one more, and lets everything happen that follows at once.
  void send(MemoryPeer& client, std::string_view bytes, int requests = 1);
  // The whole conversation: one request of a new client, the answer's bytes.
  std::string ask(std::string_view bytes);
  Answer get(const std::string& target, const std::string& fields = "");
  void settle() { loop_.run_until_idle(); }
  void pass(base::Millis time) { loop_.advance(time); }

  static std::string get_head(const std::string& target, const std::string& fields = "") {
    return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  }
  static std::string post(const std::string& target, const std::string& body,
                          const std::string& fields = "") {
    return "POST " + target +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           fields + "\r\n" + body;
  }
  static std::string upgrade(const std::string& target = "/websocket") {
    return get_head(target,
                    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n");
  }
  static constexpr std::string_view kSwitched =
      "HTTP/1.1 101 SWITCHING PROTOCOLS\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  static std::string some_bytes(size_t size);

  int64_t in_flight(routing::ColorIndex color, Kind kind) const;
  int64_t tally(Tally what) const;
  int64_t errors(base::ErrorCode code) const;
  int64_t accounted() const;  // all requests with any status
  int64_t accounted_as(int status) const;
  int taken(routing::ColorIndex color) const { return core_->slots[color]->taken(); }
  routing::Route& route(std::string_view name);
  // An affinity cookie as we would have signed it.
  std::string cookie(routing::ColorIndex color, uint64_t nonce = 7, uint64_t epoch = 10);

  // Called by the fixture at the end of each test.
  void expect_nothing_left();

  support::MemoryLoop loop_;
  ScriptedBackend blue_;
  ScriptedBackend green_;
  ScriptedBackend blue_websocket_;
  ScriptedBackend green_websocket_;
  RelayConfig config_;
  routing::RoutingTable table_;
  std::unique_ptr<RelayCore> core_;
  std::unique_ptr<Worker> worker_;
  base::Address address_;  // where it listens
  std::vector<std::unique_ptr<MemoryPeer>> clients_;
  int64_t requests_ = 0;
};

// Tests that run at one read size.
class WholeReads : public testing::Test, public RelayStage {
 protected:
  WholeReads() : RelayStage(SIZE_MAX) {}
  void TearDown() override { expect_nothing_left(); }
};

// Tests that run at read sizes 1, 2, 3, 7 and whole.
class EveryReadSize : public testing::TestWithParam<size_t>, public RelayStage {
 protected:
  EveryReadSize() : RelayStage(GetParam()) {}
  void TearDown() override { expect_nothing_left(); }
};
std::string read_size_name(const testing::TestParamInfo<size_t>& info);

#define AT_EVERY_READ_SIZE(suite)                                                       \
  INSTANTIATE_TEST_SUITE_P(Reads, suite, testing::Values<size_t>(1, 2, 3, 7, SIZE_MAX), \
                           read_size_name)

}  // namespace relay
