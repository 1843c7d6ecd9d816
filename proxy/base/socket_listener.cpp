#include "proxy/base/socket_listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <cstdio>

#include "proxy/base/descriptors.h"
#include "proxy/base/socket.h"
#include "proxy/base/socket_address.h"
#include "proxy/base/uv_loop.h"

namespace base {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr Millis kRest{100};

Result<int> open_tcp(const Address& at, bool reuse_port) {
  const SocketAddress to = to_socket_address(at);
  const std::string name = "listen on " + at.text();
  Descriptor descriptor(socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.get() < 0) return fail(io_error(name, errno));
  const auto set = [&](int level, int option, int value) {
    return setsockopt(descriptor.get(), level, option, &value, sizeof value) == 0;
  };
  const bool any_v6 = at.ip == std::array<uint8_t, 16>{};
  const bool ok =
      set(SOL_SOCKET, SO_REUSEADDR, 1) && (!reuse_port || set(SOL_SOCKET, SO_REUSEPORT, 1)) &&
      (at.is_v4() || set(IPPROTO_IPV6, IPV6_V6ONLY, any_v6 ? 0 : 1)) &&
      bind(descriptor.get(), to.get(), to.size) == 0 && ::listen(descriptor.get(), kBacklog) == 0;
  if (!ok) return fail(io_error(name, errno));
  return descriptor.release();
}

bool somebody_answers(const SocketAddress& at) {
  const Descriptor probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return connect(probe.get(), at.get(), at.size) == 0 || errno == EAGAIN;
}

// Takes shape under another name, so that nobody connects before its mode is right, and replaces
// what a dead process has left in one step.
Result<int> open_unix(const std::string& path, int mode, bool replace) {
  const std::string aside = path + ".new";
  const Result<SocketAddress> to = to_socket_address(path);
  const Result<SocketAddress> to_aside = to_socket_address(aside);
  if (!to) return fail(to.error());
  if (!to_aside) return fail(to_aside.error());
  const std::string name = "listen on " + path;
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return fail(ErrorCode::conflict, Side::proxy,
                  name + ": a file that is not a socket is there");
    }
    if (!replace && somebody_answers(*to)) {
      return fail(ErrorCode::conflict, Side::proxy, name + ": another process serves it");
    }
  }
  Descriptor descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  unlink(aside.c_str());
  if (descriptor.get() < 0 || bind(descriptor.get(), to_aside->get(), to_aside->size) != 0) {
    return fail(io_error(name, errno));
  }
  if (chmod(aside.c_str(), static_cast<mode_t>(mode)) != 0 ||
      ::listen(descriptor.get(), kBacklog) != 0 || rename(aside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    unlink(aside.c_str());
    return fail(io_error(name, error));
  }
  return descriptor.release();
}

// Errors of one connection, which is gone; the next may be taken.
bool is_about_one_connection(int errno_value) {
  switch (errno_value) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
      return true;
    default:
      return false;
  }
}

}  // namespace

SocketListener::SocketListener(UvLoop& loop, AcceptHandler& handler)
    : loop_(loop),
      handler_(handler),
      rest_(loop.timers(), this, fires<&SocketListener::on_rested>) {}

SocketListener::~SocketListener() {
  if (is_named()) unlink(unix_path_.c_str());
}

bool SocketListener::is_named() const {
  struct stat found {};
  return !unix_path_.empty() && lstat(unix_path_.c_str(), &found) == 0 &&
         found.st_dev == unix_device_ && found.st_ino == unix_inode_;
}

Result<std::unique_ptr<Listener>> SocketListener::adopt(UvLoop& loop, int descriptor,
                                                        AcceptHandler& handler) {
  Descriptor owned(descriptor);
  int listens = 0;
  socklen_t size = sizeof listens;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0) {
    return fail(io_error("adopt a listening socket", errno));
  }
  if (listens == 0) {
    return fail(ErrorCode::bad_input, Side::proxy, "the descriptor is not a listening socket");
  }
  const int on = 1;
  // Inherited by the accepted sockets; fails for Unix sockets, which need no such thing.
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  std::unique_ptr<SocketListener> self(new SocketListener(loop, handler));
  Result<PollHandle> handle = PollHandle::open(loop, owned.release(), self.get());
  if (!handle) return fail(handle.error());
  self->handle_ = std::move(*handle);
  self->resume();
  return self;
}

Result<std::unique_ptr<Listener>> SocketListener::listen(UvLoop& loop, const Address& at,
                                                         bool reuse_port, AcceptHandler& handler) {
  const Result<int> descriptor = open_tcp(at, reuse_port);
  if (!descriptor) return fail(descriptor.error());
  return adopt(loop, *descriptor, handler);
}

Result<std::unique_ptr<Listener>> SocketListener::listen_unix(UvLoop& loop, const std::string& path,
                                                              int mode, bool replace,
                                                              AcceptHandler& handler) {
  const Result<int> descriptor = open_unix(path, mode, replace);
  if (!descriptor) return fail(descriptor.error());
  Result<std::unique_ptr<Listener>> listener = adopt(loop, *descriptor, handler);
  struct stat found {};
  if (listener && lstat(path.c_str(), &found) == 0) {
    auto& self = static_cast<SocketListener&>(**listener);
    self.unix_path_ = path;
    self.unix_device_ = found.st_dev;
    self.unix_inode_ = found.st_ino;
  }
  return listener;
}

Address SocketListener::bound() const {
  SocketAddress own;
  if (getsockname(descriptor(), own.get(), &own.size) != 0) return {};
  return to_address(own);
}

void SocketListener::pause() {
  paused_ = true;
  handle_.watch(0);
}

void SocketListener::resume() {
  paused_ = false;
  if (!rest_.is_running()) handle_.watch(UV_READABLE);
}

void SocketListener::on_rested() {
  if (!paused_) handle_.watch(UV_READABLE);
}

void SocketListener::on_poll(int, int) {
  const Watch watch(mortal_);
  bool exhausted = false;
  for (int i = 0; i < kAcceptsPerTurn && !watch.is_gone() && !paused_ && !exhausted; ++i) {
    SocketAddress peer;
    const int descriptor =
        accept4(handle_.descriptor(), peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      exhausted = !is_about_one_connection(errno);
      continue;
    }
    Result<PollHandle> handle = PollHandle::open(loop_, descriptor, nullptr);
    if (!handle) {
      exhausted = true;
      continue;
    }
    handler_.on_accepted(
        std::make_unique<SocketStream>(loop_, *std::move(handle), to_address(peer), Side::client));
  }
  if (watch.is_gone()) return;
  if (exhausted && !paused_) {
    // Nobody is turned away: who connects meanwhile waits in the kernel's queue.
    handle_.watch(0);
    rest_.start(kRest);
  } else if (!paused_) {
    handle_.watch(UV_READABLE);
  }
}

}  // namespace base
