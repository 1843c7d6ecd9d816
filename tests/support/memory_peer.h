// The other side of what is tested on a MemoryLoop: clients and servers that say what a test tells
// them to and write down what they hear.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/check.h"
#include "tests/support/memory_loop.h"

namespace support {

class MemoryPeer final : private base::StreamHandler {
 public:
  explicit MemoryPeer(std::unique_ptr<base::Stream> stream) : stream_(std::move(stream)) {
    CHECK(stream_ != nullptr);
    stream_->set_handler(this);
    stream_->resume_reading();
  }
  // A client of the listener at `to`. Needs: somebody listens.
  MemoryPeer(MemoryLoop& loop, const base::Address& to) : MemoryPeer(loop.dial(to)) {}

  void send(std::string_view bytes) { stream_->write(bytes); }
  void finish() { stream_->finish_writing(); }  // FIN; reads on
  void close() { stream_.reset(); }             // FIN, or RST over unread bytes
  void reset() {                                // RST
    stream_->reset_on_close();
    stream_.reset();
  }
  void stall() { stream_->pause_reading(); }
  void read_on() { stream_->resume_reading(); }
  bool is_open() const { return stream_ != nullptr && !broken; }
  size_t unsent() const { return stream_->pending(); }
  // What was received, taken away.
  std::string take() { return std::exchange(received, {}); }

  std::string received;
  bool ended = false;   // the other side's FIN
  bool broken = false;  // its RST
  // Called last, may close or destroy this peer.
  std::function<void(MemoryPeer&)> when_bytes;
  std::function<void(MemoryPeer&)> when_end;

 private:
  void on_bytes(std::string_view bytes) override {
    received += bytes;
    const auto call = when_bytes;  // a copy: it may destroy this peer
    if (call) call(*this);
  }
  void on_end() override {
    ended = true;
    const auto call = when_end;
    if (call) call(*this);
  }
  void on_broken(const base::Error&) override { broken = true; }
  void on_flushed() override {}

  std::unique_ptr<base::Stream> stream_;
};

// A server at an address. Its peers stay here, also the closed ones, in order of arrival.
class MemoryServer final : private base::AcceptHandler {
 public:
  MemoryServer(MemoryLoop& loop, const base::Address& at) : loop_(loop), at_(at) { start(); }
  void start() {
    auto listener = loop_.listen(at_, false, *this);
    CHECK(listener.has_value());
    listener_ = *std::move(listener);
    at_ = listener_->bound();
  }
  void stop() { listener_.reset(); }  // connects are refused; open connections stay
  const base::Address& address() const { return at_; }

  std::vector<std::unique_ptr<MemoryPeer>> peers;
  std::function<void(MemoryPeer&)> when_accepted;  // mostly sets the peer's when_bytes

 private:
  void on_accepted(std::unique_ptr<base::Stream> stream) override {
    peers.push_back(std::make_unique<MemoryPeer>(std::move(stream)));
    if (when_accepted) when_accepted(*peers.back());
  }
  MemoryLoop& loop_;
  base::Address at_;
  std::unique_ptr<base::Listener> listener_;
};

}  // namespace support
