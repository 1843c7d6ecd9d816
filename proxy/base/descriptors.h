// Open descriptors that come from another process: over a Unix socket (SCM_RIGHTS), or from the
// supervisor that started this one (socket activation). Plain calls, no loop.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace base {

// Closes with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();
  int get() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  // A second number for the same open file.
  Result<Descriptor> duplicate() const;

 private:
  int number_ = -1;
};

inline constexpr size_t kDescriptorsMax = 128;  // of one message

// One message with copies of the descriptors, which stay the sender's own. `bytes` is short and not
// empty. Needs: nothing else waits to be written there.
Result<> send_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors);

// Waits for one line and the descriptors that come with it.
struct ReceivedLine {
  std::string line;  // without its line feed
  std::vector<Descriptor> descriptors;
};
Result<ReceivedLine> receive_line(int socket, Millis within);

// not_found: nobody listens there.
Result<Descriptor> connect_unix_now(const std::string& path);

// Listening sockets that a supervisor opened for this process (sd_listen_fds(3)): LISTEN_PID and
// LISTEN_FDS. Both are taken out of the environment.
std::vector<Descriptor> activated_sockets();

// Says so to the supervisor, if it wants to know (sd_notify(3), NOTIFY_SOCKET): "READY=1".
void tell_supervisor(std::string_view state);

}  // namespace base
