#include "tests/support/standin/event_port.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>

#include "tests/support/standin/websocket.h"

namespace standin {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kPieceBytes = 65'536;
constexpr size_t kInMax = 2 * 1'024 * 1'024;
constexpr size_t kHeadBytesMax = 101 * 65'536;
constexpr uint64_t kListening = UINT64_MAX;
constexpr uint64_t kStop = UINT64_MAX - 1;

std::string chunk(std::string_view text) {
  std::array<char, 20> size{};
  snprintf(size.data(), size.size(), "%zx\r\n", text.size());
  return std::string(size.data()).append(text).append("\r\n");
}

}  // namespace

EventLoop::EventLoop(Site& site, int listening_fd, Side side)
    : site_(site), listening_fd_(listening_fd), side_(side), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

EventLoop::~EventLoop() {
  if (thread_.joinable()) stop(true);
}

void EventLoop::start() {
  thread_ = std::thread([this] { run(); });
}

void EventLoop::stop(bool is_abrupt) {
  if (!thread_.joinable()) return;
  is_abrupt_ = is_abrupt;
  stop_.raise();
  thread_.join();
}

void EventLoop::run() {
  epoll_event event{EPOLLIN | EPOLLEXCLUSIVE, {}};
  event.data.u64 = kListening;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listening_fd_, &event);
  event = {EPOLLIN, {}};
  event.data.u64 = kStop;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.fd(), &event);
  next_ping_ = steady_clock::now() + milliseconds(site_.options().websocket_ping_ms);
  std::array<epoll_event, 128> events{};
  while (!is_stopping_ || open_ > 0) {
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), wait_ms());
    for (int i = 0; i < count; ++i) {
      const uint64_t key = events[static_cast<size_t>(i)].data.u64;
      if (key == kListening) {
        accept_all();
      } else if (key == kStop) {
        is_stopping_ = true;
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stop_.fd(), nullptr);
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listening_fd_, nullptr);
        close_idle();
      } else if (auto& connection = connections_[key]) {
        // A descriptor that was closed and accepted again within one batch reads once for nothing.
        if ((events[static_cast<size_t>(i)].events & EPOLLOUT) != 0) flush(*connection);
        if (connection) on_readable(*connection);
      }
    }
    run_timers();
  }
}

// At a stop: all that has no answer under way; the rest when its answer is written.
void EventLoop::close_idle() {
  for (auto& connection : connections_) {
    if (!connection) continue;
    connection->closes = true;
    const bool is_idle = !connection->due && connection->out.empty() && connection->file.empty();
    if (is_abrupt_ || is_idle || connection->is_websocket) close(*connection);
  }
}

void EventLoop::accept_all() {
  while (true) {
    const int fd = accept4(listening_fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    set_nodelay(fd);
    if (connections_.size() <= static_cast<size_t>(fd)) connections_.resize(fd + 1);
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connection->id = ++last_id_;
    connection->heard = steady_clock::now();
    epoll_event event{EPOLLIN, {}};
    event.data.u64 = static_cast<uint64_t>(fd);
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    connections_[fd] = std::move(connection);
    ++open_;
    if (side_ == Side::http) {
      ++site_.stats().http_accepted;
      ++site_.stats().http_open;
    }
  }
}

void EventLoop::on_readable(Connection& connection) {
  thread_local std::vector<char> piece(kPieceBytes);
  while (connection.in.size() < kInMax) {
    const ssize_t count = recv(connection.fd, piece.data(), piece.size(), 0);
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) return close(connection);
    connection.in.append(piece.data(), static_cast<size_t>(count));
    if (static_cast<size_t>(count) < piece.size()) break;
  }
  if (connection.is_websocket) {
    connection.heard = steady_clock::now();
    if (!connection.closes) connection.closes = !take_frames(connection.in, connection.out);
    return flush(connection);
  }
  take_requests(connection);
}

// As many as are whole; the answer of one comes before the next is looked at.
void EventLoop::take_requests(Connection& connection) {
  const int fd = connection.fd;
  const uint64_t id = connection.id;
  const auto is_alive = [&] { return connections_[fd] && connections_[fd]->id == id; };
  while (is_alive() && !connection.is_websocket && !connection.due && !connection.closes) {
    if (!connection.request && !take_head(connection)) break;
    if (is_alive() && connection.request && !take_body(connection)) break;
  }
  if (is_alive()) flush(connection);
}

bool EventLoop::take_head(Connection& connection) {
  const size_t end = find_head_end(connection.in);
  const bool is_endless = end == std::string::npos && connection.in.size() > kHeadBytesMax;
  if (end == std::string::npos && !is_endless) return false;
  Request request;
  const int fault = parse_head(std::string_view(connection.in).substr(0, end), request);
  connection.in.erase(0, end);
  connection.request = std::move(request);
  if (fault != 0) {
    connection.closes = true;
    write_answer(connection, Site::refusal(fault));
  } else if (is_upgrade(*connection.request) && side_ == Side::websocket) {
    upgrade(connection);
  } else {
    connection.body = BodyReader(*connection.request);
    if (Site::is_too_long(*connection.request, connection.body)) {
      connection.closes = true;
      write_answer(connection, Site::too_long());
    } else if (connection.body.state() == BodyReader::State::reading && connection.in.empty() &&
               connection.request->header("Expect").value_or("") == "100-continue") {
      connection.out += "HTTP/1.1 100 Continue\r\n\r\n";
    }
  }
  return true;
}

bool EventLoop::take_body(Connection& connection) {
  connection.in.erase(0, connection.body.feed(connection.in));
  if (connection.body.state() == BodyReader::State::reading) return false;
  if (connection.body.state() == BodyReader::State::broken) connection.closes = true;
  give(connection, site_.answer(*connection.request, connection.body, side_));
  return true;
}

