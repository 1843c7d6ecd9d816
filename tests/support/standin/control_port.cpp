#include "tests/support/standin/control_port.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>

namespace standin {

ControlPort::ControlPort(Site& site, Fd bound) : site_(site), listening_(std::move(bound)) {
  listen(listening_.get(), 64);
  thread_ = std::thread([this] { run(); });
}

ControlPort::~ControlPort() {
  stop_.raise();
  thread_.join();
}

void ControlPort::run() {
  while (!stop_.is_raised()) {
    std::array<pollfd, 2> fds = {pollfd{listening_.get(), POLLIN, 0},
                                 pollfd{stop_.fd(), POLLIN, 0}};
    poll(fds.data(), fds.size(), -1);
    const Fd connection(accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (connection.get() >= 0) serve(connection.get());
  }
}

void ControlPort::serve(int fd) {
  set_timeouts(fd, 1'000);
  std::string bytes;
  std::array<char, 4'096> piece{};
  while (find_head_end(bytes) == std::string::npos && bytes.size() < 65'536) {
    const ssize_t count = recv(fd, piece.data(), piece.size(), 0);
    if (count <= 0) return;
    bytes.append(piece.data(), static_cast<size_t>(count));
  }
  Request request;
  const int fault = parse_head(bytes, request);
  const Answer said = fault != 0 ? Site::refusal(fault) : answer(request);
  const std::string text = prefork_head(said) + said.body;
  send(fd, text.data(), text.size(), MSG_NOSIGNAL);
  shutdown(fd, SHUT_WR);
}

Answer ControlPort::answer(const Request& request) {
  if (request.path == "/standin/stats") {
    Answer stats;
    stats.fields = "Content-Type: application/json\r\n";
    stats.body = site_.stats_json();
    return stats;
  }
  if (request.path != "/standin/set") return Site::refusal(404);
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view value = pair.substr(std::min(pair.size(), name.size() + 1));
    if (!site_.settings().set(name, value)) {
      Answer refused;
      refused.status = 400;
      refused.body = "no such setting or value: " + std::string(pair) + "\n";
      return refused;
    }
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
  }
  Answer done;
  done.body = "ok\n";
  return done;
}

}  // namespace standin
