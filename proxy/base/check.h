// CHECK ends the process when one of our own invariants is broken, in release builds too. Never
// for what a peer, a file or the network can cause.
#pragma once

namespace base {
[[noreturn]] void check_failed(const char* file, int line, const char* condition);
}

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (__builtin_expect(!(condition), 0)) {                                  \
      ::base::check_failed(__FILE__, __LINE__, #condition);                   \
    }                                                                         \
  } while (false)
