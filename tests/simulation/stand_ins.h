// What the program takes from the operating system and a run must not: chance and files. The
// linker puts these in the place of proxy/base's (CMakeLists.txt: --wrap).
#pragma once

#include "proxy/base/log.h"
#include "tests/simulation/random.h"

namespace simulation {

// From here on random_bytes() follows from the seed, and there are no files.
void begin_stand_ins(uint64_t seed);
void set_disk_fails(bool on);
// How often they were asked: 0 means that the linker did not do its part.
int stand_ins_asked();

base::Log& quiet_log();  // written to nowhere

}  // namespace simulation
