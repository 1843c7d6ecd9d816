// A Loop over the one in memory where one call of one kind fails: the n-th accept, connect, read or
// write; or where something happens at the n-th event: time runs past every deadline, or no budget
// is left while the event is handled. What fails does so as a socket would: reported later, once.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "tests/support/memory_loop.h"

namespace relay {

enum class Fault { accept, connect, read, write, time, memory, spool };

class FaultyLoop final : public base::Loop {
 public:
  FaultyLoop(support::MemoryLoop& loop, Fault kind, int at) : loop_(loop), kind_(kind), at_(at) {}

  bool was_hit() const { return seen_ >= at_; }
  // Around the handling of the event where `memory` or `spool` fails.
  std::function<void()> take_budget;
  std::function<void()> give_budget;

  base::Instant now() const override { return loop_.now(); }
  base::WallTime wall() const override { return loop_.wall(); }
  base::Instant fresh() const override { return loop_.fresh(); }
  base::TimerWheel& timers() override { return loop_.timers(); }
  std::unique_ptr<base::Connecting> connect(const base::Address& to,
                                            base::ConnectHandler& handler) override;
  base::Result<std::unique_ptr<base::Listener>> listen(const base::Address& at, bool reuse_port,
                                                       base::AcceptHandler& handler) override;
  void dispose(std::unique_ptr<base::Disposable> object) override {
    loop_.dispose(std::move(object));
  }
  void post(std::function<void()> work) { loop_.mailbox().post(std::move(work)); }

  // One more call of that kind: is it the one that fails?
  bool fails(Fault kind) { return kind == kind_ && ++seen_ == at_; }
  // Something happens, and `handle` is told. It may destroy who called this.
  template <class Handle>
  void event(Handle handle) {
    const bool hungry = fails(Fault::memory) || fails(Fault::spool);
    if (fails(Fault::time)) post([&loop = loop_] { run_out_of_time(loop); });
    if (hungry) take_budget();
    handle();
    if (hungry) give_budget();
  }

 private:
  static void run_out_of_time(support::MemoryLoop& loop) {
    loop.clock().advance(std::chrono::minutes(20));
    loop.timers().advance(loop.now());
  }
  support::MemoryLoop& loop_;
  Fault kind_;
  int at_;
  int seen_ = 0;
};

}  // namespace relay
