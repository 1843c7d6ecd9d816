#include "tests/integration/harness/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace harness {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

bool ready(int descriptor, short events, Millis within) {
  pollfd wanted{descriptor, events, 0};
  const Deadline deadline(within);
  int found = 0;
  do {
    found = ::poll(&wanted, 1, deadline.left_ms());
  } while (found < 0 && errno == EINTR);
  return found > 0;
}

Answer parse_head(const std::string& head) {
  Answer answer;
  answer.head = head;
  if (head.rfind("HTTP/1.", 0) != 0) throw Failure("not an answer: " + head.substr(0, 80));
  answer.status = std::atoi(head.c_str() + 9);
  answer.keeps_connection = head[7] == '1';
  size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const size_t end = head.find("\r\n", at);
    const std::string line = head.substr(at, end - at);
    const size_t colon = line.find(':');
    if (colon == std::string::npos) throw Failure("a line without a colon: " + line);
    size_t value = line.find_first_not_of(" \t", colon + 1);
    if (value == std::string::npos) value = line.size();
    answer.fields.emplace_back(line.substr(0, colon), line.substr(value));
    at = end + 2;
  }
  if (same_name(answer.field("Connection"), "close")) answer.keeps_connection = false;
  return answer;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (same_name(key, name)) return value;
  }
  return "";
}

std::vector<std::string> Answer::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields) {
    if (same_name(key, name)) values.push_back(value);
  }
  return values;
}

std::string Answer::set_cookie(std::string_view name) const {
  for (const std::string& line : all("Set-Cookie")) {
    if (line.size() > name.size() && line.compare(0, name.size(), name) == 0 &&
        line[name.size()] == '=') {
      const std::string value = line.substr(name.size() + 1);
      return value.substr(0, value.find(';'));
    }
  }
  return "";
}

Socket::Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

Socket Socket::connect(uint16_t port, Millis within, int receive_buffer) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (receive_buffer > 0) {
    ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  const int on = 1;
  ::setsockopt(socket.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket.descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    int error = errno;
    if (error == EINPROGRESS && ready(socket.descriptor_, POLLOUT, within)) {
      socklen_t size = sizeof error;
      ::getsockopt(socket.descriptor_, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error != 0) throw Failure(std::string("connect: ") + std::strerror(error));
  }
  return socket;
}

Socket Socket::connect_unix(const std::string& path) {
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) throw Failure("path too long: " + path);
  std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
  if (::connect(socket.descriptor_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    throw Failure("connect " + path + ": " + std::strerror(errno));
  }
  return socket;
}

bool Socket::send(std::string_view bytes, Millis within) {
  const Deadline deadline(within);
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!ready(descriptor_, POLLOUT, Millis{deadline.left_ms()})) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

int Socket::receive(std::string& to, size_t most, Millis within) {
  char bytes[65536];
  if (most > sizeof bytes) most = sizeof bytes;
  const Deadline deadline(within);
  while (true) {
    const ssize_t got = ::recv(descriptor_, bytes, most, MSG_DONTWAIT);
    if (got >= 0) {
      to.append(bytes, static_cast<size_t>(got));
      return static_cast<int>(got);
    }
    if (errno == EAGAIN) {
      if (!ready(descriptor_, POLLIN, Millis{deadline.left_ms()})) return -2;
    } else if (errno != EINTR) {
      return -1;
    }
  }
}

void Socket::finish() { ::shutdown(descriptor_, SHUT_WR); }

void Socket::reset() {
  const linger now{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void Socket::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

RawClient::RawClient(uint16_t port, Millis within, int receive_buffer)
    : socket_(Socket::connect(port, Millis{5'000}, receive_buffer)), within_(within * kSlowness) {}

RawClient& RawClient::send(std::string_view bytes) {
  if (!socket_.send(bytes, within_)) throw Failure("the peer took no more bytes");
  return *this;
}

RawClient& RawClient::send_by_byte(std::string_view bytes) {
  for (const char& each : bytes) send({&each, 1});
  return *this;
}

bool RawClient::more() {
  const int got = socket_.receive(pending_, 65536, within_);
  if (got == -2) throw Failure("no byte came until the deadline");
  return got > 0;
}

std::string RawClient::read_exactly(size_t bytes) {
  while (pending_.size() < bytes) {
    if (!more()) throw Failure("closed after " + std::to_string(pending_.size()) + " bytes");
  }
  std::string taken = pending_.substr(0, bytes);
  pending_.erase(0, bytes);
  return taken;
}

std::string RawClient::read_until_close() {
  while (more()) {
  }
  return std::exchange(pending_, {});
}

bool RawClient::is_closed_within(Millis within) {
  const int got = socket_.receive(pending_, 65536, within);
  return (got == 0 || got == -1) && pending_.empty();
}

Answer RawClient::read_answer(bool to_head_request) {
  size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) throw Failure("closed before an answer; came: " + pending_.substr(0, 200));
  }
  Answer answer = parse_head(read_exactly(end + 4));
  if (answer.status < 200 && answer.status != 101) return read_answer(to_head_request);
  if (to_head_request || answer.status == 204 || answer.status == 304 || answer.status == 101) {
    answer.whole = true;
  } else if (same_name(answer.field("Transfer-Encoding"), "chunked")) {
    while (true) {
      size_t line = 0;
      while ((line = pending_.find("\r\n")) == std::string::npos) {
        if (!more()) return answer;
      }
      const size_t size = std::strtoul(read_exactly(line + 2).c_str(), nullptr, 16);
      while (pending_.size() < size + 2) {
        if (!more()) return answer;
      }
      answer.body += read_exactly(size + 2).substr(0, size);
      if (size == 0) break;
    }
    answer.whole = true;
  } else if (const std::string length = answer.field("Content-Length"); !length.empty()) {
    const size_t wanted = std::stoul(length);
    while (pending_.size() < wanted && more()) {
    }
    answer.whole = pending_.size() >= wanted;
    answer.body = pending_.substr(0, wanted);
    pending_.erase(0, wanted);
  } else {
    answer.keeps_connection = false;
    answer.body = read_until_close();
    answer.whole = true;
  }
  return answer;
}

Answer get(uint16_t port, const std::string& target, const std::string& fields) {
  RawClient client(port);
  client.send("GET " + target + " HTTP/1.1\r\nHost: erp.test\r\nConnection: close\r\n" + fields +
              "\r\n");
  return client.read_answer();
}

Answer post(uint16_t port, const std::string& target, const std::string& body,
            const std::string& fields) {
  RawClient client(port);
  client.send("POST " + target + " HTTP/1.1\r\nHost: erp.test\r\nConnection: close\r\n" + fields +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  return client.read_answer();
}

uint16_t unused_port() {
  const Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  ::bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&at), size);
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&at), &size);
  return ntohs(at.sin_port);
}

}  // namespace harness
