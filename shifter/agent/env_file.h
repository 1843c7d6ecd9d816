// An env file on the disk: read, changed and put back so that a reader, a crash or a power cut sees
// the old bytes or the new ones. Owner and mode stay. Plain calls of the C library, so that a test
// can stand between us and the disk.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "proxy/base/result.h"
#include "shifter/agent/env_text.h"

namespace agent {

class EnvFile {
 public:
  // What a change did; put_back() undoes it.
  struct Change {
    std::string before, after;
    bool any() const { return before != after; }
  };
  // Behind the file's name.
  static constexpr std::string_view kAside = ".shifter-new";
  static constexpr std::string_view kBefore = ".shifter-old";

  explicit EnvFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  base::Result<EnvText> read() const;
  // All keys in one step; an error leaves the old bytes (but on a disk that takes nothing any more
  // just after it took the new ones). `conflict`: somebody else edits it or has edited it
  // meanwhile. `refused`: a mount of its own, a key that is there twice. keep: the old file stays
  // beside the new one until put_back() or let_go(), so that the way back needs no room on the
  // disk.
  base::Result<Change> change(const std::map<std::string, std::string>& values, bool keep = false);
  // Only if the file still is what the change made of it.
  base::Result<> put_back(const Change& change);
  void let_go() const;  // there is no way back any more
  // Removes what a crash left beside the file. At the start.
  void sweep() const;

 private:
  base::Result<> replace(std::string_view expected, std::string_view bytes, bool keep) const;
  std::string path_;
};

}  // namespace agent
