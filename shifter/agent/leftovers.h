// What a crash of the agent left running of an action: found by a mark in the environment of its
// processes, which their children inherit.
#pragma once

#include <cstddef>
#include <string>

namespace agent {

// Ends the groups of the processes that have `mark` ("NAME=VALUE") in their environment: TERM, and
// KILL for what is there kKillAfter later; waits for that. The number of processes that were found.
size_t end_leftovers(const std::string& mark);

}  // namespace agent
