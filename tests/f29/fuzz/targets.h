// The tax service's fuzz targets. Each aborts when a promise is broken; f29_fuzz_replay runs them
// on corpus/NAME in ordinary builds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

int rcv_one(const uint8_t* data, size_t size);
int json_one(const uint8_t* data, size_t size);
int formula_one(const uint8_t* data, size_t size);

struct FuzzTarget {
  const char* name;
  int (*one)(const uint8_t* data, size_t size);
};

inline constexpr FuzzTarget kFuzzTargets[] = {
    {"rcv", rcv_one},
    {"json", json_one},
    {"formula", formula_one},
};

[[noreturn]] inline void fuzz_fault(const char* what) {
  std::fprintf(stderr, "broken promise: %s\n", what);
  __builtin_trap();
}
