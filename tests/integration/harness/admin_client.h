// The admin socket as an operator's script uses it: a line in, a line of JSON back.
#pragma once

#include <string>

#include "tests/integration/harness/raw_client.h"

namespace harness {

class AdminClient {
 public:
  explicit AdminClient(const std::string& path) : socket_(Socket::connect_unix(path)) {}

  std::string ask(const std::string& line, Millis within = Millis{20'000}) {
    send(line);
    return read_line(within);
  }
  void send(const std::string& line) {
    if (!socket_.send(line + "\n")) throw Failure("the admin socket took nothing");
  }
  // Throws when the connection ends or nothing comes until the deadline.
  std::string read_line(Millis within = Millis{20'000}) {
    size_t end = 0;
    const Deadline deadline(within * kSlowness);
    while ((end = pending_.find('\n')) == std::string::npos) {
      if (socket_.receive(pending_, 65536, Millis{deadline.left_ms()}) <= 0) {
        throw Failure("no line from the admin socket; came: " + pending_);
      }
    }
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    return line;
  }
  Socket& socket() { return socket_; }

 private:
  Socket socket_;
  std::string pending_;
};

}  // namespace harness
