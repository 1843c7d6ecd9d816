// What a fuzz target is: a function that aborts when a promise is broken. libFuzzer drives it in a
// -DFUZZ=ON build, the replay tests in every build.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

struct FuzzTarget {
  const char* corpus;  // the folder of corpora, from the repository's root
  const char* name;    // the folder in it
  int (*one)(const uint8_t* data, size_t size);
  int mutants;  // of each stored input, in a replay
};

// What a target says when a promise is broken.
[[noreturn]] inline void fuzz_fault(const char* what) {
  std::fprintf(stderr, "broken promise: %s\n", what);
  __builtin_trap();
}
