#include "tests/integration/harness/crash_disk.h"

#include <fcntl.h>

#include <cstring>

#include "tests/integration/harness/process.h"

namespace harness {

std::vector<FileEvent> read_file_events(const std::string& path) {
  const std::string bytes = read_text(path);
  std::vector<FileEvent> events;
  size_t at = 0;
  while (at + 40 <= bytes.size()) {
    uint64_t head[5];
    std::memcpy(head, bytes.data() + at, sizeof head);
    at += sizeof head;
    if (at + head[3] + head[4] > bytes.size()) throw Failure("the record of file calls is cut");
    FileEvent event;
    event.call = static_cast<FileCall>(head[0]);
    event.descriptor = static_cast<int>(head[1]);
    event.offset = static_cast<int64_t>(head[2]);
    event.first = bytes.substr(at, head[3]);
    event.second = bytes.substr(at + head[3], head[4]);
    at += head[3] + head[4];
    events.push_back(std::move(event));
  }
  return events;
}

void CrashDisk::open(const FileEvent& event) {
  if (event.first == folder_ || event.first == folder_ + "/") return;
  auto found = live_.find(event.first);
  if (found == live_.end()) {
    if ((event.offset & O_CREAT) == 0) throw Failure("opened, but never created: " + event.first);
    inodes_.emplace_back();
    found = live_.emplace(event.first, inodes_.size() - 1).first;
    changes_.push_back({"", event.first, found->second});
  }
  Inode& inode = inodes_[found->second];
  if ((event.offset & O_TRUNC) != 0 && !inode.current.empty()) {
    inode.current.clear();
    inode.dirty = true;
  }
  descriptors_[event.descriptor] = found->second;
}

void CrashDisk::apply(const FileEvent& event) {
  const auto opened = descriptors_.find(event.descriptor);
  switch (event.call) {
    case FileCall::open:
      return open(event);
    case FileCall::write: {
      if (opened == descriptors_.end()) throw Failure("a write to an unknown descriptor");
      Inode& inode = inodes_[opened->second];
      const size_t at = static_cast<size_t>(event.offset);
      if (inode.current.size() < at + event.first.size()) {
        inode.current.resize(at + event.first.size());
      }
      inode.current.replace(at, event.first.size(), event.first);
      inode.dirty = true;
      return;
    }
    case FileCall::truncate:
      if (opened == descriptors_.end()) throw Failure("a cut of an unknown descriptor");
      inodes_[opened->second].current.resize(static_cast<size_t>(event.offset));
      inodes_[opened->second].dirty = true;
      return;
    case FileCall::sync:
      if (opened == descriptors_.end()) throw Failure("a sync of an unknown descriptor");
      inodes_[opened->second].synced = inodes_[opened->second].current;
      inodes_[opened->second].dirty = false;
      return;
    case FileCall::sync_folder:
      durable_ = live_;
      changes_.clear();
      return;
    case FileCall::rename:
    case FileCall::link: {
      const size_t inode = live_.at(event.first);
      live_[event.second] = inode;
      const bool moves = event.call == FileCall::rename;
      if (moves) live_.erase(event.first);
      changes_.push_back({moves ? event.first : "", event.second, inode});
      return;
    }
    case FileCall::unlink:
      live_.erase(event.first);
      changes_.push_back({event.first, "", 0});
      return;
    case FileCall::close:
      descriptors_.erase(event.descriptor);
      return;
    case FileCall::reply:
      return;
  }
}

std::set<std::string> CrashDisk::contents_of(size_t number) const {
  const Inode& inode = inodes_[number];
  if (!inode.dirty) return {inode.synced};
  std::set<std::string> all = {inode.synced, inode.current};
  // Torn: the first half arrived over what was there; or only the new length did.
  std::string torn = inode.current.substr(0, inode.current.size() / 2);
  all.insert(torn);
  if (inode.synced.size() > torn.size()) all.insert(torn + inode.synced.substr(torn.size()));
  std::string zeros = inode.synced.substr(0, inode.current.size());
  zeros.resize(inode.current.size());
  all.insert(zeros);
  return all;
}

std::set<CrashDisk::Contents> CrashDisk::possible(const std::vector<std::string>& paths) const {
  std::set<Contents> all;
  if (changes_.size() > 12) throw Failure("too many names that no sync of the folder covers");
  for (uint32_t chosen = 0; chosen < (1u << changes_.size()); ++chosen) {
    Names names = durable_;
    for (size_t i = 0; i < changes_.size(); ++i) {
      if ((chosen >> i & 1) == 0) continue;
      if (!changes_[i].removed.empty()) names.erase(changes_[i].removed);
      if (!changes_[i].added.empty()) names[changes_[i].added] = changes_[i].inode;
    }
    std::set<Contents> these = {{}};
    for (const std::string& path : paths) {
      const auto found = names.find(path);
      if (found == names.end()) continue;
      std::set<Contents> grown;
      for (const Contents& one : these) {
        for (const std::string& bytes : contents_of(found->second)) {
          Contents next = one;
          next[path] = bytes;
          grown.insert(std::move(next));
        }
      }
      these = std::move(grown);
    }
    all.insert(these.begin(), these.end());
  }
  return all;
}

}  // namespace harness
