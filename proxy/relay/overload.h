// What the process leaves undone while its memory nears its limit, in steps: never the kernel's
// killer. Measured by the main thread, obeyed by all workers (Plane::set_overload).
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"

namespace relay {

enum class Overload : uint8_t {
  none,
  spools_to_disk,  // bytes that wait go to files at once
  no_accepts,      // new connections wait in the kernel's queue as well
};

// From 80 % of the limit on, and from 95 %; back below 75 % and 90 %. Pure.
Overload next_overload(Overload now, int64_t resident_bytes, int64_t limit_bytes);

// Memory of this process that is in RAM (/proc/self/statm). An error: no such file.
base::Result<int64_t> resident_bytes();
// Four fifths of what the machine has, or its control group if that is less (memory.max of version
// 2, memory.limit_in_bytes of version 1).
int64_t automatic_memory_limit();

}  // namespace relay
