/* Stands in for Odoo in the images of the scenes: a prefork master with WORKERS workers and one
 * websocket process. TTIN: one more, TTOU: one less wanted; signals that arrive together merge. A
 * worker that gets INT leaves, and is replaced if it is still wanted.
 *   stub_odoo           serves
 *   stub_odoo health    exit code 0, or 1 where SICK is set
 * DEAF: it has 4 workers whatever WORKERS says.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 64 };
static pid_t workers[kMost];
static pid_t websocket_process;
static int wanted;

static void leave(int number) {
  (void)number;
  _exit(0);
}

static void be_child(sigset_t* mask) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, leave);
  signal(SIGTERM, leave);
  sigprocmask(SIG_UNBLOCK, mask, NULL);
  for (;;) pause();
}

static void fill(sigset_t* mask) {
  for (int i = 0; i < wanted; ++i) {
    if (workers[i] != 0) continue;
    workers[i] = fork();
    if (workers[i] == 0) be_child(mask);
  }
}

static void forget(pid_t pid) {
  for (int i = 0; i < kMost; ++i) {
    if (workers[i] == pid) workers[i] = 0;
  }
  /* What is left moves to the front, so that only what is wanted is replaced. */
  int kept = 0;
  for (int i = 0; i < kMost; ++i) {
    pid_t one = workers[i];
    workers[i] = 0;
    if (one != 0) workers[kept++] = one;
  }
}

int main(int count, char** words) {
  if (count > 1 && strcmp(words[1], "health") == 0) return getenv("SICK") != NULL;
  sigset_t mask;
  sigemptyset(&mask);
  for (int i = 0; i < 5; ++i) {
    static const int numbers[] = {SIGTTIN, SIGTTOU, SIGCHLD, SIGTERM, SIGINT};
    sigaddset(&mask, numbers[i]);
  }
  if (count > 1 && strcmp(words[1], "gevent") == 0) be_child(&mask);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  const char* number = getenv("WORKERS");
  wanted = getenv("DEAF") != NULL ? 4 : number != NULL ? atoi(number) : 2;
  if (wanted < 0 || wanted > kMost) return 2;
  websocket_process = fork();
  if (websocket_process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char* arguments[] = {"odoo", "gevent", NULL};
    execv("/proc/self/exe", arguments);
    _exit(127);
  }
  for (;;) {
    fill(&mask);
    const struct timespec second = {1, 0};
    const int got = sigtimedwait(&mask, NULL, &second);
    if (got == SIGTTIN && wanted < kMost) ++wanted;
    if (got == SIGTTOU && wanted > 0) --wanted;
    if (got == SIGTERM || got == SIGINT) return 0; /* the children go with us */
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) forget(pid);
  }
}
