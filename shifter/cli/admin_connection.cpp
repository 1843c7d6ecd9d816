#include "shifter/cli/admin_connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "shifter/cli/interrupt.h"

namespace cli {
namespace {

using base::ErrorCode;
using base::Side;

}  // namespace

base::Result<AdminConnection> AdminConnection::open(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::fail(ErrorCode::bad_input, Side::client, path + ": the name is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return base::fail(base::io_error("socket", errno));
  AdminConnection connection(descriptor);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return base::fail(base::io_error("connect " + path, errno));
  }
  return connection;
}

AdminConnection::AdminConnection(AdminConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      interrupted_(other.interrupted_),
      input_(std::move(other.input_)) {}

AdminConnection::~AdminConnection() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

base::Result<> AdminConnection::send(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t n = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail(base::io_error("send", errno));
    sent += static_cast<size_t>(n);
  }
  return {};
}

base::Result<std::string> AdminConnection::receive() {
  for (;;) {
    if (auto line = take_line()) return *std::move(line);
    const Woken woken = wait_readable({descriptor_});
    if (woken == Woken::interrupted) {
      interrupted_ = true;
      return base::fail(ErrorCode::client_gone, Side::client, "interrupted");
    }
    if (woken != Woken::readable) continue;
    if (auto read = read_some(); !read) return tl::unexpected(read.error());
  }
}

base::Result<> AdminConnection::read_some() {
  char bytes[16 << 10];
  const ssize_t n = ::recv(descriptor_, bytes, sizeof bytes, 0);
  if (n < 0 && errno == EINTR) return {};
  if (n < 0) return base::fail(base::io_error("receive", errno));
  if (n == 0) {
    return base::fail(ErrorCode::io_failed, Side::proxy, "the daemon closed the connection");
  }
  input_.append(bytes, static_cast<size_t>(n));
  return {};
}

std::optional<std::string> AdminConnection::take_line() {
  const size_t end = input_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = input_.substr(0, end);
  input_.erase(0, end + 1);
  return line;
}

}  // namespace cli
