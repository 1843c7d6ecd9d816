// One event of the daemon as a line for people. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cli {

// "12:00:01 command  weights blue=9 green=1 (uid 1000, done, epoch 13)". What is no event comes
// back as it is, without control characters.
std::string event_line(std::string_view json);

}  // namespace cli
