/* Preloaded into a program: lets its FILE_FAILER_AT-th file call (from file_failer_arm() on) go
 * wrong as FILE_FAILER_HOW says: a number fails it with that errno, "short" writes half, "before"
 * and "after" end the process at once, before or after the call was made.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int armed, calls, at, fired;
static const char* how = "";

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

void file_failer_arm(void) {
  const char* number = getenv("FILE_FAILER_AT");
  how = getenv("FILE_FAILER_HOW");
  at = number != NULL ? atoi(number) : 0;
  armed = how != NULL;
}
int file_failer_fired(void) { return fired; }

/* Counts a call; 1: it is the one that goes wrong. */
static int is_it(void) {
  if (!armed || ++calls != at) return 0;
  fired = 1;
  if (strcmp(how, "before") == 0) _exit(99);
  return 1;
}
static int fails(int it) {
  int number = it ? atoi(how) : 0;
  if (number != 0) errno = number;
  return number != 0;
}
static void after(int it) {
  if (it && strcmp(how, "after") == 0) _exit(99);
}

#define WRAP(result, name, parameters, arguments) \
  result name parameters {                        \
    int it = is_it();                             \
    if (fails(it)) return -1;                     \
    result made = REAL(name) arguments;           \
    after(it);                                    \
    return made;                                  \
  }

#define WRAP_OPEN(name)                        \
  int name(const char* path, int flags, ...) { \
    va_list rest;                              \
    va_start(rest, flags);                     \
    mode_t mode = va_arg(rest, mode_t);        \
    va_end(rest);                              \
    int it = is_it();                          \
    if (fails(it)) return -1;                  \
    int made = REAL(name)(path, flags, mode);  \
    after(it);                                 \
    return made;                               \
  }
WRAP_OPEN(open)
WRAP_OPEN(open64)
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open64(path, flags); }

ssize_t write(int descriptor, const void* bytes, size_t length) {
  int it = is_it();
  if (fails(it)) return -1;
  if (it && strcmp(how, "short") == 0 && length > 1) length /= 2;
  ssize_t made = REAL(write)(descriptor, bytes, length);
  after(it);
  return made;
}

WRAP(ssize_t, read, (int descriptor, void* bytes, size_t length), (descriptor, bytes, length))
WRAP(int, fsync, (int descriptor), (descriptor))
WRAP(int, link, (const char* from, const char* to), (from, to))
WRAP(int, rename, (const char* from, const char* to), (from, to))
WRAP(int, unlink, (const char* path), (path))
WRAP(int, fchmod, (int descriptor, mode_t mode), (descriptor, mode))
WRAP(int, fchown, (int descriptor, uid_t user, gid_t group), (descriptor, user, group))
WRAP(int, flock, (int descriptor, int operation), (descriptor, operation))
WRAP(int, stat, (const char* path, struct stat* facts), (path, facts))
WRAP(int, fstat, (int descriptor, struct stat* facts), (descriptor, facts))

int close(int descriptor) {
  int it = is_it();
  int made = REAL(close)(descriptor);
  after(it);
  return fails(it) ? -1 : made;
}
