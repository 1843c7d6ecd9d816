#include "shifter/cli/interrupt.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>

namespace cli {
namespace {

// Written only by the handler, which runs only inside ppoll.
volatile sig_atomic_t g_interrupted = 0;
volatile sig_atomic_t g_resized = 0;

void note(int number) { (number == SIGWINCH ? g_resized : g_interrupted) = 1; }

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGWINCH};

}  // namespace

void catch_interrupts() {
  g_interrupted = 0;
  g_resized = 0;
  sigset_t blocked;
  sigemptyset(&blocked);
  struct sigaction action = {};
  action.sa_handler = note;
  for (int number : kSignals) {
    sigaddset(&blocked, number);
    ::sigaction(number, &action, nullptr);
  }
  ::sigprocmask(SIG_BLOCK, &blocked, nullptr);
}

Woken wait_readable(const std::vector<int>& descriptors,
                    std::optional<std::chrono::milliseconds> within) {
  std::vector<pollfd> polled;
  for (int descriptor : descriptors) polled.push_back({descriptor, POLLIN, 0});
  sigset_t while_waiting;
  ::sigprocmask(SIG_SETMASK, nullptr, &while_waiting);
  for (int number : kSignals) sigdelset(&while_waiting, number);
  timespec time{};
  if (within) {
    const auto left = std::max<std::chrono::milliseconds::rep>(0, within->count());
    time = {static_cast<time_t>(left / 1000), static_cast<long>(left % 1000 * 1'000'000)};
  }
  for (;;) {
    const int ready =
        ::ppoll(polled.data(), polled.size(), within ? &time : nullptr, &while_waiting);
    if (g_interrupted != 0) return Woken::interrupted;
    if (g_resized != 0) {
      g_resized = 0;
      return Woken::resized;
    }
    if (ready > 0) return Woken::readable;
    if (ready == 0) return Woken::timed_out;
    if (errno != EINTR) return Woken::readable;  // a read tells what is wrong
  }
}

}  // namespace cli
