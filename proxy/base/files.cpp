#include "proxy/base/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proxy/base/descriptors.h"

namespace base {
namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail(io_error("write " + path, errno));
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<> write_new_file(const std::string& path, std::string_view bytes, int mode) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, static_cast<mode_t>(mode)));
  if (file.get() < 0) return fail(io_error("open " + path, errno));
  if (fchmod(file.get(), static_cast<mode_t>(mode)) != 0) {
    return fail(io_error("chmod " + path, errno));
  }
  if (Result<> written = write_all(file.get(), bytes, path); !written) return written;
  if (fsync(file.get()) != 0) return fail(io_error("fsync " + path, errno));
  return {};
}

Result<> sync_folder(const std::string& folder) {
  const Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return fail(io_error("open " + folder, errno));
  if (fsync(opened.get()) != 0) return fail(io_error("fsync " + folder, errno));
  return {};
}

// PATH.old becomes a second name of the file that PATH names now; PATH is never missing.
Result<> keep_old_version(const std::string& path) {
  const std::string old = path + ".old";
  const std::string aside = path + ".old.new";
  unlink(aside.c_str());
  if (link(path.c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return {};  // the first version
    return fail(io_error("link " + aside, errno));
  }
  if (rename(aside.c_str(), old.c_str()) != 0) return fail(io_error("rename " + old, errno));
  unlink(aside.c_str());  // rename does nothing when both names were the same file already
  return {};
}

}  // namespace

Result<> write_file_durably(const std::string& path, std::string_view bytes, int mode,
                            bool keep_old) {
  const std::string aside = path + ".new";
  Result<> done = write_new_file(aside, bytes, mode);
  if (done && keep_old) done = keep_old_version(path);
  if (done && rename(aside.c_str(), path.c_str()) != 0) {
    done = fail(io_error("rename " + path, errno));
  }
  if (!done) {
    unlink(aside.c_str());
    return done;
  }
  return sync_folder(folder_of(path));
}

Result<std::string> read_file(const std::string& path, size_t limit) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    Error error = io_error("open " + path, errno);
    if (errno == ENOENT) error.code = ErrorCode::not_found;
    return fail(std::move(error));
  }
  std::string bytes;
  char piece[16 << 10];
  for (;;) {
    const ssize_t n = read(file.get(), piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(io_error("read " + path, errno));
    if (n == 0) return bytes;
    bytes.append(piece, static_cast<size_t>(n));
    if (bytes.size() > limit) {
      return fail(ErrorCode::io_failed, Side::proxy,
                  "read " + path + ": larger than " + std::to_string(limit) + " bytes");
    }
  }
}

Result<> make_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  struct stat found;
  if (stat(folder.c_str(), &found) == 0) return {};
  if (Result<> above = make_folder_of(folder); !above) return above;
  if (mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    return fail(io_error("mkdir " + folder, errno));
  }
  return {};
}

Result<FileLock> lock_file(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!file.is_open()) return fail(io_error("open " + path, errno));
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    Error error = io_error("lock " + path, errno);
    if (errno == EWOULDBLOCK) error.code = ErrorCode::conflict;
    return fail(std::move(error));
  }
  return FileLock(std::move(file));
}

size_t raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  return static_cast<size_t>(limit.rlim_cur);
}

}  // namespace base
