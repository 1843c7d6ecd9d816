// One connection to the daemon's admin socket, for a program that waits: lines out, lines in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace cli {

class AdminConnection {
 public:
  static base::Result<AdminConnection> open(const std::string& path);
  AdminConnection(AdminConnection&& other) noexcept;
  AdminConnection& operator=(AdminConnection&&) = delete;
  ~AdminConnection();

  base::Result<> send(std::string_view line);  // without its line feed
  // Waits as long as the daemon does, or until a signal: an error, and interrupted().
  base::Result<std::string> receive();
  bool interrupted() const { return interrupted_; }

  // For who waits for more than one thing (wait_readable).
  int descriptor() const { return descriptor_; }
  base::Result<> read_some();              // blocks unless the descriptor is readable
  std::optional<std::string> take_line();  // of what was read

 private:
  explicit AdminConnection(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
  bool interrupted_ = false;
  std::string input_;
};

}  // namespace cli
