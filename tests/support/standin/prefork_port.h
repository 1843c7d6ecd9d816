// The HTTP port as prefork workers serve it: each takes one connection at a time off one shared
// listening socket, answers one request with HTTP/1.0 and closes.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "tests/support/standin/site.h"
#include "tests/support/standin/sockets.h"

namespace standin {

class PreforkPort {
 public:
  PreforkPort(Site& site, Fd bound);  // listens at once
  void start();
  // Running requests end first; connections that still wait are reset.
  void stop();

 private:
  void work();
  int next_connection();
  void serve(int fd);
  bool read_head(int fd, std::string& bytes, size_t& head_end);
  Answer read_and_answer(int fd, const Request& request, std::string_view early);
  void be_busy(const Answer& answer);
  void send_answer(int fd, const Answer& answer, bool head_only);
  bool send_all(int fd, std::string_view bytes);

  Site& site_;
  Fd listening_;
  StopSignal stop_;
  std::vector<std::thread> workers_;
};

}  // namespace standin
