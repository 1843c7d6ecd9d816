#include "shifter/agent/env_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "proxy/base/files.h"

namespace agent {
namespace {

using base::ErrorCode;
using base::Result;
using base::Side;

class OpenFile {
 public:
  explicit OpenFile(int descriptor) : descriptor_(descriptor) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

tl::unexpected<base::Error> call_failed(const std::string& what) {
  return base::fail(base::io_error(what, errno));
}

// A link is followed: what is replaced is the file, not its other name.
Result<std::string> real_path(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) {
    base::Error error = base::io_error("open " + path, errno);
    if (errno == ENOENT) error.code = ErrorCode::not_found;
    return base::fail(std::move(error));
  }
  std::string real(found);
  ::free(found);
  return real;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Whether a mount covers just this file; rename cannot replace it then.
bool is_mount(const std::string& path) {
  auto table = base::read_file("/proc/self/mountinfo", 4 << 20);
  if (!table) return false;  // rename will tell
  std::istringstream lines(*table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, device, root, at;
    if (words >> id >> parent >> device >> root >> at && at == path) return true;
  }
  return false;
}

tl::unexpected<base::Error> mounted(const std::string& path) {
  return base::fail(ErrorCode::refused, Side::proxy,
                    "EBUSY: " + path + " is a mount of its own: mount the folder");
}

Result<> write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return call_failed("write " + path);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<> write_aside(const std::string& path, std::string_view bytes, const struct stat& like) {
  const OpenFile file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return call_failed("open " + path);
  struct stat made;
  if (::fstat(file.get(), &made) != 0) return call_failed("stat " + path);
  if ((made.st_uid != like.st_uid || made.st_gid != like.st_gid) &&
      ::fchown(file.get(), like.st_uid, like.st_gid) != 0) {
    return call_failed("chown " + path);
  }
  if (::fchmod(file.get(), like.st_mode & 07777) != 0) return call_failed("chmod " + path);
  if (Result<> written = write_all(file.get(), bytes, path); !written) return written;
  if (::fsync(file.get()) != 0) return call_failed("fsync " + path);
  return {};
}

Result<> sync_folder(const std::string& folder) {
  const OpenFile opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0) return call_failed("open " + folder);
  if (::fsync(opened.get()) != 0) return call_failed("fsync " + folder);
  return {};
}

Result<> still_is(const std::string& path, std::string_view expected) {
  auto bytes = base::read_file(path, EnvText::kBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  if (*bytes == expected) return {};
  return base::fail(ErrorCode::conflict, Side::client,
                    path + " was edited by somebody else meanwhile");
}

}  // namespace

Result<EnvText> EnvFile::read() const {
  auto bytes = base::read_file(path_, EnvText::kBytesMax);
  if (!bytes) return tl::unexpected(bytes.error());
  auto text = EnvText::parse(std::move(*bytes));
  if (!text) text.error().detail = path_ + ": " + text.error().detail;
  return text;
}

Result<EnvFile::Change> EnvFile::change(const std::map<std::string, std::string>& values,
                                        bool keep) {
  auto text = read();
  if (!text) return tl::unexpected(text.error());
  Change change{text->bytes(), text->bytes()};
  for (const auto& [key, value] : values) {
    auto next = text->with(key, value);
    if (!next) {
      next.error().detail = path_ + ": " + next.error().detail;
      return tl::unexpected(next.error());
    }
    text = EnvText::parse(std::move(*next));
    if (!text) return tl::unexpected(text.error());
  }
  change.after = text->bytes();
  if (!change.any()) return change;
  if (auto done = replace(change.before, change.after, keep); !done) {
    // What failed behind the rename is not left behind as if it had been done.
    if (still_is(path_, change.after)) (void)put_back(change);
    return tl::unexpected(done.error());
  }
  return change;
}

Result<> EnvFile::put_back(const Change& change) {
  return change.any() ? replace(change.after, change.before, false) : Result<>{};
}

void EnvFile::let_go() const {
  if (auto real = real_path(path_)) ::unlink((*real + std::string(kBefore)).c_str());
}

void EnvFile::sweep() const {
  if (auto real = real_path(path_)) ::unlink((*real + std::string(kAside)).c_str());
  let_go();
}

// `bytes` in the place of `expected`: from the file that was kept, if it has them, or written anew.
Result<> EnvFile::replace(std::string_view expected, std::string_view bytes, bool keep) const {
  auto real = real_path(path_);
  if (!real) return tl::unexpected(real.error());
  if (is_mount(*real)) return mounted(*real);
  auto lock = base::lock_file(*real + ".lock");
  if (!lock) return tl::unexpected(lock.error());
  struct stat like;
  if (::stat(real->c_str(), &like) != 0) return call_failed("stat " + *real);
  if (!S_ISREG(like.st_mode)) {
    return base::fail(ErrorCode::refused, Side::client, *real + " is not a file");
  }
  if (auto same = still_is(*real, expected); !same) return same;
  const std::string kept = *real + std::string(kBefore);
  const bool is_kept = still_is(kept, bytes).has_value();
  const std::string aside = is_kept ? kept : *real + std::string(kAside);
  Result<> done;
  if (!is_kept) {
    ::unlink(aside.c_str());
    done = write_aside(aside, bytes, like);
  }
  // Where it cannot be kept the way back is written, as every edit is.
  if (done && keep) {
    ::unlink(kept.c_str());
    (void)!::link(real->c_str(), kept.c_str());
  }
  if (done) done = still_is(*real, expected);  // the last look before it is replaced
  if (done && ::rename(aside.c_str(), real->c_str()) != 0) {
    done = errno == EBUSY ? mounted(*real) : call_failed("rename " + *real);
  }
  if (!done) {
    ::unlink(aside.c_str());
    if (keep) ::unlink(kept.c_str());
    return done;
  }
  if (done = sync_folder(folder_of(*real)); !done) return done;
  return still_is(*real, bytes);
}

}  // namespace agent
