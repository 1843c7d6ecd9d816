#include "tests/simulation/network.h"

#include <algorithm>

#include "proxy/base/check.h"

namespace simulation {

using base::ErrorCode;
using base::Side;

namespace {

constexpr int kReadsPerTurn = 4;
constexpr size_t kPendingMax = 80 << 10;  // one read or piece of 64 KiB, and a head

std::shared_ptr<Pipe> new_pipe(World& world) {
  auto pipe = std::make_shared<Pipe>();
  pipe->mood = world.mood;
  pipe->id = world.random.next();
  return pipe;
}

}  // namespace

void Pipe::Direction::settle(Instant now) {
  while (!wire.empty() && wire.front().at <= now) {
    arrived = wire.front().written;
    wire.pop_front();
  }
}

SimStream::SimStream(SimLoop& own_loop, std::shared_ptr<Pipe> pipe, size_t end,
                     const base::Address& peer)
    : Actor(own_loop), pipe_(std::move(pipe)), end_(end), peer_(peer) {
  pipe_->end[end_] = this;
}

SimStream::~SimStream() {
  const size_t other = 1 - end_;
  pipe_->end[end_] = nullptr;
  pipe_->gone[end_] = true;
  in().settle(world().now());
  if (!finishing_) pipe_->taken_at_end[end_] = in().taken;
  if (end_ == 0 && pipe_->host != nullptr) pipe_->host->on_hung_up(*pipe_->dialer);
  Instant reset = Instant::max();
  if (reset_on_close_ || in().readable() > 0) {
    // What is still in the kernel is lost with it: all, or what the wire does not have yet.
    out().settle(world().now());
    const size_t kept = world().random.below(out().wire.size() + 1);
    out().wire.resize(kept);
    const uint64_t last = kept > 0 ? out().wire.back().written : out().arrived;
    out().bytes.resize(out().bytes.size() - static_cast<size_t>(out().written - last));
    out().written = last;
    reset = arrival();
  } else {
    if (out().fin_at == Instant::max()) out().fin_at = arrival();
    // Bytes that come to a closed socket are answered by an RST.
    if (!in().wire.empty()) reset = in().wire.back().at + world().some(pipe_->mood.latency_max);
  }
  if (reset_) return;
  pipe_->reset_at[other] = std::min(pipe_->reset_at[other], reset);
  if (pipe_->end[other] == nullptr) return;
  if (out().fin_at != Instant::max()) pipe_->end[other]->wake(out().fin_at);
  if (reset != Instant::max()) pipe_->end[other]->wake(reset);
}

// When what is sent now is there: after what was sent before.
Instant SimStream::arrival() {
  Instant at = world().now() + world().some(pipe_->mood.latency_max);
  if (!out().wire.empty()) at = std::max(at, out().wire.back().at);
  return at;
}

bool SimStream::peer_has_reset() const {
  return reset_ || broken_ || pipe_->reset_at[end_] <= loop.world.now();
}

// Takes note of an RST that has come. What was under way behind it is lost.
bool SimStream::take_reset() {
  if (reset_ || pipe_->reset_at[end_] > world().now()) return reset_;
  reset_ = true;
  Pipe::Direction& direction = in();
  direction.settle(pipe_->reset_at[end_]);
  direction.bytes.resize(direction.read + direction.readable());
  direction.written = direction.arrived;
  direction.wire.clear();
  direction.fin_at = Instant::max();
  return true;
}

void SimStream::put(std::string_view bytes) {
  if (bytes.empty()) return;
  Pipe::Direction& direction = out();
  if (end_ == 0 && pipe_->host != nullptr) {
    pipe_->host->on_written(*pipe_->dialer, pipe_->id, in().taken);
  }
  direction.bytes.append(bytes);
  direction.written += bytes.size();
  const Instant at = arrival();
  direction.wire.push_back({at, direction.written});
  if (pipe_->end[1 - end_] != nullptr) {
    pipe_->end[1 - end_]->wake(at);
  } else {
    pipe_->reset_at[end_] =
        std::min(pipe_->reset_at[end_], at + world().some(pipe_->mood.latency_max));
    wake(pipe_->reset_at[end_]);
  }
}

void SimStream::write(std::span<const std::string_view> pieces) {
  CHECK(!finishing_);
  if (broken_ || write_failed_) return;
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  if (bytes == 0) return;
  if (pending() > 0) {
    for (const std::string_view piece : pieces) pending_.append(piece);
    if (!loop.outside && pending() > kPendingMax) {
      world().fail("%zu bytes wait in a stream", pending());
    }
    return;
  }
  if (take_reset()) {
    write_failed_ = true;
    loop.late(*this);
    return;
  }
  for (const std::string_view piece : pieces) pending_.append(piece);
  if (!loop.outside && pending() > kPendingMax)
    world().fail("%zu bytes wait in a stream", pending());
  push();
  if (pending() > 0) {
    wake_for_more();
  } else {
    pending_ = std::string();
    pending_sent_ = 0;
  }
}

// Moves as much as the network takes now. True: nothing is left.
bool SimStream::push() {
  const Pipe::Direction& direction = out();
  const size_t ahead = static_cast<size_t>(direction.written - direction.taken);
  const size_t room = pipe_->mood.capacity - std::min(pipe_->mood.capacity, ahead);
  size_t count = std::min({room, pending(), pipe_->mood.write_max});
  if (count > 1 && pipe_->mood.write_max != SIZE_MAX) count = world().random.size_between(1, count);
  put(std::string_view(pending_).substr(pending_sent_, count));
  pending_sent_ += count;
  return pending() == 0;
}

void SimStream::resume_reading() {
  reading_ = true;
  wake(world().now());
}

void SimStream::finish_writing() {
  if (finishing_ || broken_) return;
  finishing_ = true;
  pipe_->taken_at_end[end_] = in().taken;
  if (pending() > 0) return;
  out().fin_at = arrival();
  if (pipe_->end[1 - end_] != nullptr) pipe_->end[1 - end_]->wake(out().fin_at);
}

void SimStream::act() {
  if (broken_ || write_failed_ || handler_ == nullptr) return;
  const base::Watch watch(mortal_);
  take_reset();
  in().settle(world().now());
  if (pending() > 0 && !reset_) write_ready();
  if (watch.is_gone()) return;
  read_ready();
  if (watch.is_gone()) return;
  // Unread bytes of a paused stream hide the reset.
  const bool unread = !ended_ && in().readable() > 0;
  if (reset_ && !broken_ && !write_failed_ && (!unread || (!reading_ && pending() > 0))) {
    break_now();
    return;
  }
  wake_for_more();
}

// A write failed in this turn. What the peer had sent before is still read.
void SimStream::act_late() {
  if (!write_failed_ || broken_ || handler_ == nullptr) return;
  const base::Watch watch(mortal_);
  while (reading_ && !ended_ && in().readable() > 0) {
    read_ready();
    if (watch.is_gone()) return;
  }
  break_now();
}

void SimStream::write_ready() {
  if (!push()) return;
  pending_ = std::string();
  pending_sent_ = 0;
  if (finishing_) {
    out().fin_at = arrival();
    if (pipe_->end[1 - end_] != nullptr) pipe_->end[1 - end_]->wake(out().fin_at);
  }
  handler_->on_flushed();
}

void SimStream::read_ready() {
  const base::Watch watch(mortal_);
  for (int i = 0; i < kReadsPerTurn && reading_ && !ended_ && !broken_; ++i) {
    Pipe::Direction& direction = in();
    if (direction.readable() == 0) {
      if (direction.fin_at > world().now() || !direction.wire.empty()) return;
      ended_ = true;
      handler_->on_end();
      return;
    }
    size_t count = std::min(direction.readable(), pipe_->mood.read_max);
    if (count > 1 && pipe_->mood.read_max < 4096) count = world().random.size_between(1, count);
    // A buffer that dies with the call shows who kept a view.
    const std::string piece = direction.bytes.substr(direction.read, count);
    direction.read += count;
    direction.taken += count;
    if (direction.read == direction.bytes.size() || direction.read > 4096) {
      direction.bytes.erase(0, direction.read);
      direction.read = 0;
    }
    SimStream* writer = pipe_->end[1 - end_];
    if (writer != nullptr && writer->pending() > 0) {
      writer->wake(world().now() + world().some(pipe_->mood.latency_max));
    }
    handler_->on_bytes(piece);
    if (watch.is_gone()) return;
    if (world().random.percent(pipe_->mood.gap_percent)) return;
  }
}

// When there is something to do again.
void SimStream::wake_for_more() {
  if (broken_ || write_failed_) return;
  const Instant now = world().now();
  Pipe::Direction& direction = in();
  if (pending() > 0 && !reset_) {
    const size_t ahead = static_cast<size_t>(out().written - out().taken);
    if (ahead < pipe_->mood.capacity) wake(now + world().some(pipe_->mood.gap_max));
  }
  if (reading_ && !ended_) {
    if (direction.readable() > 0) {
      const bool pause = world().random.percent(pipe_->mood.gap_percent);
      wake(pause ? now + world().some(pipe_->mood.gap_max) : now);
    } else if (!direction.wire.empty()) {
      wake(direction.wire.front().at);
    } else if (direction.fin_at != Instant::max()) {
      wake(direction.fin_at);
    }
  }
  if (!reset_ && pipe_->reset_at[end_] != Instant::max()) wake(pipe_->reset_at[end_]);
}

void SimStream::break_now() {
  broken_ = true;
  const bool accepted = end_ == 1;
  handler_->on_broken({accepted ? ErrorCode::client_gone : ErrorCode::backend_reset,
                       accepted ? Side::client : Side::backend, "reset"});
}

// --- connects and listeners ------------------------------------------------------------------

SimConnecting::SimConnecting(SimLoop& own_loop, const base::Address& to,
                             base::ConnectHandler& handler)
    : Actor(own_loop), to_(to), handler_(handler), host_(own_loop.world.host_at(to)) {
  if (host_ != nullptr) host_->on_dialed(loop);
  wake(loop.world.now() + loop.world.some(loop.world.mood.latency_max));
}

SimConnecting::~SimConnecting() {
  if (!done_ && host_ != nullptr) host_->on_hung_up(loop);
}

void SimConnecting::act() {
  const Host::Answer answer = host_ == nullptr ? Host::Answer::refuse : host_->answer_connect(loop);
  if (answer == Host::Answer::hang) return;
  done_ = true;
  if (answer != Host::Answer::accept) {
    if (host_ != nullptr) host_->on_hung_up(loop);
    const bool refused = answer == Host::Answer::refuse;
    handler_.on_connect_failed(
        {refused ? ErrorCode::connect_refused : ErrorCode::connect_failed, Side::backend, "no"});
    return;
  }
  World& world = loop.world;
  auto pipe = new_pipe(world);
  pipe->host = host_;
  pipe->dialer = &loop;
  auto near = std::make_unique<SimStream>(loop, pipe, 0, to_);
  const base::Address own{{}, static_cast<uint16_t>(world.random.below(60000) + 1000)};
  host_->accept(std::make_unique<SimStream>(host_->loop(), pipe, 1, own), loop);
  handler_.on_connected(std::move(near));
}

SimListener::SimListener(SimLoop& own_loop, const base::Address& at, base::AcceptHandler& handler)
    : Actor(own_loop), at_(at), handler_(handler) {
  loop.world.add_listener(at_, this);
}

SimListener::~SimListener() {
  for (auto& stream : waiting_) stream->reset_on_close();
  loop.world.remove_listener(this);
}

void SimListener::add(std::unique_ptr<SimStream> stream) {
  waiting_.push_back(std::move(stream));
  wake(loop.world.now() + loop.world.some(loop.world.mood.latency_max));
}

void SimListener::act() {
  if (paused_ || waiting_.empty()) return;
  auto stream = std::move(waiting_.front());
  waiting_.pop_front();
  if (!waiting_.empty()) wake(loop.world.now());
  handler_.on_accepted(std::move(stream));
}

std::unique_ptr<SimStream> dial(SimLoop& from, const base::Address& to, const base::Address& own) {
  SimListener* listener = from.world.any_listener(to);
  if (listener == nullptr) return nullptr;
  auto pipe = new_pipe(from.world);
  auto near = std::make_unique<SimStream>(from, pipe, 0, to);
  listener->add(std::make_unique<SimStream>(listener->loop, pipe, 1, own));
  return near;
}

}  // namespace simulation
