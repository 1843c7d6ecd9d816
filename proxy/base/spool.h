// Bytes that wait for a slow peer: memory first, then an unlinked temporary file, first in first
// out. The budget is shared by all workers; a spool belongs to one exchange on one loop.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/result.h"

namespace base {

struct SpoolLimits {
  std::string dir = "/var/tmp";
  int64_t memory_bytes_max = 64 << 20;  // all spools together
  int64_t disk_bytes_max = int64_t{4} << 30;
  int64_t disk_free_min = int64_t{1} << 30;  // left to others on the file system
  int64_t memory_bytes_each = 256 << 10;     // one spool, before it goes to disk
};

// Any thread. Gives and takes back shares of the limits.
class SpoolBudget {
 public:
  explicit SpoolBudget(SpoolLimits limits) : limits_(std::move(limits)) {}
  const SpoolLimits& limits() const { return limits_; }
  bool take_memory(int64_t bytes);
  void give_memory(int64_t bytes);
  // From now on new bytes go to disk; those in memory stay there. Any thread.
  void forbid_memory(bool forbidden) { memory_forbidden_.store(forbidden); }
  bool take_disk(int64_t bytes);  // also looks at the free space, at most once per 16 MiB granted
  void give_disk(int64_t bytes);
  int64_t memory_used() const { return memory_used_.load(std::memory_order_relaxed); }
  int64_t disk_used() const { return disk_used_.load(std::memory_order_relaxed); }

 private:
  SpoolLimits limits_;
  std::atomic<int64_t> memory_used_{0};
  std::atomic<bool> memory_forbidden_{false};
  std::atomic<int64_t> disk_used_{0};
  std::atomic<int64_t> disk_left_before_look_{0};
};

class Spool {
 public:
  explicit Spool(SpoolBudget& budget) : budget_(budget) {}
  ~Spool() { clear(); }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  // Keeps all of the bytes or none: spool_full, or io_failed with the system's reason.
  Result<> append(std::string_view bytes);
  size_t size() const { return size_; }
  bool is_empty() const { return size_ == 0; }

  // The next bytes, at most `most`, without taking them away; valid until the next call of any
  // other member. Bytes on disk are read into a buffer that the spool keeps (64 KiB at most).
  Result<std::string_view> front(size_t most);
  void consume(size_t bytes);
  // Starts again at the first byte: for a body that must be sent once more. Needs: keep_all(true)
  // was set before the first consume.
  void keep_all(bool on) { keep_all_ = on; }
  void rewind();
  // Gives everything back.
  void clear();

 private:
  Result<> append_to_file(std::string_view bytes);
  Result<> fill_buffer();
  void drop_memory();
  void free_disk();

  SpoolBudget& budget_;
  std::string memory_;          // the oldest bytes
  size_t memory_read_ = 0;      // how much of it was consumed
  int64_t memory_granted_ = 0;  // from the budget
  int file_ = -1;               // the bytes after those in memory, once opened
  int64_t file_size_ = 0;
  int64_t file_read_ = 0;
  int64_t file_freed_ = 0;  // bytes at its start that the disk has got back
  int64_t disk_granted_ = 0;
  std::string file_buffer_;  // a piece of the file, at file_buffer_at_
  int64_t file_buffer_at_ = 0;
  size_t size_ = 0;
  bool keep_all_ = false;
};

}  // namespace base
