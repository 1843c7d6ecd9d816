// `shifter agent --config FILE`: the words behind `agent`, to the exit code.
#pragma once

#include <string>
#include <vector>

namespace agent {

// 0 asked to end · 1 could not start · 2 usage or a faulty config (all faults are printed).
// --check reads the config and ends.
int run(const std::vector<std::string>& words);

}  // namespace agent
