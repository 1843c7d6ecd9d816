// Connections of the simulated network: they come late, in pieces of any size, take less than they
// are given, and break. What a user of base::Stream can tell is as over Linux sockets: bytes before
// the end, what came before a reset may still be read, closing over unread bytes resets, a write
// that fails is told at the end of the turn.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>

#include "proxy/base/mortal.h"
#include "proxy/base/stream.h"
#include "tests/simulation/world.h"

namespace simulation {

class SimStream;

// Who is at an address.
class Host {
 public:
  enum class Answer { accept, refuse, unreachable, hang };
  virtual SimLoop& loop() = 0;
  virtual Answer answer_connect(SimLoop& from) = 0;
  virtual void accept(std::unique_ptr<SimStream> stream, SimLoop& from) = 0;
  // A connect began, or what it became is closed by who dialed.
  virtual void on_dialed(SimLoop& from) = 0;
  virtual void on_hung_up(SimLoop& from) = 0;
  // Bytes are written to a connection that was dialed, before the network has them.
  virtual void on_written(SimLoop& from, uint64_t connection, uint64_t bytes_read_before) = 0;

 protected:
  ~Host() = default;
};

struct Pipe {
  struct Direction {
    std::string bytes;     // written and not yet read
    size_t read = 0;       // of `bytes`
    uint64_t written = 0;  // in all
    uint64_t arrived = 0;
    uint64_t taken = 0;  // by the reader
    struct Mark {
      Instant at;
      uint64_t written;
    };
    std::deque<Mark> wire;
    Instant fin_at = Instant::max();
    void settle(Instant now);
    size_t readable() const { return static_cast<size_t>(arrived - taken); }
  };
  std::array<Direction, 2> from;  // written by this end; 0 is the end that dialed
  std::array<SimStream*, 2> end{nullptr, nullptr};
  std::array<bool, 2> gone{false, false};
  std::array<uint64_t, 2> taken_at_end{0, 0};  // by this end, when it stopped sending
  std::array<Instant, 2> reset_at{Instant::max(), Instant::max()};  // this end gets an RST
  NetworkMood mood;
  uint64_t id = 0;
  Host* host = nullptr;
  SimLoop* dialer = nullptr;
};

class SimStream final : public base::Stream, public Actor {
 public:
  SimStream(SimLoop& loop, std::shared_ptr<Pipe> pipe, size_t end, const base::Address& peer);
  ~SimStream() override;

  void set_handler(base::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override { reading_ = false; }
  void write(std::span<const std::string_view> pieces) override;
  using Stream::write;
  size_t pending() const override { return pending_.size() - pending_sent_; }
  void finish_writing() override;
  void reset_on_close() override { reset_on_close_ = true; }
  bool peer_has_reset() const override;
  base::Address peer() const override { return peer_; }

  void act() override;
  void act_late() override;
  uint64_t id() const { return pipe_->id; }
  bool is_open() const { return !broken_ && !write_failed_; }
  // Where the other end's user stands: what it has read, and when it stopped sending.
  uint64_t read_by_peer() const { return pipe_->from[end_].taken; }
  uint64_t read_when_peer_finished() const { return pipe_->taken_at_end[1 - end_]; }
  uint64_t read_here() const { return pipe_->from[1 - end_].taken; }
  bool peer_finished() const { return pipe_->from[1 - end_].fin_at != Instant::max(); }
  bool peer_is_gone() const { return pipe_->gone[1 - end_]; }
  std::shared_ptr<const Pipe> pipe() const { return pipe_; }

 private:
  Pipe::Direction& in() { return pipe_->from[1 - end_]; }
  Pipe::Direction& out() { return pipe_->from[end_]; }
  World& world() { return loop.world; }
  Instant arrival();
  void put(std::string_view bytes);
  bool push();
  bool take_reset();
  void write_ready();
  void read_ready();
  void break_now();
  void wake_for_more();

  std::shared_ptr<Pipe> pipe_;
  const size_t end_;
  base::Address peer_;
  base::StreamHandler* handler_ = nullptr;
  base::Mortal mortal_;
  std::string pending_;
  size_t pending_sent_ = 0;
  bool reading_ = false;
  bool ended_ = false;
  bool broken_ = false;
  bool write_failed_ = false;
  bool finishing_ = false;
  bool reset_on_close_ = false;
  bool reset_ = false;  // has got an RST
};

class SimConnecting final : public base::Connecting, public Actor {
 public:
  SimConnecting(SimLoop& loop, const base::Address& to, base::ConnectHandler& handler);
  ~SimConnecting() override;
  void act() override;

 private:
  base::Address to_;
  base::ConnectHandler& handler_;
  Host* host_ = nullptr;
  bool done_ = false;
};

class SimListener final : public base::Listener, public Actor {
 public:
  SimListener(SimLoop& loop, const base::Address& at, base::AcceptHandler& handler);
  ~SimListener() override;  // who was not accepted is reset, as the kernel does
  base::Address bound() const override { return at_; }
  void pause() override { paused_ = true; }
  void resume() override {
    paused_ = false;
    wake(loop.world.now());
  }
  void act() override;
  void add(std::unique_ptr<SimStream> stream);

 private:
  base::Address at_;
  base::AcceptHandler& handler_;
  std::deque<std::unique_ptr<SimStream>> waiting_;
  bool paused_ = false;
};

// A client's way in: to one of the listeners at `to`, nullptr where nobody listens.
std::unique_ptr<SimStream> dial(SimLoop& from, const base::Address& to, const base::Address& own);

}  // namespace simulation
