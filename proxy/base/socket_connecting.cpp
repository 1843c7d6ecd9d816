#include "proxy/base/socket_connecting.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>

#include "proxy/base/socket.h"
#include "proxy/base/uv_loop.h"

namespace base {
namespace {

// Where the kernel looks for a free local port by default.
constexpr uint16_t kFirstEphemeralPort = 32768;

Error connect_error(int errno_value) {
  const std::string detail = io_error("connect", errno_value).detail;
  switch (errno_value) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket that is not there
      return {ErrorCode::connect_refused, Side::backend, detail};
    case EADDRNOTAVAIL:  // no local port is left
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return {ErrorCode::connect_failed, Side::proxy, detail};
    default:
      return {ErrorCode::connect_failed, Side::backend, detail};
  }
}

}  // namespace

std::unique_ptr<Connecting> SocketConnecting::start(UvLoop& loop, const Address& to,
                                                    ConnectHandler& handler) {
  std::unique_ptr<SocketConnecting> self(new SocketConnecting(loop, to, handler));
  self->begin(to_socket_address(to));
  return self;
}

std::unique_ptr<Connecting> SocketConnecting::start_unix(UvLoop& loop, const std::string& path,
                                                         ConnectHandler& handler) {
  std::unique_ptr<SocketConnecting> self(new SocketConnecting(loop, {}, handler));
  const Result<SocketAddress> to = to_socket_address(path);
  if (to) {
    self->begin(*to);
  } else {
    self->fail_later({ErrorCode::connect_failed, Side::proxy, to.error().detail});
  }
  return self;
}

void SocketConnecting::begin(const SocketAddress& to) {
  const int descriptor = socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return fail_later(connect_error(errno));
  if (to.family() != AF_UNIX) {
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  int result;
  do {
    result = connect(descriptor, to.get(), to.size);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno != EINPROGRESS) {
    const int error = errno;
    close(descriptor);
    return fail_later(connect_error(error));
  }
  Result<PollHandle> handle = PollHandle::open(loop_, descriptor, this);
  if (!handle) {
    return fail_later({ErrorCode::connect_failed, Side::proxy, handle.error().detail});
  }
  handle_ = std::move(*handle);
  handle_.watch(UV_WRITABLE);
}

void SocketConnecting::on_poll(int, int) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(handle_.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error == 0 && is_own_echo()) error = ECONNREFUSED;
  if (error != 0) {
    handle_.watch(0);
    const Error reason = connect_error(error);
    handler_.on_connect_failed(reason);
    return;
  }
  // Still watched for writing: the stream's first wish replaces that.
  auto stream = std::make_unique<SocketStream>(loop_, std::move(handle_), to_, Side::backend);
  handler_.on_connected(std::move(stream));
}

// A free local port may be the very one that nobody listens on: TCP then connects us to ourselves.
bool SocketConnecting::is_own_echo() const {
  if (to_.port < kFirstEphemeralPort) return false;
  SocketAddress own;
  return getsockname(handle_.descriptor(), own.get(), &own.size) == 0 && to_address(own) == to_;
}

void SocketConnecting::fail_later(Error error) {
  error_ = std::move(error);
  loop_.late_reports().add(*this);
}

void SocketConnecting::report() {
  const Error error = *std::move(error_);
  handler_.on_connect_failed(error);
}

}  // namespace base
