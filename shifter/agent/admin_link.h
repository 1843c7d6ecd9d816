// The agent's connection to the sidecar's admin socket: a line out, a line back, with a deadline.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace agent {

class AdminLink {
 public:
  static constexpr base::Millis kPatience{2'000};
  AdminLink() = default;
  ~AdminLink() { close(); }
  AdminLink(const AdminLink&) = delete;
  AdminLink& operator=(const AdminLink&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  // Gives up after kPatience, as sending does.
  base::Result<> open(const std::string& path);
  void close();
  // One command and its answer. An error closes the connection: what was answered is not known.
  // `stop_descriptor` becoming readable ends the wait (-1: none).
  base::Result<std::string> ask(std::string_view line, base::Millis within, int stop_descriptor);

 private:
  static constexpr size_t kAnswerMax = 1 << 20;
  base::Result<> send_all(std::string_view bytes);
  int descriptor_ = -1;
};

// A value for a command's line: quoted, control characters and % as %XX.
std::string encoded(std::string_view value);

}  // namespace agent
