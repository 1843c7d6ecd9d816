#include "f29svc/domain/big_array.h"

#include <sys/mman.h>

#include <cstdlib>

#include "proxy/base/check.h"

namespace f29 {
namespace {

constexpr size_t kHuge = size_t{2} << 20;

}  // namespace

void* take_zeroed(size_t bytes) {
  if (bytes < kHuge) {
    void* memory = std::calloc(1, bytes == 0 ? 1 : bytes);
    CHECK(memory != nullptr);
    return memory;
  }
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED);
  // Only a hint: without huge pages everything works, a little slower.
  (void)madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void give_back(void* memory, size_t bytes) {
  if (bytes < kHuge) {
    std::free(memory);
  } else {
    munmap(memory, bytes);
  }
}

}  // namespace f29
