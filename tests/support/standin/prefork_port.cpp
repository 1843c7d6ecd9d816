#include "tests/support/standin/prefork_port.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace standin {
namespace {

using std::chrono::milliseconds;

constexpr size_t kPieceBytes = 65'536;
constexpr size_t kHeadBytesMax = 101 * 65'536;

void raise_to(std::atomic<int64_t>& peak, int64_t value) {
  int64_t seen = peak;
  while (seen < value && !peak.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

PreforkPort::PreforkPort(Site& site, Fd bound) : site_(site), listening_(std::move(bound)) {
  listen(listening_.get(), 8 * site_.options().workers);
}

void PreforkPort::start() {
  for (int i = 0; i < site_.options().workers; ++i) workers_.emplace_back([this] { work(); });
}

void PreforkPort::stop() {
  stop_.raise();
  for (std::thread& worker : workers_) worker.join();
  std::this_thread::sleep_for(milliseconds(site_.options().stop_delay_ms));
  listening_.reset();
}

void PreforkPort::work() {
  pthread_setname_np(pthread_self(), "odoo: worker");  // as its processes are called
  while (!stop_.is_raised()) {
    Fd connection(next_connection());
    if (connection.get() < 0) continue;
    Stats& stats = site_.stats();
    ++stats.http_accepted;
    const int64_t open = ++stats.http_open;
    raise_to(stats.connections_peak, open + accept_queue_of(listening_.get()));
    serve(connection.get());
    --stats.http_open;
  }
}

int PreforkPort::next_connection() {
  std::array<pollfd, 2> fds = {pollfd{listening_.get(), POLLIN, 0}, pollfd{stop_.fd(), POLLIN, 0}};
  poll(fds.data(), fds.size(), -1);
  if (fds[1].revents != 0) return -1;
  return accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC);  // others may be faster
}

void PreforkPort::serve(int fd) {
  set_timeouts(fd, site_.options().socket_timeout_ms);
  set_nodelay(fd);
  std::string bytes;
  size_t head_end = 0;
  if (!read_head(fd, bytes, head_end)) return;  // silence: closed without a word
  Request request;
  const int fault = parse_head(std::string_view(bytes).substr(0, head_end), request);
  const Answer answer =
      fault != 0 ? Site::refusal(fault)
                 : read_and_answer(fd, request, std::string_view(bytes).substr(head_end));
  be_busy(answer);
  send_answer(fd, answer, request.method == "HEAD");
  shutdown(fd, SHUT_WR);
  // What was sent beyond the request is dropped; unread it would reset the answer.
  std::array<char, 4'096> rest{};
  while (recv(fd, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
  }
}

bool PreforkPort::read_head(int fd, std::string& bytes, size_t& head_end) {
  std::array<char, 16'384> piece{};
  while ((head_end = find_head_end(bytes)) == std::string::npos) {
    const ssize_t count = recv(fd, piece.data(), piece.size(), 0);
    if (count <= 0) return false;
    bytes.append(piece.data(), static_cast<size_t>(count));
    if (bytes.size() > kHeadBytesMax) {
      head_end = bytes.size();  // far above every limit: the parser says which
      return true;
    }
  }
  return true;
}

Answer PreforkPort::read_and_answer(int fd, const Request& request, std::string_view early) {
  BodyReader body(request);
  if (Site::is_too_long(request, body)) return Site::too_long();
  if (body.state() == BodyReader::State::reading && early.empty() &&
      request.header("Expect").value_or("") == "100-continue") {
    send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  body.feed(early);
  std::vector<char> piece(kPieceBytes);
  while (body.state() == BodyReader::State::reading) {
    const ssize_t count = recv(fd, piece.data(), piece.size(), 0);
    if (count <= 0) break;
    body.feed(std::string_view(piece.data(), static_cast<size_t>(count)));
  }
  return site_.answer(request, body, Side::http);
}

void PreforkPort::be_busy(const Answer& answer) {
  if (answer.delay_ms > 0) std::this_thread::sleep_for(milliseconds(answer.delay_ms));
  while (answer.hangs != nullptr && *answer.hangs == Settings::Page::hang && !stop_.is_raised()) {
    std::this_thread::sleep_for(milliseconds(10));
  }
}

void PreforkPort::send_answer(int fd, const Answer& answer, bool head_only) {
  std::string head = prefork_head(answer);
  const std::string_view content = head_only ? std::string_view() : answer.content();
  if (content.size() <= kPieceBytes) {
    send_all(fd, head.append(content));
  } else if (!send_all(fd, head) || !send_all(fd, content)) {
    ++site_.stats().truncated;
    return;
  }
  for (int i = 0; i < answer.events; ++i) {
    if (i > 0) std::this_thread::sleep_for(milliseconds(answer.event_ms));
    if (!send_all(fd, event_text(i))) return;
  }
}

// False: the reader is gone, or took nothing for the socket's time-out.
bool PreforkPort::send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = std::min(bytes.size(), kPieceBytes);
    const ssize_t count = send(fd, bytes.data(), size, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace standin
