// Real sockets in one thread: the side under test on a UvLoop, the other a plain descriptor.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/socket.h"
#include "proxy/base/socket_address.h"
#include "proxy/base/uv_loop.h"

namespace base {

// Runs turns until `is_so`; a test that hangs fails after ten seconds.
inline void run_until(UvLoop& loop, const std::function<bool()>& is_so) {
  bool late = false;
  struct Guard {
    bool* late;
    void ring() { *late = true; }
  } guard{&late};
  Timer timer(loop.timers(), &guard, fires<&Guard::ring>);
  timer.start(Millis(10'000));
  while (!is_so() && !late) loop.run_turn();
  ASSERT_FALSE(late) << "what was awaited did not happen";
}

// Runs until everything that is under way has been seen.
inline void settle(UvLoop& loop) {
  for (int i = 0; i < 3; ++i) {
    bool posted = false;
    loop.mailbox().post([&] { posted = true; });
    run_until(loop, [&] { return posted; });
  }
}

// Writes down what a stream says.
struct Recorder final : StreamHandler {
  void on_bytes(std::string_view piece) override {
    bytes += piece;
    ++reads;
    if (when_bytes) when_bytes();
  }
  void on_end() override {
    ended = true;
    if (when_end) when_end();
  }
  void on_broken(const Error& reason) override {
    broken = true;
    error = reason;
    if (when_broken) when_broken();
  }
  void on_flushed() override {
    ++flushes;
    if (when_flushed) when_flushed();
  }
  std::string bytes;
  int reads = 0;
  int flushes = 0;
  bool ended = false;
  bool broken = false;
  Error error;
  std::function<void()> when_bytes, when_end, when_broken, when_flushed;
};

struct Acceptor final : AcceptHandler {
  void on_accepted(std::unique_ptr<Stream> stream) override {
    streams.push_back(std::move(stream));
    if (when_accepted) when_accepted();
  }
  std::vector<std::unique_ptr<Stream>> streams;
  std::function<void()> when_accepted;
};

struct Connector final : ConnectHandler {
  void on_connected(std::unique_ptr<Stream> connected) override {
    stream = std::move(connected);
    done = true;
  }
  void on_connect_failed(const Error& reason) override {
    error = reason;
    done = true;
  }
  std::unique_ptr<Stream> stream;
  Error error;
  bool done = false;
};

// A plain blocking socket.
class RawPeer {
 public:
  explicit RawPeer(int descriptor) : descriptor_(descriptor) {
    const timeval limit{10, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  static RawPeer connect_to(const Address& address, int receive_buffer = 0) {
    const SocketAddress to = to_socket_address(address);
    RawPeer peer(socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer != 0) {
      setsockopt(peer.descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    EXPECT_EQ(::connect(peer.descriptor_, to.get(), to.size), 0);
    return peer;
  }
  RawPeer(RawPeer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RawPeer& operator=(RawPeer&&) = delete;
  ~RawPeer() { close(); }

  void send(std::string_view bytes) {
    ASSERT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Up to `most` bytes; empty at the end, "RST" when reset.
  std::string receive(size_t most = 65536) {
    std::string bytes(most, 0);
    const ssize_t n = recv(descriptor_, bytes.data(), most, 0);
    if (n < 0) return errno == ECONNRESET ? "RST" : "error";
    bytes.resize(static_cast<size_t>(n));
    return bytes;
  }
  void finish() { shutdown(descriptor_, SHUT_WR); }
  void reset() {
    const linger now{1, 0};
    setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

inline const Address kAnyPort = *parse_address("127.0.0.1:0");

// A connection: `stream` is ours (accepted), `peer` the other end.
class SocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto listening = loop.listen(kAnyPort, false, acceptor);
    ASSERT_TRUE(listening) << listening.error().detail;
    listener = *std::move(listening);
  }
  void open(int receive_buffer = 0) {
    peer = std::make_unique<RawPeer>(RawPeer::connect_to(listener->bound(), receive_buffer));
    run_until(loop, [&] { return !acceptor.streams.empty(); });
    stream = std::move(acceptor.streams.back());
    acceptor.streams.clear();
    stream->set_handler(&recorder);
  }
  // A turn that does not wait.
  void turn() {
    loop.mailbox().post([] {});
    loop.run_turn();
  }

  UvLoop loop;
  Acceptor acceptor;
  Recorder recorder;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<RawPeer> peer;
  std::unique_ptr<Stream> stream;
};

}  // namespace base
