// Who changed what: one JSON object a line in a file of its own, and the last of them in memory.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "shifter/control/admin_server.h"

namespace control {

struct AuditEntry {
  Caller caller;
  std::string_view command;
  std::string_view reason;
  std::string_view before;
  std::string_view after;
  std::string_view result;  // "done", or the code of the error
  uint64_t epoch = 0;       // after it
};

class AuditLog {
 public:
  static constexpr size_t kKept = 200;
  // The file is appended to; the end of what is there is read back for `audit`.
  static base::Result<std::unique_ptr<AuditLog>> open(const std::string& path);

  void add(const AuditEntry& entry);  // on the file's way when this returns
  const std::deque<std::string>& kept() const { return kept_; }
  void reopen() { file_->reopen(); }

 private:
  explicit AuditLog(std::unique_ptr<base::Log> file) : file_(std::move(file)) {}
  std::unique_ptr<base::Log> file_;
  std::deque<std::string> kept_;
};

}  // namespace control
