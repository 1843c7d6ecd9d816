#include "tests/support/memory_stream.h"

#include <algorithm>

#include "proxy/base/check.h"

namespace support {

using base::ErrorCode;
using base::Side;

MemoryStream::MemoryStream(MemoryLoop& loop, std::shared_ptr<MemoryPipe> pipe, size_t end,
                           const base::Address& peer)
    : loop_(loop), pipe_(std::move(pipe)), end_(end), id_(loop.next_id_++), peer_(peer) {
  loop_.streams_[id_] = this;
}

MemoryStream::~MemoryStream() {
  loop_.streams_.erase(id_);
  const size_t other = 1 - end_;
  pipe_->gone[end_] = true;
  // As in Linux: closing over unread bytes resets the connection.
  if (reset_on_close_ || in().size() > 0) {
    pipe_->reset[other] = true;
  } else {
    out().ended = true;
  }
}

void MemoryStream::write(std::span<const std::string_view> pieces) {
  CHECK(!finishing_);
  if (broken_ || write_failed_) return;
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  if (bytes == 0) return;
  if (pipe_->reset[end_]) {
    write_failed_ = true;
    pending_.clear();
    pending_sent_ = 0;
    return;
  }
  if (pipe_->gone[1 - end_]) {
    // The kernel takes them; what comes back is an RST.
    pipe_->reset[end_] = true;
    return;
  }
  for (const std::string_view piece : pieces) pending_.append(piece);
  push();
}

// Moves what fits. True: something moved.
bool MemoryStream::push() {
  const size_t room = pipe_->network.capacity - std::min(pipe_->network.capacity, out().size());
  const size_t count = std::min(room, pending());
  out().bytes.append(pending_, pending_sent_, count);
  pending_sent_ += count;
  if (pending() > 0) return count > 0;
  pending_ = std::string();
  pending_sent_ = 0;
  if (finishing_) out().ended = true;
  return count > 0;
}

void MemoryStream::finish_writing() {
  if (finishing_ || broken_) return;
  finishing_ = true;
  if (pending() == 0) out().ended = true;
}

bool MemoryStream::run() {
  if (broken_ || handler_ == nullptr) return false;
  if (pending() > 0 && !pipe_->reset[end_] && push()) {
    if (pending() == 0) handler_->on_flushed();
    return true;
  }
  const bool wants_bytes = reading_ && !ended_;
  if (wants_bytes && in().size() > 0) {
    give_bytes();
    return true;
  }
  if (write_failed_) {
    break_now();
    return true;
  }
  if (wants_bytes && in().ended) {
    ended_ = true;
    handler_->on_end();
    return true;
  }
  // Unread bytes of a paused stream hide the reset, as in SocketStream.
  if (pipe_->reset[end_] && (in().size() == 0 || ended_ || pending() > 0)) {
    break_now();
    return true;
  }
  return false;
}

void MemoryStream::give_bytes() {
  MemoryPipe::Direction& from = in();
  const std::string piece =
      from.bytes.substr(from.read, std::min(pipe_->network.read_size, from.size()));
  from.read += piece.size();
  if (from.size() == 0 || from.read > (64 << 10)) {
    from.bytes.erase(0, from.read);
    from.read = 0;
  }
  handler_->on_bytes(piece);
}

void MemoryStream::break_now() {
  broken_ = true;
  const bool accepted = end_ == 1;
  handler_->on_broken({accepted ? ErrorCode::client_gone : ErrorCode::backend_reset,
                       accepted ? Side::client : Side::backend, "reset in memory"});
}

}  // namespace support
