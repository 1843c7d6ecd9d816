// The Loop over libuv and real sockets. One thread owns it; only the Mailbox may be used from
// others. Sockets are in socket.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "proxy/base/late_report.h"
#include "proxy/base/loop.h"
#include "proxy/base/mailbox.h"

typedef struct uv_loop_s uv_loop_t;

namespace base {

class PollPool;

class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;  // closes what is left, runs the loop until libuv is done with it

  // Loop
  Instant now() const override { return now_; }
  WallTime wall() const override;
  Instant fresh() const override;
  TimerWheel& timers() override;
  std::unique_ptr<Connecting> connect(const Address& to, ConnectHandler& handler) override;
  Result<std::unique_ptr<Listener>> listen(const Address& at, bool reuse_port,
                                           AcceptHandler& handler) override;
  void dispose(std::unique_ptr<Disposable> object) override;

  // A listening Unix socket (the admin socket) with the file's mode; replaces a stale file, and
  // fails with conflict where another process answers, unless it is to be replaced. Its destructor
  // removes the file unless another process has put its own there.
  Result<std::unique_ptr<Listener>> listen_unix(const std::string& path, int mode,
                                                AcceptHandler& handler, bool replace = false);
  // Serves a descriptor that already listens (handed over or by socket activation). Takes it.
  Result<std::unique_ptr<Listener>> adopt_listener(int descriptor, AcceptHandler& handler);
  // A connected socket. Takes it.
  Result<std::unique_ptr<Stream>> adopt_stream(int descriptor, Side side);
  std::unique_ptr<Connecting> connect_unix(const std::string& path, ConnectHandler& handler);

  Mailbox& mailbox();  // lives as long as the loop
  // For threads that may outlive the loop: posts after the loop's end are dropped.
  std::shared_ptr<Mailbox> share_mailbox();
  // Calls `seen` on this loop's thread for each arrival of the signal.
  void on_signal(int number, std::function<void(int)> seen);

  void run();       // until stop()
  void stop();      // from the loop's own thread; others post a closure that calls it
  void run_turn();  // one turn, which waits for something to happen

  // Within the library: raw handle, the read buffer that all sockets of this loop share, and what
  // sockets need of a turn.
  uv_loop_t* raw() { return loop_.get(); }
  std::span<char> read_buffer() { return read_buffer_; }
  PollPool& poll_pool();
  LateReports& late_reports();
  // Every callback from libuv starts with this: the first of a turn reads the clock.
  void begin_turn() {
    if (time_is_old_) read_time();
  }

 private:
  struct Parts;
  void read_time();
  void finish_turn();
  void arm_timer();

  std::unique_ptr<uv_loop_t> loop_;
  std::unique_ptr<Parts> parts_;
  std::vector<char> read_buffer_;
  Instant now_;
  bool time_is_old_ = true;
  bool is_running_ = false;
};

}  // namespace base
