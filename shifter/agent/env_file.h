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
  static constexpr std::string_view kAside = ".shifter-new";  // behind the file's name

  explicit EnvFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  base::Result<EnvText> read() const;
  // All keys in one step. Errors leave the file as it is, but for a sync that fails behind the
  // rename: then the new bytes are there, perhaps not for ever. `conflict`: somebody else edits it
  // or has edited it meanwhile. `refused`: a mount of its own, a key that is there twice.
  base::Result<Change> change(const std::map<std::string, std::string>& values);
  // Only if the file still is what the change made of it.
  base::Result<> put_back(const Change& change);
  // Removes what a crash left beside the file. At the start.
  void sweep() const;

 private:
  base::Result<> replace(std::string_view expected, std::string_view bytes) const;
  std::string path_;
};

}  // namespace agent
