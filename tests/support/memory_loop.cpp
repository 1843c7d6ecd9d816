#include "tests/support/memory_loop.h"

#include <algorithm>

#include "proxy/base/check.h"
#include "tests/support/memory_stream.h"

namespace support {

using base::Address;
using base::ErrorCode;
using base::Millis;
using base::Side;

class MemoryListener final : public base::Listener {
 public:
  MemoryListener(MemoryLoop& loop, const Address& at, base::AcceptHandler& handler)
      : loop_(loop), id_(loop.next_id_++), at_(at), handler_(handler) {
    loop_.listeners_[id_] = this;
  }
  // What nobody accepted is reset, as the kernel does.
  ~MemoryListener() override {
    for (auto& stream : waiting_) stream->reset_on_close();
    loop_.listeners_.erase(id_);
  }
  Address bound() const override { return at_; }
  void pause() override { paused_ = true; }
  void resume() override { paused_ = false; }

  void add(std::unique_ptr<MemoryStream> stream) { waiting_.push_back(std::move(stream)); }
  bool run() {
    if (paused_ || waiting_.empty()) return false;
    auto stream = std::move(waiting_.front());
    waiting_.pop_front();
    handler_.on_accepted(std::move(stream));
    return true;
  }

 private:
  MemoryLoop& loop_;
  uint64_t id_;
  Address at_;
  base::AcceptHandler& handler_;
  std::deque<std::unique_ptr<MemoryStream>> waiting_;
  bool paused_ = false;
};

class MemoryConnecting final : public base::Connecting {
 public:
  MemoryConnecting(MemoryLoop& loop, const Address& to, base::ConnectHandler& handler)
      : loop_(loop), id_(loop.next_id_++), to_(to), handler_(handler) {
    loop_.connects_[id_] = this;
  }
  ~MemoryConnecting() override { loop_.connects_.erase(id_); }

  bool run() {
    if (done_ || loop_.hanging_.contains(to_)) return false;
    done_ = true;
    const auto failing = loop_.failing_.find(to_);
    if (failing != loop_.failing_.end()) {
      const base::Error error = failing->second;
      handler_.on_connect_failed(error);
      return true;
    }
    std::unique_ptr<base::Stream> stream = loop_.dial(to_);
    if (stream == nullptr) {
      handler_.on_connect_failed({ErrorCode::connect_refused, Side::backend, "nobody listens"});
    } else {
      handler_.on_connected(std::move(stream));
    }
    return true;
  }

 private:
  MemoryLoop& loop_;
  uint64_t id_;
  Address to_;
  base::ConnectHandler& handler_;
  bool done_ = false;
};

namespace {

// Runs every object of `map`, though each may destroy itself, others, or make new ones.
template <class T>
bool run_each(std::map<uint64_t, T*>& map) {
  std::vector<uint64_t> ids;
  for (const auto& [id, object] : map) ids.push_back(id);
  bool happened = false;
  for (const uint64_t id : ids) {
    const auto found = map.find(id);
    if (found != map.end() && found->second->run()) happened = true;
  }
  return happened;
}

}  // namespace

MemoryLoop::MemoryLoop(MemoryNetwork network) : network_(network) {}

MemoryLoop::~MemoryLoop() {
  posted_.clear();
  while (!disposed_.empty()) {
    const auto gone = std::move(disposed_);
    disposed_.clear();
  }
  CHECK(streams_.empty() && listeners_.empty() && connects_.empty());
}

std::unique_ptr<base::Connecting> MemoryLoop::connect(const Address& to,
                                                      base::ConnectHandler& handler) {
  return std::make_unique<MemoryConnecting>(*this, to, handler);
}

base::Result<std::unique_ptr<base::Listener>> MemoryLoop::listen(const Address& at, bool reuse_port,
                                                                 base::AcceptHandler& handler) {
  Address bound = at;
  if (bound.port == 0) bound.port = next_port_++;
  if (!reuse_port && listener_at(bound) != nullptr) {
    return base::fail(ErrorCode::io_failed, Side::proxy, "listen: Address already in use");
  }
  return std::make_unique<MemoryListener>(*this, bound, handler);
}

void MemoryLoop::dispose(std::unique_ptr<base::Disposable> object) {
  disposed_.push_back(std::move(object));
}

MemoryListener* MemoryLoop::listener_at(const Address& at) {
  for (const auto& [id, listener] : listeners_) {
    if (listener->bound() == at) return listener;
  }
  return nullptr;
}

std::unique_ptr<base::Stream> MemoryLoop::dial(const Address& to) {
  MemoryListener* listener = listener_at(to);
  if (listener == nullptr) return nullptr;
  auto pipe = std::make_shared<MemoryPipe>();
  pipe->network = network_;
  Address from = *base::parse_address("127.0.0.1:0");
  from.port = next_port_++;
  auto near = std::make_unique<MemoryStream>(*this, pipe, 0, to);
  listener->add(std::make_unique<MemoryStream>(*this, pipe, 1, from));
  return near;
}

void MemoryLoop::heal(const Address& at) {
  hanging_.erase(at);
  failing_.erase(at);
}

bool MemoryLoop::run_turn() {
  bool happened = !posted_.empty();
  for (size_t count = posted_.size(); count > 0; --count) {
    const auto work = std::move(posted_.front());
    posted_.pop_front();
    work();
  }
  if (run_each(listeners_)) happened = true;
  if (run_each(connects_)) happened = true;
  if (run_each(streams_)) happened = true;
  while (!disposed_.empty()) {
    happened = true;
    const auto gone = std::move(disposed_);
    disposed_.clear();
  }
  return happened;
}

void MemoryLoop::run_until_idle() {
  constexpr int kTurnsMax = 10'000'000;
  int turns = 0;
  while (run_turn()) CHECK(++turns < kTurnsMax);
}

void MemoryLoop::advance(Millis by) {
  const base::Instant end = now() + by;
  run_until_idle();
  while (now() < end) {
    const Millis left = std::chrono::ceil<Millis>(end - now());
    const Millis step = std::clamp(wheel_.until_next(), Millis(1), left);
    clock_.advance(std::min<std::chrono::nanoseconds>(step, end - now()));
    wheel_.advance(now());
    run_until_idle();
  }
}

}  // namespace support
