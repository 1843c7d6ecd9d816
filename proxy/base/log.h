// The log: one JSON object a line, written by a thread of its own from a bounded queue. What does
// not fit is dropped and counted, so that a slow disk never stops a request.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace base {

// Builds one line. Keys are ours and need no escaping; values are escaped (control characters,
// quotes, bytes that are not UTF-8).
class LogLine {
 public:
  LogLine& add(std::string_view key, std::string_view value);
  LogLine& add(std::string_view key, const char* value) {
    return add(key, std::string_view(value));
  }
  LogLine& add(std::string_view key, int64_t value);
  LogLine& add(std::string_view key, int value) { return add(key, int64_t{value}); }
  LogLine& add(std::string_view key, bool value);
  LogLine& add_seconds(std::string_view key, int64_t us);  // 1234567 → 1.234567
  LogLine& add_raw(std::string_view key, std::string_view json);
  std::string_view text();  // closed with } and a line feed
  void clear();             // ready for the next line, capacity kept

 private:
  void begin(std::string_view key);
  std::string line_ = "{";
  bool closed_ = false;
};

// Appends `value` to `out` as the inside of a JSON string.
void escape_json(std::string_view value, std::string& out);

enum class Level { debug, info, warning, error };
std::string_view label_of(Level level);

// Any thread. "-" is standard output, "stderr" standard error; files are appended to and opened
// anew by reopen() (log rotation).
class Log {
 public:
  static Result<std::unique_ptr<Log>> open(const std::string& path,
                                           size_t queue_bytes_max = 4 << 20);
  ~Log();  // writes what is queued

  void write(std::string_view line);  // with its line feed; whole or dropped
  // {"time":…,"level":…,"event":…, then what the caller adds}
  void event(Level level, std::string_view event, LogLine fields = {});
  int64_t dropped() const;
  void reopen();
  void flush();  // waits until what was queued before is written, and a reopen() done

 private:
  struct Parts;
  explicit Log(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "2026-06-30T12:00:00.123Z" of now.
std::string timestamp();

}  // namespace base
