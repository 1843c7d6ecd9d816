// LD_PRELOAD: counts the calls that write or sync, once f29_shim_start was called, and ends the
// process by SIGKILL at the one that F29_KILL_AT names: before it, or in the middle of a write.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static int running;
static long calls;
static long kill_at;

void f29_shim_start(void) {
  const char* at = getenv("F29_KILL_AT");
  kill_at = at == NULL ? 0 : atol(at);
  running = 1;
}

long f29_shim_calls(void) { return calls; }

static int is_last(void) { return running && ++calls == kill_at; }

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// Every second kill tears the write: half of its bytes arrive.
#define TORN(size) (kill_at % 2 == 0 ? (size) / 2 : 0)

ssize_t write(int file, const void* bytes, size_t size) {
  if (is_last()) {
    if (TORN(size) != 0 && NEXT(write)(file, bytes, TORN(size)) < 0) die();
    die();
  }
  return NEXT(write)(file, bytes, size);
}

ssize_t pwrite(int file, const void* bytes, size_t size, off_t at) {
  if (is_last()) {
    if (TORN(size) != 0 && NEXT(pwrite)(file, bytes, TORN(size), at) < 0) die();
    die();
  }
  return NEXT(pwrite)(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void* bytes, size_t size, off64_t at) {
  if (is_last()) {
    if (TORN(size) != 0 && NEXT(pwrite64)(file, bytes, TORN(size), at) < 0) die();
    die();
  }
  return NEXT(pwrite64)(file, bytes, size, at);
}

int fsync(int file) {
  if (is_last()) die();
  return NEXT(fsync)(file);
}

int fdatasync(int file) {
  if (is_last()) die();
  return NEXT(fdatasync)(file);
}

int ftruncate(int file, off_t size) {
  if (is_last()) die();
  return NEXT(ftruncate)(file, size);
}

int ftruncate64(int file, off64_t size) {
  if (is_last()) die();
  return NEXT(ftruncate64)(file, size);
}
