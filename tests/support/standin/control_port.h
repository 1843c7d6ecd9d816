// The stand-in's own door, for tests: POST /standin/set?name=value… and GET /standin/stats.
// One request a connection, one connection at a time.
#pragma once

#include <thread>

#include "tests/support/standin/site.h"
#include "tests/support/standin/sockets.h"

namespace standin {

class ControlPort {
 public:
  ControlPort(Site& site, Fd bound);
  ~ControlPort();
  int port() const { return port_of(listening_.get()); }

 private:
  void run();
  void serve(int fd);
  Answer answer(const Request& request);

  Site& site_;
  Fd listening_;
  StopSignal stop_;
  std::thread thread_;
};

}  // namespace standin
