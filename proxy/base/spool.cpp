#include "proxy/base/spool.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/base/check.h"

namespace base {
namespace {

constexpr int64_t kLookEvery = 16 << 20;
constexpr int64_t kMemoryStep = 16 << 10;  // memory is granted in such steps
constexpr int64_t kDiskStep = 1 << 20;
constexpr size_t kFilePiece = 64 << 10;
constexpr int64_t kFreeStep = 1 << 20;  // disk is given back in such steps

bool take(std::atomic<int64_t>& used, int64_t bytes, int64_t most) {
  if (used.fetch_add(bytes) + bytes <= most) return true;
  used.fetch_sub(bytes);
  return false;
}

int64_t rounded_up(int64_t bytes, int64_t step) { return (bytes + step - 1) / step * step; }

// A file without a name: it is gone when it is closed, whatever happens to us.
int open_unnamed(const std::string& dir) {
  const int file = open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return file;
  std::string path = dir + "/sidecar-spool-XXXXXX";
  const int named = mkostemp(path.data(), O_CLOEXEC);
  if (named >= 0) unlink(path.c_str());
  return named;
}

// A full disk is what a limit is: who asked waits or is refused, nothing is broken.
Error spool_error(const std::string& what, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  Error found = io_error(what, error);
  if (full) found.code = ErrorCode::spool_full;
  return found;
}

}  // namespace

bool SpoolBudget::take_memory(int64_t bytes) {
  if (memory_forbidden_.load(std::memory_order_relaxed)) return false;
  return take(memory_used_, bytes, limits_.memory_bytes_max);
}
void SpoolBudget::give_memory(int64_t bytes) { memory_used_.fetch_sub(bytes); }

bool SpoolBudget::take_disk(int64_t bytes) {
  if (disk_left_before_look_.fetch_sub(bytes) < bytes) {
    struct statvfs found;
    if (statvfs(limits_.dir.c_str(), &found) == 0) {
      const auto free = static_cast<int64_t>(found.f_bavail) * static_cast<int64_t>(found.f_frsize);
      if (free - bytes < limits_.disk_free_min) {
        disk_left_before_look_.store(0);
        return false;
      }
    }
    disk_left_before_look_.store(kLookEvery);
  }
  return take(disk_used_, bytes, limits_.disk_bytes_max);
}
void SpoolBudget::give_disk(int64_t bytes) { disk_used_.fetch_sub(bytes); }

Result<> Spool::append(std::string_view bytes) {
  if (bytes.empty()) return {};
  if (file_ >= 0) return append_to_file(bytes);  // once there, so that the order is kept
  if (!keep_all_ && memory_read_ > memory_.size() / 2) {
    memory_.erase(0, memory_read_);
    memory_read_ = 0;
  }
  const auto total = static_cast<int64_t>(memory_.size() + bytes.size());
  const int64_t need = rounded_up(total, kMemoryStep) - memory_granted_;
  const bool fits = total <= budget_.limits().memory_bytes_each;
  if (!fits || (need > 0 && !budget_.take_memory(need))) return append_to_file(bytes);
  if (need > 0) memory_granted_ += need;
  memory_.append(bytes);
  size_ += bytes.size();
  return {};
}

Result<> Spool::append_to_file(std::string_view bytes) {
  const auto count = static_cast<int64_t>(bytes.size());
  const int64_t need = file_size_ - file_freed_ + count - disk_granted_;
  if (need > 0) {
    const int64_t grant = rounded_up(need, kDiskStep);
    if (!budget_.take_disk(grant)) {
      return fail(ErrorCode::spool_full, Side::proxy, "no memory or disk left for waiting bytes");
    }
    disk_granted_ += grant;
  }
  if (file_ < 0) {
    file_ = open_unnamed(budget_.limits().dir);
    if (file_ < 0) {
      const int error = errno;
      budget_.give_disk(std::exchange(disk_granted_, 0));
      return fail(spool_error("open a spool in " + budget_.limits().dir, error));
    }
  }
  int64_t written = 0;
  while (written < count) {
    const ssize_t n = pwrite(file_, bytes.data() + written, static_cast<size_t>(count - written),
                             file_size_ + written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(spool_error("write a spool", errno));
    written += n;
  }
  file_size_ += count;
  size_ += bytes.size();
  return {};
}

Result<std::string_view> Spool::front(size_t most) {
  if (memory_read_ < memory_.size()) {
    return std::string_view(memory_).substr(memory_read_, most);
  }
  const int64_t left = file_size_ - file_read_;
  if (left == 0) return std::string_view();
  const int64_t buffered_end = file_buffer_at_ + static_cast<int64_t>(file_buffer_.size());
  if (file_read_ < file_buffer_at_ || file_read_ >= buffered_end) {
    if (Result<> read = fill_buffer(); !read) return fail(read.error());
  }
  const auto offset = static_cast<size_t>(file_read_ - file_buffer_at_);
  return std::string_view(file_buffer_).substr(offset, most);
}

Result<> Spool::fill_buffer() {
  const auto want = static_cast<size_t>(
      std::min<int64_t>(file_size_ - file_read_, static_cast<int64_t>(kFilePiece)));
  file_buffer_.resize(want);
  file_buffer_at_ = file_read_;
  ssize_t n;
  do {
    n = pread(file_, file_buffer_.data(), want, file_read_);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) {
    file_buffer_.clear();
    return fail(io_error("read a spool", n < 0 ? errno : EIO));
  }
  file_buffer_.resize(static_cast<size_t>(n));
  return {};
}

void Spool::consume(size_t bytes) {
  CHECK(bytes <= size_);
  size_ -= bytes;
  const size_t from_memory = std::min(bytes, memory_.size() - memory_read_);
  memory_read_ += from_memory;
  file_read_ += static_cast<int64_t>(bytes - from_memory);
  if (keep_all_) return;
  if (size_ == 0) {
    clear();
    return;
  }
  if (memory_read_ == memory_.size() && memory_granted_ > 0) drop_memory();
  if (file_read_ - file_freed_ >= kFreeStep) free_disk();
}

// A long answer to a slow client flows through: what was read must not count for ever.
void Spool::free_disk() {
  const int64_t end = file_read_ / kFreeStep * kFreeStep;
  const int64_t bytes = end - file_freed_;
  if (fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, file_freed_, bytes) != 0) {
    return;  // this file system cannot; the limit then counts what flowed through
  }
  file_freed_ = end;
  disk_granted_ -= bytes;
  budget_.give_disk(bytes);
}

void Spool::drop_memory() {
  memory_.clear();
  if (memory_.capacity() > static_cast<size_t>(kMemoryStep)) memory_.shrink_to_fit();
  memory_read_ = 0;
  budget_.give_memory(memory_granted_);
  memory_granted_ = 0;
}

void Spool::rewind() {
  CHECK(keep_all_);
  size_ = memory_.size() + static_cast<size_t>(file_size_);
  memory_read_ = 0;
  file_read_ = 0;
}

void Spool::clear() {
  if (memory_granted_ > 0 || !memory_.empty()) drop_memory();
  if (file_ >= 0) {
    close(file_);
    file_ = -1;
    budget_.give_disk(disk_granted_);
    disk_granted_ = 0;
    file_buffer_ = std::string();
    file_buffer_at_ = 0;
  }
  file_size_ = file_read_ = file_freed_ = 0;
  size_ = 0;
  keep_all_ = false;
}

}  // namespace base
