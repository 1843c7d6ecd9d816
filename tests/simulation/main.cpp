// simulate --seeds FROM COUNT: that many runs from that seed on. simulate --seed N: one, told step
// by step.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/simulation/pattern.h"
#include "tests/simulation/run.h"
#include "tests/simulation/stand_ins.h"

namespace {

volatile uint64_t running_seed = 0;

// A CHECK or a fault in the middle of a run: which seed it was.
void on_crash(int number) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "seed %llu: signal %d\n",
                                 static_cast<unsigned long long>(running_seed), number);
  if (write(STDERR_FILENO, text, static_cast<size_t>(size)) < 0) std::_Exit(2);
  std::signal(number, SIG_DFL);
  std::raise(number);
}

int usage() {
  std::fprintf(stderr, "usage: simulate --seeds FROM COUNT | --seed N [quiet]\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace simulation;
  uint64_t from = 1;
  uint64_t count = 1'000;
  bool traced = false;
  if (argc == 4 && std::strcmp(argv[1], "--seeds") == 0) {
    from = std::strtoull(argv[2], nullptr, 10);
    count = std::strtoull(argv[3], nullptr, 10);
  } else if (argc >= 3 && std::strcmp(argv[1], "--seed") == 0) {
    from = std::strtoull(argv[2], nullptr, 10);
    count = 1;
    traced = argc == 3;
  } else if (argc != 1) {
    return usage();
  }
  std::signal(SIGABRT, on_crash);
  std::signal(SIGSEGV, on_crash);

  const auto begun = std::chrono::steady_clock::now();
  RunTotals totals;
  for (uint64_t seed = from; seed < from + count; ++seed) {
    running_seed = seed;
    run_seed(seed, traced, totals);
  }
  if (stand_ins_asked() == 0) {
    std::fprintf(stderr, "chance came from outside: runs would not repeat\n");
    return 1;
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf(
      "%llu runs, %.0f simulated seconds, %llu turns; %llu requests: %llu answered by backends, "
      "%llu by the proxy, %llu broken off; %llu websockets, %llu tables; %.1f s\n",
      static_cast<unsigned long long>(totals.runs), totals.seconds,
      static_cast<unsigned long long>(totals.turns),
      static_cast<unsigned long long>(totals.requests),
      static_cast<unsigned long long>(totals.whole), static_cast<unsigned long long>(totals.own),
      static_cast<unsigned long long>(totals.broken),
      static_cast<unsigned long long>(totals.tunnels),
      static_cast<unsigned long long>(totals.tables), took.count());
  return 0;
}
