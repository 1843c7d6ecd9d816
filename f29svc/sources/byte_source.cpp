#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "f29svc/sources/rcv.h"

namespace f29 {

base::Result<std::unique_ptr<FileSource>> FileSource::open(const std::string& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::fail(base::io_error("open " + path, errno));
  return std::unique_ptr<FileSource>(new FileSource(fd));
}

FileSource::~FileSource() { ::close(fd_); }

size_t FileSource::size_hint() const {
  struct stat facts {};
  bool is_file = fstat(fd_, &facts) == 0 && S_ISREG(facts.st_mode);
  return is_file && facts.st_size > 0 ? static_cast<size_t>(facts.st_size) : 0;
}

base::Result<size_t> FileSource::read(char* into, size_t most) {
  for (;;) {
    ssize_t count = ::read(fd_, into, most);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return base::fail(base::io_error("read", errno));
  }
}

base::Result<size_t> MemorySource::read(char* into, size_t most) {
  size_t count = std::min({most, portion_, bytes_.size()});
  if (count != 0) std::memcpy(into, bytes_.data(), count);
  bytes_.remove_prefix(count);
  return count;
}

}  // namespace f29
