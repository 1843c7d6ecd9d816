// A Loop in memory on virtual time: connections are pairs of buffers, nothing happens unless the
// test says so, and every run is the same. Behaves as a UvLoop over Linux sockets does where its
// users can tell: order of events, what a reset loses, what fails and when.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/mailbox.h"
#include "tests/support/fake_clock.h"

namespace support {

class MemoryStream;
class MemoryListener;
class MemoryConnecting;

// How the network between two ends behaves; read when a connection is made.
struct MemoryNetwork {
  size_t read_size = SIZE_MAX;  // the most that one on_bytes brings: 1, 2, 3, 7 or whole
  size_t capacity = 1 << 20;    // bytes one side may be ahead of the other's reading
};

class MemoryLoop final : public base::Loop, private base::Mailbox {
 public:
  explicit MemoryLoop(MemoryNetwork network = {});
  ~MemoryLoop() override;

  // Loop
  base::Instant now() const override { return clock_.now(); }
  base::WallTime wall() const override { return clock_.wall(); }
  base::Instant fresh() const override { return clock_.now(); }
  base::TimerWheel& timers() override { return wheel_; }
  std::unique_ptr<base::Connecting> connect(const base::Address& to,
                                            base::ConnectHandler& handler) override;
  base::Result<std::unique_ptr<base::Listener>> listen(const base::Address& at, bool reuse_port,
                                                       base::AcceptHandler& handler) override;
  void dispose(std::unique_ptr<base::Disposable> object) override;
  base::Mailbox& mailbox() { return *this; }

  // One turn: each connection, connect and posted closure gets at most one event. False: none had.
  bool run_turn();
  // Turns until nothing happens without time passing.
  void run_until_idle();
  // Time passes, timers fire at their moments, and everything that follows happens.
  void advance(base::Millis by);

  MemoryNetwork& network() { return network_; }
  FakeClock& clock() { return clock_; }  // to set the wall clock; time passes by advance()

  // Connects to a listener at once, as a client from outside would; null where nobody listens.
  std::unique_ptr<base::Stream> dial(const base::Address& to);
  // From now on: connects to this address hang for ever, fail with `error`, or are served again.
  void hang(const base::Address& at) { hanging_[at] = true; }
  void fail(const base::Address& at, base::Error error) { failing_[at] = std::move(error); }
  void heal(const base::Address& at);

  size_t open_streams() const { return streams_.size(); }

 private:
  friend class MemoryStream;
  friend class MemoryListener;
  friend class MemoryConnecting;
  void post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  MemoryListener* listener_at(const base::Address& at);

  FakeClock clock_;
  base::TimerWheel wheel_{clock_.now()};
  MemoryNetwork network_;
  // By age: the order in which they get their events.
  uint64_t next_id_ = 1;
  std::map<uint64_t, MemoryStream*> streams_;
  std::map<uint64_t, MemoryListener*> listeners_;
  std::map<uint64_t, MemoryConnecting*> connects_;
  std::map<base::Address, bool> hanging_;
  std::map<base::Address, base::Error> failing_;
  std::deque<std::function<void()>> posted_;
  std::vector<std::unique_ptr<base::Disposable>> disposed_;
  uint16_t next_port_ = 40'000;
};

}  // namespace support
