// Knows when the other end of a loopback connection has read everything that was sent, so that the
// pieces of an input are read one by one and do not merge on the way.
#pragma once

#include "tests/integration/harness/raw_client.h"

namespace wire {

class ReadWatch {
 public:
  ReadWatch();
  ~ReadWatch();
  ReadWatch(const ReadWatch&) = delete;
  ReadWatch& operator=(const ReadWatch&) = delete;

  // Until the peer has read all that `socket` sent, or has closed, or will not read it soon.
  void await(const harness::Socket& socket);
  // false: this kernel does not tell; pieces may merge.
  bool works() const { return descriptor_ >= 0; }

 private:
  // Bytes that lie unread at the peer; -1 when there is no such connection any more.
  long unread_at_peer(const harness::Socket& socket);
  int descriptor_ = -1;  // to the kernel's socket statistics
};

// Sends the pieces one by one. False: the peer took no more.
bool send_one_by_one(harness::Socket& socket, const std::vector<std::string>& pieces);

}  // namespace wire
