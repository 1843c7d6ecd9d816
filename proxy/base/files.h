// Files that must survive a crash, and the process's own limits. Plain calls of the C library, so
// that a test can stand between us and the disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "proxy/base/descriptors.h"
#include "proxy/base/result.h"

namespace base {

// Writes aside in the same folder, syncs, renames, syncs the folder. Until it returns, a reader
// (and a crash) sees the whole old file or the whole new one. keep_old: the version before stays
// as PATH.old. The folder must exist.
Result<> write_file_durably(const std::string& path, std::string_view bytes, int mode,
                            bool keep_old);

// The whole file; not_found when there is none, io_failed when it is larger than `limit`.
Result<std::string> read_file(const std::string& path, size_t limit);

// Makes the folder that is to hold `path`, with those above it, mode 0750.
Result<> make_folder_of(const std::string& path);

// An exclusive lock, held while this lives; the file is created. `conflict`: another process
// holds it.
class FileLock {
 public:
  FileLock() = default;
  // One that another process held, with the descriptor that it handed over.
  explicit FileLock(Descriptor held) : descriptor_(std::move(held)) {}
  int descriptor() const { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
};
Result<FileLock> lock_file(const std::string& path);

// Raises the soft limit of open descriptors to the hard one. Returns what holds now.
size_t raise_file_limit();

}  // namespace base