void EventLoop::upgrade(Connection& connection) {
  const Request request = std::move(*connection.request);
  const int fault = handshake_fault(request);
  if (fault != 0) {
    connection.request = request;
    connection.closes = true;
    write_answer(connection, Site::refusal(fault));
    return;
  }
  site_.log_nonce(request);
  connection.request.reset();
  connection.is_websocket = true;
  connection.closes = false;
  ++site_.stats().websockets_open;
  ++site_.stats().websockets_opened;
  connection.out +=
      "HTTP/1.1 101 SWITCHING PROTOCOLS\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      accept_key(*request.header("Sec-WebSocket-Key")) +
      "\r\nContent-Type: text/html; charset=utf-8\r\n" + site_.new_session_cookie() +
      site_.name_fields() + "Date: " + http_date() + "\r\n\r\n";
  connection.closes = !take_frames(connection.in, connection.out);
  flush(connection);
}

// Now, or when its time has come.
void EventLoop::give(Connection& connection, Answer answer) {
  if (answer.delay_ms == 0 && answer.hangs == nullptr && answer.events == 0) {
    return write_answer(connection, answer);
  }
  at(steady_clock::now() + milliseconds(answer.delay_ms), connection);
  connection.due = std::move(answer);
  connection.events_sent = 0;
}

// The end of a request.
void EventLoop::write_answer(Connection& connection, const Answer& answer) {
  const Request& request = *connection.request;
  if (!request.is_keep_alive() || is_stopping_) connection.closes = true;
  connection.out += event_head(answer, !connection.closes);
  if (request.method != "HEAD") {
    if (answer.file.empty()) {
      connection.out += answer.body;
    } else {
      connection.file = answer.file;
    }
  }
  connection.request.reset();
}

// The next part of a stream, of which the head went out with the first.
void EventLoop::send_event(Connection& connection) {
  const Answer& answer = *connection.due;
  if (connection.events_sent == 0) {
    connection.out += event_head(answer, connection.request->is_keep_alive());
  }
  connection.out += chunk(event_text(connection.events_sent++));
  if (connection.events_sent < answer.events) {
    at(steady_clock::now() + milliseconds(answer.event_ms), connection);
    return flush(connection);
  }
  connection.out += "0\r\n\r\n";
  connection.closes = !connection.request->is_keep_alive() || is_stopping_;
  connection.request.reset();
  connection.due.reset();
  take_requests(connection);
}

void EventLoop::flush(Connection& connection) {
  while (!connection.out.empty() || !connection.file.empty()) {
    std::string_view bytes = connection.out.empty() ? connection.file : connection.out;
    const ssize_t count = send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return close(connection);
    if (connection.out.empty()) {
      connection.file.remove_prefix(static_cast<size_t>(count));
    } else {
      connection.out.erase(0, static_cast<size_t>(count));
    }
  }
  const bool wants_write = !connection.out.empty() || !connection.file.empty();
  if (!wants_write && connection.closes) return close(connection);
  if (wants_write == connection.wants_write) return;
  connection.wants_write = wants_write;
  epoll_event event{wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN, {}};
  event.data.u64 = static_cast<uint64_t>(connection.fd);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd, &event);
}

void EventLoop::close(Connection& connection) {
  if (connection.is_websocket) --site_.stats().websockets_open;
  if (side_ == Side::http) --site_.stats().http_open;
  --open_;
  const int fd = connection.fd;
  connections_[fd].reset();
  // Unread bytes would turn the end into a reset.
  std::array<char, 4'096> rest{};
  while (recv(fd, rest.data(), rest.size(), MSG_DONTWAIT) > 0) {
  }
  ::close(fd);
}

void EventLoop::at(Time when, const Connection& connection) {
  timers_.emplace(when, std::pair(connection.fd, connection.id));
}

void EventLoop::run_timers() {
  const Time now = steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto [fd, id] = timers_.begin()->second;
    timers_.erase(timers_.begin());
    auto& connection = connections_[fd];
    if (!connection || connection->id != id || !connection->due) continue;
    if (connection->due->events > 0) {
      send_event(*connection);
    } else if (connection->due->hangs != nullptr &&
               *connection->due->hangs == Settings::Page::hang && !is_stopping_) {
      at(now + milliseconds(10), *connection);
    } else {
      const Answer answer = std::move(*connection->due);
      connection->due.reset();
      write_answer(*connection, answer);
      take_requests(*connection);
    }
  }
  if (now >= next_ping_) ping_the_silent();
}

void EventLoop::ping_the_silent() {
  const Time now = steady_clock::now();
  const milliseconds silence(site_.options().websocket_ping_ms);
  next_ping_ = now + silence / 4 + milliseconds(1);
  for (auto& connection : connections_) {
    if (!connection || !connection->is_websocket || now - connection->heard < silence) continue;
    connection->heard = now;
    connection->out += frame(kPingFrame, "");
    flush(*connection);
  }
}

int EventLoop::wait_ms() const {
  Time next = next_ping_;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  const auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1'000));
}

EventPort::EventPort(Site& site, Fd bound, Side side, int loops) : bound_(std::move(bound)) {
  for (int i = 0; i < loops; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(site, bound_.get(), side));
  }
}

void EventPort::start() {
  listen(bound_.get(), 4'096);
  for (auto& loop : loops_) loop->start();
}

void EventPort::stop(bool is_abrupt) {
  shutdown(bound_.get(), SHUT_RDWR);  // refuses from here on
  for (auto& loop : loops_) loop->stop(is_abrupt);
  bound_.reset();
}

}  // namespace standin
