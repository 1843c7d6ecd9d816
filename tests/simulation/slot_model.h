// The line for slots against a model that is slow and plain: what one operation may change, who
// goes first, who is passed over, and that nobody waits beside a slot that is free for him.
#pragma once

#include <cstdint>

namespace simulation {

// Some hundred operations; ends the process when they differ.
void check_slots(uint64_t seed);

}  // namespace simulation
