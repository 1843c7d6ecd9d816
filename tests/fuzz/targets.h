// The fuzz targets. To add one: a file NAME.cpp with `int NAME_one(const uint8_t*, size_t)` that
// aborts when a promise is broken, a line in this table, the name in CMakeLists.txt, and a folder
// corpus/NAME with a few inputs. fuzz_replay runs all of them in ordinary builds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>

int request_head_one(const uint8_t* data, size_t size);
int response_head_one(const uint8_t* data, size_t size);
int body_reader_one(const uint8_t* data, size_t size);
int connection_list_one(const uint8_t* data, size_t size);
int proxy_protocol_one(const uint8_t* data, size_t size);

struct FuzzTarget {
  const char* name;
  int (*one)(const uint8_t* data, size_t size);
};

inline constexpr FuzzTarget kFuzzTargets[] = {
    {"request_head", request_head_one},     {"response_head", response_head_one},
    {"body_reader", body_reader_one},       {"connection_list", connection_list_one},
    {"proxy_protocol", proxy_protocol_one},
};

// What a target says when a promise is broken.
[[noreturn]] inline void fuzz_fault(const char* what) {
  std::fprintf(stderr, "broken promise: %s\n", what);
  __builtin_trap();
}
