/* Preloaded into a program: writes down, in order, each call that changes files under
 * FILE_RECORDER_FOLDER, and each reply that it sends on a socket (so that a reader knows what was
 * promised when). A record goes to FILE_RECORDER_LOG before a reply is sent, and after a file call
 * has succeeded. Format, all numbers little-endian 64 bits:
 *   kind, descriptor, offset, length of the first text, length of the second, texts
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind {
  kind_open = 1, /* first: path; offset: flags */
  kind_write,    /* first: bytes; offset: where in the file */
  kind_sync,     /* fsync or fdatasync of a file */
  kind_sync_folder,
  kind_rename,   /* first: from, second: to */
  kind_link,     /* first: from, second: to */
  kind_unlink,   /* first: path */
  kind_truncate, /* offset: length */
  kind_close,
  kind_reply, /* first: the first bytes of what goes out on a socket */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;
static char folder[PATH_MAX];
static unsigned char tracked[65536]; /* descriptors of files and folders under `folder` */

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
  const char* log = getenv("FILE_RECORDER_LOG");
  const char* where = getenv("FILE_RECORDER_FOLDER");
  if (log == NULL || where == NULL) return;
  snprintf(folder, sizeof folder, "%s/", where);
  log_descriptor =
      (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void record(enum kind kind, int descriptor, int64_t offset, const void* first,
                   size_t first_length, const void* second, size_t second_length) {
  int saved = errno;
  uint64_t head[5] = {kind, (uint64_t)descriptor, (uint64_t)offset, first_length, second_length};
  struct iovec parts[3] = {{head, sizeof head},
                           {(void*)(uintptr_t)first, first_length},
                           {(void*)(uintptr_t)second, second_length}};
  pthread_mutex_lock(&mutex);
  long written = syscall(SYS_writev, log_descriptor, parts, 3);
  pthread_mutex_unlock(&mutex);
  if (written != (long)(sizeof head + first_length + second_length)) abort();
  errno = saved;
}

static int is_inside(const char* path, size_t length) {
  size_t folder_length = strlen(folder);
  /* The folder itself counts, with or without its slash. */
  return length + 1 >= folder_length && strncmp(path, folder, folder_length - 1) == 0 &&
         (length + 1 == folder_length || path[folder_length - 1] == '/');
}

static int is_tracked(int descriptor) {
  return log_descriptor >= 0 && descriptor >= 0 && descriptor < (int)sizeof tracked &&
         tracked[descriptor];
}

/* The path as it stands in the root's tree, also for openat and relative names. */
static const char* full_path(int at, const char* path, char* to) {
  if (path[0] == '/') return path;
  char link[64], base[PATH_MAX];
  if (at == AT_FDCWD) {
    if (getcwd(base, sizeof base) == NULL) return path;
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t got = readlink(link, base, sizeof base - 1);
    if (got < 0) return path;
    base[got] = 0;
  }
  if (strcmp(path, ".") == 0) path = "";
  if (snprintf(to, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) abort();
  return to;
}

static void opened(int descriptor, int at, const char* path, int flags) {
  if (log_descriptor < 0 || descriptor < 0 || descriptor >= (int)sizeof tracked) return;
  char space[PATH_MAX];
  const char* full = full_path(at, path, space);
  tracked[descriptor] = 0;
  if (!is_inside(full, strlen(full))) return;
  tracked[descriptor] = 1;
  record(kind_open, descriptor, flags, full, strlen(full), NULL, 0);
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define DEFINE_OPEN(name)                           \
  int name(const char* path, int flags, ...) {      \
    va_list rest;                                   \
    va_start(rest, flags);                          \
    mode_t mode = mode_of(flags, rest);             \
    va_end(rest);                                   \
    int descriptor = REAL(name)(path, flags, mode); \
    opened(descriptor, AT_FDCWD, path, flags);      \
    return descriptor;                              \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                             \
  int name(int at, const char* path, int flags, ...) {  \
    va_list rest;                                       \
    va_start(rest, flags);                              \
    mode_t mode = mode_of(flags, rest);                 \
    va_end(rest);                                       \
    int descriptor = REAL(name)(at, path, flags, mode); \
    opened(descriptor, at, path, flags);                \
    return descriptor;                                  \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* What a fortified build calls where it passes no mode. */
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open64(path, flags); }
int __openat_2(int at, const char* path, int flags) { return openat(at, path, flags); }
int __openat64_2(int at, const char* path, int flags) { return openat64(at, path, flags); }
int creat(const char* path, mode_t mode) { return open(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static int is_socket(int descriptor) {
  struct stat facts;
  return log_descriptor >= 0 && fstat(descriptor, &facts) == 0 && S_ISSOCK(facts.st_mode);
}

static void replying(int descriptor, const void* bytes, size_t length) {
  if (length > 0 && is_socket(descriptor)) {
    record(kind_reply, descriptor, 0, bytes, length < 256 ? length : 256, NULL, 0);
  }
}

static void wrote(int descriptor, const void* bytes, ssize_t count, int64_t offset) {
  if (count > 0) record(kind_write, descriptor, offset, bytes, (size_t)count, NULL, 0);
}

static int64_t place(int descriptor, ssize_t just_written) {
  return (int64_t)lseek(descriptor, 0, SEEK_CUR) - just_written;
}

ssize_t write(int descriptor, const void* bytes, size_t length) {
  if (!is_tracked(descriptor)) {
    replying(descriptor, bytes, length);
    return REAL(write)(descriptor, bytes, length);
  }
  ssize_t count = REAL(write)(descriptor, bytes, length);
  wrote(descriptor, bytes, count, place(descriptor, count > 0 ? count : 0));
  return count;
}

ssize_t writev(int descriptor, const struct iovec* parts, int count) {
  if (!is_tracked(descriptor)) {
    if (count > 0) replying(descriptor, parts[0].iov_base, parts[0].iov_len);
    return REAL(writev)(descriptor, parts, count);
  }
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) {
    ssize_t written = write(descriptor, parts[i].iov_base, parts[i].iov_len);
    if (written < 0) return total > 0 ? total : written;
    total += written;
    if ((size_t)written < parts[i].iov_len) break;
  }
  return total;
}

#define DEFINE_PWRITE(name, offset_type)                                               \
  ssize_t name(int descriptor, const void* bytes, size_t length, offset_type offset) { \
    ssize_t count = REAL(name)(descriptor, bytes, length, offset);                     \
    if (is_tracked(descriptor)) wrote(descriptor, bytes, count, offset);               \
    return count;                                                                      \
  }
DEFINE_PWRITE(pwrite, off_t)
DEFINE_PWRITE(pwrite64, off64_t)

ssize_t send(int descriptor, const void* bytes, size_t length, int flags) {
  replying(descriptor, bytes, length);
  return REAL(send)(descriptor, bytes, length, flags);
}

ssize_t sendmsg(int descriptor, const struct msghdr* message, int flags) {
  if (message->msg_iovlen > 0) {
    replying(descriptor, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
  }
  return REAL(sendmsg)(descriptor, message, flags);
}

static void synced(int descriptor) {
  struct stat facts;
  if (!is_tracked(descriptor) || fstat(descriptor, &facts) != 0) return;
  record(S_ISDIR(facts.st_mode) ? kind_sync_folder : kind_sync, descriptor, 0, NULL, 0, NULL, 0);
}

int fsync(int descriptor) {
  int result = REAL(fsync)(descriptor);
  if (result == 0) synced(descriptor);
  return result;
}

int fdatasync(int descriptor) {
  int result = REAL(fdatasync)(descriptor);
  if (result == 0) synced(descriptor);
  return result;
}

static void two_paths(enum kind kind, int from_at, const char* from, int to_at, const char* to) {
  char from_space[PATH_MAX], to_space[PATH_MAX];
  if (log_descriptor < 0) return;
  const char* first = full_path(from_at, from, from_space);
  const char* second = full_path(to_at, to, to_space);
  if (!is_inside(first, strlen(first)) && !is_inside(second, strlen(second))) return;
  record(kind, -1, 0, first, strlen(first), second, strlen(second));
}

int rename(const char* from, const char* to) {
  int result = REAL(rename)(from, to);
  if (result == 0) two_paths(kind_rename, AT_FDCWD, from, AT_FDCWD, to);
  return result;
}

int renameat(int from_at, const char* from, int to_at, const char* to) {
  int result = REAL(renameat)(from_at, from, to_at, to);
  if (result == 0) two_paths(kind_rename, from_at, from, to_at, to);
  return result;
}

int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) {
  int result = REAL(renameat2)(from_at, from, to_at, to, flags);
  if (flags != 0 && log_descriptor >= 0) abort(); /* not modelled */
  if (result == 0) two_paths(kind_rename, from_at, from, to_at, to);
  return result;
}

int link(const char* from, const char* to) {
  int result = REAL(link)(from, to);
  if (result == 0) two_paths(kind_link, AT_FDCWD, from, AT_FDCWD, to);
  return result;
}

int linkat(int from_at, const char* from, int to_at, const char* to, int flags) {
  int result = REAL(linkat)(from_at, from, to_at, to, flags);
  if (result == 0) two_paths(kind_link, from_at, from, to_at, to);
  return result;
}

static void removed(int at, const char* path) {
  char space[PATH_MAX];
  if (log_descriptor < 0) return;
  const char* full = full_path(at, path, space);
  if (is_inside(full, strlen(full))) record(kind_unlink, -1, 0, full, strlen(full), NULL, 0);
}

int unlink(const char* path) {
  int result = REAL(unlink)(path);
  if (result == 0) removed(AT_FDCWD, path);
  return result;
}

int unlinkat(int at, const char* path, int flags) {
  int result = REAL(unlinkat)(at, path, flags);
  if (result == 0) removed(at, path);
  return result;
}

int remove(const char* path) { return unlink(path); }

int ftruncate(int descriptor, off_t length) {
  int result = REAL(ftruncate)(descriptor, length);
  if (result == 0 && is_tracked(descriptor)) {
    record(kind_truncate, descriptor, length, NULL, 0, NULL, 0);
  }
  return result;
}

int close(int descriptor) {
  if (is_tracked(descriptor)) {
    tracked[descriptor] = 0;
    record(kind_close, descriptor, 0, NULL, 0, NULL, 0);
  }
  return REAL(close)(descriptor);
}
