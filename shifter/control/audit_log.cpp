#include "shifter/control/audit_log.h"

#include "shifter/control/events.h"

namespace control {

base::Result<std::unique_ptr<AuditLog>> AuditLog::open(const std::string& path) {
  auto file = base::Log::open(path);
  if (!file) return tl::unexpected(file.error());
  return std::unique_ptr<AuditLog>(new AuditLog(std::move(*file)));
}

void AuditLog::add(const AuditEntry& entry) {
  base::LogLine line;
  line.add("time", base::timestamp())
      .add("uid", static_cast<int64_t>(entry.caller.uid))
      .add("pid", entry.caller.pid)
      .add("command", entry.command)
      .add("reason", entry.reason)
      .add("before", entry.before)
      .add("after", entry.after)
      .add("epoch", static_cast<int64_t>(entry.epoch))
      .add("result", entry.result);
  file_->write(line.text());
  kept_.push_back(json_of(line));
  if (kept_.size() > kKept) kept_.pop_front();
}

}  // namespace control
