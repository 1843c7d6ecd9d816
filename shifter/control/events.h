// What happened, as one JSON object a line: kept in a ring, sent to those who follow, and written
// to the log. Main thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/log.h"
#include "shifter/control/admin_server.h"

namespace control {

class Events {
 public:
  static constexpr size_t kKept = 1000;
  explicit Events(base::Log& log) : log_(log) {}

  // `fields` as in {"time":…,"event":…, then these}.
  void add(base::Level level, std::string_view event, base::LogLine fields = {});
  // Sends what is kept, then what comes.
  void follow(std::shared_ptr<Reply> reply);
  const std::deque<std::string>& kept() const { return kept_; }

 private:
  base::Log& log_;
  std::deque<std::string> kept_;
  std::vector<std::shared_ptr<Reply>> followers_;
};

// The object without the line feed that ends a log line.
std::string json_of(base::LogLine& line);

}  // namespace control
