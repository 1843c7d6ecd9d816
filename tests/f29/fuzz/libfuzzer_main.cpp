// Joins one target (FUZZ_ONE) to libFuzzer.
#include "tests/f29/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return FUZZ_ONE(data, size);
}
