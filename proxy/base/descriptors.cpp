#include "proxy/base/descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "proxy/base/socket_address.h"

namespace base {
namespace {

constexpr int kFirstActivated = 3;  // sd_listen_fds(3)
constexpr size_t kLineMax = 64 << 10;

int number_in(const char* name) {
  const char* text = std::getenv(name);
  int number = -1;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

void take_descriptors(msghdr& message, std::vector<Descriptor>& to) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(part) + i * sizeof number, sizeof number);
      to.emplace_back(number);
    }
  }
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

Result<Descriptor> Descriptor::duplicate() const {
  const int number = fcntl(number_, F_DUPFD_CLOEXEC, 0);
  if (number < 0) return fail(io_error("duplicate a descriptor", errno));
  return Descriptor(number);
}

Result<> send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors) {
  if (descriptors.size() > kDescriptorsMax) {
    return fail(ErrorCode::bad_input, Side::proxy, "too many descriptors for one message");
  }
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> control{};
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return fail(io_error("send descriptors", errno));
  if (static_cast<size_t>(sent) != bytes.size()) {
    return fail(ErrorCode::io_failed, Side::proxy, "send descriptors: a part only");
  }
  return {};
}

Result<ReceivedLine> receive_line(int socket, Millis within) {
  ReceivedLine received;
  const Instant end = SystemClock().now() + within;
  while (received.line.empty() || received.line.back() != '\n') {
    const auto left = std::chrono::ceil<Millis>(end - SystemClock().now()).count();
    pollfd watched{socket, POLLIN, 0};
    const int ready = ::poll(&watched, 1, static_cast<int>(std::max<int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return fail(ErrorCode::io_failed, Side::proxy, "no answer in time");
    alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> control{};
    std::array<char, 4096> bytes{};
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t count = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    take_descriptors(message, received.descriptors);
    if (count <= 0) return fail(ErrorCode::io_failed, Side::proxy, "the other process has left");
    received.line.append(bytes.data(), static_cast<size_t>(count));
    if (received.line.size() > kLineMax) {
      return fail(ErrorCode::bad_input, Side::proxy, "a line without an end");
    }
  }
  received.line.pop_back();
  return received;
}

Result<Descriptor> connect_unix_now(const std::string& path) {
  const Result<SocketAddress> to = to_socket_address(path);
  if (!to) return fail(to.error());
  Descriptor descriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) return fail(io_error("connect to " + path, errno));
  if (::connect(descriptor.get(), to->get(), to->size) == 0) return descriptor;
  Error error = io_error("connect to " + path, errno);
  if (errno == ENOENT || errno == ECONNREFUSED) error.code = ErrorCode::not_found;
  return fail(std::move(error));
}

std::vector<Descriptor> activated_sockets() {
  std::vector<Descriptor> sockets;
  if (number_in("LISTEN_PID") == ::getpid()) {
    const int count = std::min(number_in("LISTEN_FDS"), static_cast<int>(kDescriptorsMax));
    for (int i = 0; i < count; ++i) {
      const int number = kFirstActivated + i;
      fcntl(number, F_SETFD, FD_CLOEXEC);
      fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK);
      sockets.emplace_back(number);
    }
  }
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);
  return sockets;
}

void tell_supervisor(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  sockaddr_un to{};
  const size_t size = std::strlen(path);
  if (size >= sizeof to.sun_path) return;
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path, size);
  if (path[0] == '@') to.sun_path[0] = '\0';
  const Descriptor descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) return;
  // Who does not listen does not want to know.
  (void)::sendto(descriptor.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&to),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size));
}

}  // namespace base
