// One connection to the daemon's admin socket, for a program that waits: lines out, lines in.
#pragma once

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
  base::Result<std::string> receive();         // waits as long as the daemon does

 private:
  explicit AdminConnection(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
  std::string input_;
};

}  // namespace cli
