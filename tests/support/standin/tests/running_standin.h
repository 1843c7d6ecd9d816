// A running stand-in and blocking sockets to it, for its own tests. Everything has a deadline.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace standin {

class Socket {
 public:
  explicit Socket(int port, int receive_buffer = 0);
  ~Socket();
  Socket(Socket&& other) noexcept : fd_(other.fd_), error_(other.error_) { other.fd_ = -1; }
  Socket(const Socket&) = delete;

  int fd() const { return fd_; }
  int error() const { return error_; }  // errno of connect or of the last call; 0: all well
  bool send(std::string_view bytes);
  // Up to the end; error() tells a reset from an end.
  std::string read_all();
  // Exactly that many, or fewer at an end.
  std::string read(size_t count);
  std::string read_until(std::string_view mark);

 private:
  int fd_ = -1;
  int error_ = 0;
};

struct Frame {
  int opcode = -1;  // -1: the connection ended
  std::string payload;
};
std::string masked_frame(int opcode, std::string_view payload);
Frame read_frame(Socket& socket);
// A socket after a handshake that was accepted.
Socket open_websocket(int port);

// The answer to one request, read to the end of the connection.
std::string ask(int port, std::string_view request);
std::string get(int port, std::string_view target);  // HTTP/1.1, with Host, closing
int status_of(std::string_view answer);
std::string body_of(std::string_view answer);
int count_of(std::string_view text, std::string_view part);

class RunningStandin {
 public:
  explicit RunningStandin(std::vector<std::string> options = {});
  ~RunningStandin();
  RunningStandin(const RunningStandin&) = delete;

  int http() const { return http_; }
  int websocket() const { return websocket_; }
  int64_t stat(std::string_view name) const;
  void await_stat(std::string_view name, int64_t value) const;
  std::string set(std::string_view settings) const;
  std::string nonces() const;
  void signal(int number) const;
  int wait();  // the exit code

 private:
  std::string folder_;
  pid_t pid_ = -1;
  int http_ = 0;
  int websocket_ = 0;
  int control_ = 0;
};

}  // namespace standin
