// A port served by event loops over HTTP/1.1 with keep-alive: the websocket port (one loop), and
// the fast mode of the HTTP port (one loop for each worker over one listening socket).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/standin/site.h"
#include "tests/support/standin/sockets.h"

namespace standin {

// One loop on a thread of its own.
class EventLoop {
 public:
  EventLoop(Site& site, int listening_fd, Side side);
  ~EventLoop();

  void start();
  // Abrupt: everything is closed at once, no frame, no answer. Else idle connections are closed and
  // answers under way are finished. Returns when the thread has ended.
  void stop(bool is_abrupt);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Connection {
    int fd = -1;
    uint64_t id = 0;
    std::string in;
    std::string out;
    std::string_view file;           // goes after `out`
    std::optional<Request> request;  // its body is not whole, or its answer is due later
    BodyReader body;
    std::optional<Answer> due;  // waits for its time
    int events_sent = 0;
    bool is_websocket = false;
    bool closes = false;  // once all is written
    bool wants_write = false;
    Time heard{};
  };

  void run();
  void accept_all();
  void close_idle();
  void on_readable(Connection& connection);
  void take_requests(Connection& connection);
  bool take_head(Connection& connection);
  bool take_body(Connection& connection);
  void upgrade(Connection& connection);
  void give(Connection& connection, Answer answer);
  void write_answer(Connection& connection, const Answer& answer);
  void send_event(Connection& connection);
  void flush(Connection& connection);
  void close(Connection& connection);
  void at(Time when, const Connection& connection);
  void run_timers();
  void ping_the_silent();
  int wait_ms() const;

  Site& site_;
  const int listening_fd_;
  const Side side_;
  Fd epoll_;
  StopSignal stop_;
  std::atomic<bool> is_abrupt_{false};
  bool is_stopping_ = false;
  uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
  size_t open_ = 0;
  std::multimap<Time, std::pair<int, uint64_t>> timers_;  // descriptor and id
  Time next_ping_{};
  std::thread thread_;
};

class EventPort {
 public:
  EventPort(Site& site, Fd bound, Side side, int loops);
  int port() const { return port_of(bound_.get()); }
  void start();  // listens
  void stop(bool is_abrupt);

 private:
  Fd bound_;
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

}  // namespace standin
