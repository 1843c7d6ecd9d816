// The `shifter` command: words to a line for the daemon, its answer to text and an exit code.
#pragma once

#include <string>
#include <vector>

#include "shifter/cli/console.h"

namespace cli {

int run(const std::vector<std::string>& words, const Console& console);

}  // namespace cli
