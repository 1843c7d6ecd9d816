// `shifter watch`: a view that is redrawn on a terminal, one line an event into a pipe.
#pragma once

#include "shifter/cli/arguments.h"
#include "shifter/cli/console.h"

namespace cli {

// Until interrupted (130) or until the daemon goes (4).
int watch(const Arguments& arguments, const Console& console);

// The bytes that draw lines from the top of a terminal; `colors`: with their tones.
std::string drawn(const std::vector<ScreenLine>& lines, bool colors);

}  // namespace cli
