// What a disk may hold after a power cut, from the record of a program's file calls
// (tests/support/file_recorder.c). Pessimistic: only what was synced is certain. Bytes not synced
// may be there, be lost, be torn, or read as zeros; each name not covered by a sync of its folder
// may be there or not, independently of the others.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace harness {

enum class FileCall {
  open = 1,
  write,
  sync,
  sync_folder,
  rename,
  link,
  unlink,
  truncate,
  close,
  reply,
};

struct FileEvent {
  FileCall call{};
  int descriptor = -1;
  int64_t offset = 0;
  std::string first, second;
};

std::vector<FileEvent> read_file_events(const std::string& path);

class CrashDisk {
 public:
  explicit CrashDisk(std::string folder) : folder_(std::move(folder)) {}

  void apply(const FileEvent& event);

  // Each distinct content that the named files may have now. A missing file is not in the map.
  using Contents = std::map<std::string, std::string>;
  std::set<Contents> possible(const std::vector<std::string>& paths) const;

 private:
  struct Inode {
    std::string synced, current;
    bool dirty = false;
  };
  struct NameChange {
    std::string removed, added;  // either may be empty
    size_t inode = 0;
  };
  using Names = std::map<std::string, size_t>;

  void open(const FileEvent& event);
  std::set<std::string> contents_of(size_t inode) const;

  std::string folder_;
  std::vector<Inode> inodes_;
  Names durable_, live_;
  std::vector<NameChange> changes_;    // since the last sync of the folder
  std::map<int, size_t> descriptors_;  // → inode
};

}  // namespace harness
