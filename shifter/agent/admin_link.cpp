#include "shifter/agent/admin_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

namespace agent {

using base::ErrorCode;
using base::Side;

base::Result<> AdminLink::open(const std::string& path) {
  close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return base::fail(ErrorCode::bad_input, Side::client, path + ": the name is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return base::fail(base::io_error("socket", errno));
  // A sidecar that hangs has a full line of those who wait; they must not hang with it.
  const timeval patience{kPatience.count() / 1000, 0};
  (void)::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return {};
  }
  auto failed = base::fail(base::io_error("connect " + path, errno));
  close();
  return failed;
}

void AdminLink::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

base::Result<> AdminLink::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail(base::io_error("send", errno));
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

base::Result<std::string> AdminLink::ask(std::string_view line, base::Millis within,
                                         int stop_descriptor) {
  const auto lost = [this](std::string why) {
    close();
    return base::fail(ErrorCode::io_failed, Side::backend, std::move(why));
  };
  if (!is_open()) return lost("not connected");
  if (auto sent = send_all(std::string(line) + "\n"); !sent) return lost(sent.error().detail);
  const auto until = std::chrono::steady_clock::now() + within;
  std::string answer;
  for (;;) {
    const auto left =
        std::chrono::ceil<base::Millis>(until - std::chrono::steady_clock::now()).count();
    if (left <= 0) return lost("no answer from the sidecar in time");
    pollfd waits[2] = {{descriptor_, POLLIN, 0}, {stop_descriptor, POLLIN, 0}};
    const int ready = ::poll(waits, 2, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) return lost("poll");
    if (ready <= 0) continue;
    if (waits[0].revents == 0) return lost("the agent stops");
    char bytes[16 << 10];
    const ssize_t n = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return lost("the sidecar closed the connection");
    answer.append(bytes, static_cast<size_t>(n));
    if (const size_t end = answer.find('\n'); end != std::string::npos) {
      return answer.substr(0, end);
    }
    if (answer.size() > kAnswerMax) return lost("an answer that is too long");
  }
}

std::string encoded(std::string_view value) {
  std::string text = "\"";
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '%') {
      char digits[4];
      std::snprintf(digits, sizeof digits, "%%%02X", byte);
      text += digits;
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

}  // namespace agent
