// The few socket calls the stand-in makes more than once.
#pragma once

#include <string>
#include <utility>

namespace standin {

// Owns one descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  void reset();

 private:
  int fd_;
};

// Bound to an address, not yet listening. Ends the program when it cannot.
Fd bind_tcp(const std::string& host, int port);
int port_of(int fd);
void set_timeouts(int fd, int milliseconds);
void set_nodelay(int fd);
int accept_queue_of(int listening_fd);  // connections that wait to be accepted

// Wakes those who poll it, for good.
class StopSignal {
 public:
  StopSignal();
  int fd() const { return fd_.get(); }
  void raise();
  bool is_raised() const;

 private:
  Fd fd_;
};

}  // namespace standin
