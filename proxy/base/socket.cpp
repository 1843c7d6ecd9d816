#include "proxy/base/socket.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "proxy/base/check.h"
#include "proxy/base/socket_listener.h"
#include "proxy/base/uv_loop.h"

namespace base {
namespace {

constexpr int kReadsPerTurn = 4;
constexpr size_t kSentKept = 64 << 10;  // sent bytes that may stay at the front of what is pending
constexpr size_t kPiecesPerCall = 16;

bool would_block(int errno_value) { return errno_value == EAGAIN || errno_value == EWOULDBLOCK; }

ssize_t receive(int descriptor, std::span<char> into) {
  ssize_t n;
  do {
    n = recv(descriptor, into.data(), into.size(), 0);
  } while (n < 0 && errno == EINTR);
  return n;
}

ssize_t send_pieces(int descriptor, std::span<iovec> pieces) {
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = pieces.size();
  ssize_t n;
  do {
    n = sendmsg(descriptor, &message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n;
}

int socket_error(int descriptor) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

bool has_unread_bytes(int descriptor) {
  int bytes = 0;
  return ioctl(descriptor, FIONREAD, &bytes) == 0 && bytes > 0;
}

}  // namespace

SocketStream::SocketStream(UvLoop& loop, PollHandle handle, const Address& peer, Side side)
    : loop_(loop), handle_(std::move(handle)), peer_(peer), side_(side) {
  handle_.set_target(this);
}

SocketStream::~SocketStream() {
  if (reset_on_close_) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
}

// While nobody wants bytes, urgent data stands for "nothing but a reset": libuv cannot watch for
// errors alone.
int SocketStream::wanted() const {
  if (broken_) return 0;
  const int bytes = wants_bytes() ? UV_READABLE : has_urgent_ ? 0 : UV_PRIORITIZED;
  return bytes | (pending() > 0 ? UV_WRITABLE : 0);
}

void SocketStream::resume_reading() {
  reading_ = true;
  // pause_reading() leaves the watch as it is until bytes come, so this mostly costs nothing.
  if (ended_ || broken_ || (handle_.watched() & UV_READABLE) != 0) return;
  handle_.watch(wanted());
}

void SocketStream::on_poll(int status, int events) {
  const Watch watch(mortal_);
  if (status < 0) return error_ready(watch);
  if ((events & UV_PRIORITIZED) != 0) has_urgent_ = true;
  if ((events & UV_WRITABLE) != 0) write_ready();
  if (!watch.is_gone() && (events & UV_READABLE) != 0) read_ready(watch);
  if (watch.is_gone()) return;
  // What came and is not wanted must not wake us again; what did not come may stay watched.
  const bool unwanted = ((events & UV_READABLE) != 0 && !wants_bytes()) ||
                        ((events & UV_WRITABLE) != 0 && pending() == 0) ||
                        (events & UV_PRIORITIZED) != 0;
  if (broken_ || unwanted) handle_.watch(wanted());
}

void SocketStream::read_ready(const Watch& watch) {
  CHECK(handler_ != nullptr);
  const std::span<char> buffer = loop_.read_buffer();
  for (int i = 0; i < kReadsPerTurn && wants_bytes() && !broken_; ++i) {
    const ssize_t n = receive(descriptor(), buffer);
    if (n < 0) {
      if (!would_block(errno)) break_now(errno);
      return;
    }
    if (n == 0) {
      ended_ = true;
      handler_->on_end();
      return;
    }
    handler_->on_bytes({buffer.data(), static_cast<size_t>(n)});
    if (watch.is_gone() || static_cast<size_t>(n) < buffer.size()) return;
  }
}

// The socket has an error, but bytes that came before it are read first.
void SocketStream::error_ready(const Watch& watch) {
  if (wants_bytes()) {
    read_ready(watch);
  } else if (!ended_ && pending() == 0 && has_unread_bytes(descriptor())) {
    return;  // paused: the error shows again when the bytes are wanted
  } else if (const int error = socket_error(descriptor()); error != 0) {
    return break_now(error);
  }
  if (!watch.is_gone()) handle_.watch(wanted());
}

void SocketStream::write(std::span<const std::string_view> pieces) {
  CHECK(!finishing_);
  if (broken_) return;
  if (pending() > 0) {
    for (const std::string_view piece : pieces) keep(piece);
    return;
  }
  while (!pieces.empty()) {
    std::array<iovec, kPiecesPerCall> vector;
    const size_t count = std::min(pieces.size(), vector.size());
    size_t wanted_bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      vector[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
      wanted_bytes += pieces[i].size();
    }
    ssize_t sent = wanted_bytes == 0 ? 0 : send_pieces(descriptor(), {vector.data(), count});
    if (sent < 0) {
      if (!would_block(errno)) return break_later(errno);
      sent = 0;
    }
    size_t taken = static_cast<size_t>(sent);
    if (taken < wanted_bytes) {
      for (const std::string_view piece : pieces) {
        const size_t skipped = std::min(taken, piece.size());
        taken -= skipped;
        keep(piece.substr(skipped));
      }
      handle_.watch(handle_.watched() | UV_WRITABLE);
      return;
    }
    pieces = pieces.subspan(count);
  }
}

void SocketStream::keep(std::string_view piece) {
  if (pending_sent_ >= kSentKept && pending_sent_ >= pending_.size() / 2) {
    pending_.erase(0, pending_sent_);
    pending_sent_ = 0;
  }
  pending_.append(piece);
}

void SocketStream::write_ready() {
  if (pending() == 0 || broken_) return;
  iovec rest = {pending_.data() + pending_sent_, pending()};
  const ssize_t sent = send_pieces(descriptor(), {&rest, 1});
  if (sent < 0) {
    if (!would_block(errno)) break_later(errno);
    return;
  }
  pending_sent_ += static_cast<size_t>(sent);
  if (pending() > 0) return;
  pending_ = std::string();  // idle connections hold no buffers
  pending_sent_ = 0;
  if (finishing_) shut_down();
  if (!broken_ && handler_ != nullptr) handler_->on_flushed();
}

void SocketStream::finish_writing() {
  if (finishing_ || broken_) return;
  finishing_ = true;
  if (pending() == 0) shut_down();
}

void SocketStream::shut_down() {
  // ENOTCONN: the peer has reset the connection; reading or the next event says so.
  if (shutdown(descriptor(), SHUT_WR) != 0 && errno != ENOTCONN) break_later(errno);
}

bool SocketStream::peer_has_reset() const {
  pollfd state{descriptor(), 0, 0};  // errors are told without being asked for, nor taken away
  return broken_ || (poll(&state, 1, 0) == 1 && (state.revents & POLLERR) != 0);
}

void SocketStream::break_later(int errno_value) {
  broken_ = true;
  broken_errno_ = errno_value;
  pending_ = std::string();
  pending_sent_ = 0;
  handle_.watch(0);
  loop_.late_reports().add(*this);
}

void SocketStream::break_now(int errno_value) {
  broken_ = true;
  handle_.watch(0);
  withdraw();
  if (handler_ == nullptr) return;
  const bool from_client = side_ == Side::client;
  const Error error{from_client ? ErrorCode::client_gone : ErrorCode::backend_reset, side_,
                    io_error("socket", errno_value).detail};
  handler_->on_broken(error);
}

// A write failed in this turn. What the peer had sent before (an early answer) is still there.
void SocketStream::report() {
  const Watch watch(mortal_);
  const std::span<char> buffer = loop_.read_buffer();
  while (wants_bytes() && handler_ != nullptr) {
    const ssize_t n = receive(descriptor(), buffer);
    if (n <= 0) break;
    handler_->on_bytes({buffer.data(), static_cast<size_t>(n)});
    if (watch.is_gone()) return;
  }
  break_now(broken_errno_);
}

std::optional<PeerIdentity> peer_identity(const Stream& stream) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  const int descriptor = descriptor_of(stream);
  int family = 0;
  socklen_t family_size = sizeof family;
  if (descriptor < 0 || getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &family_size) != 0 ||
      family != AF_UNIX ||
      getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  return PeerIdentity{credentials.uid, credentials.gid, credentials.pid};
}

int descriptor_of(const Stream& stream) {
  const auto* socket = dynamic_cast<const SocketStream*>(&stream);
  return socket == nullptr ? -1 : socket->descriptor();
}

bool is_named(const Listener& listener) {
  const auto* socket = dynamic_cast<const SocketListener*>(&listener);
  return socket != nullptr && socket->is_named();
}

int descriptor_of(const Listener& listener) {
  const auto* socket = dynamic_cast<const SocketListener*>(&listener);
  return socket == nullptr ? -1 : socket->descriptor();
}

}  // namespace base
