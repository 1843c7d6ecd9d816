// What the agent must know after a crash: which actions it began, and how they ended. On the disk
// before anything is done, so that an id is acted on once. One agent has it at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/files.h"
#include "proxy/base/result.h"

namespace agent {

enum class End : uint8_t { started, done, failed, unknown };
std::string_view text_of(End end);

// How an action ended, as it is reported.
struct Outcome {
  End end = End::failed;
  std::string message;
  std::vector<std::string> tail;
  std::map<std::string, std::string> result;
};

class Journal {
 public:
  static constexpr size_t kKept = 64;
  // Ids begin anew where the sidecar lost its state or went back to an older one; with the moment
  // at which it was asked for, an action is itself and no other.
  struct Entry {
    uint64_t id = 0;
    int64_t asked_ms = 0;
    std::string kind, color;
    Outcome outcome{End::started, {}, {}, {}};
  };

  // Reads it, or begins one. An error: it cannot be read or written, or another agent has it.
  static base::Result<Journal> open(const std::string& path);

  const std::string& name() const { return name_; }  // made up when it was begun
  const Entry* find(uint64_t id, int64_t asked_ms) const;
  // An error: it is not on the disk, so nothing may be done. Needs: find() does not know it.
  base::Result<> start(uint64_t id, int64_t asked_ms, const std::string& kind,
                       const std::string& color);
  base::Result<> end(uint64_t id, int64_t asked_ms, Outcome outcome);
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  Journal() = default;
  base::Result<> save() const;
  std::string path_;
  std::string name_;
  std::deque<Entry> entries_;
  base::FileLock lock_;
};

}  // namespace agent
