// Waiting for bytes without missing a signal: SIGINT, SIGTERM and SIGWINCH are blocked and arrive
// only inside wait_readable, so that none falls between a look at a flag and a sleep.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

namespace cli {

enum class Woken : unsigned char { readable, timed_out, interrupted, resized };

// Blocks the signals and installs what notes them. Once, before the first wait.
void catch_interrupts();
// Until one of `descriptors` can be read or has ended. No `within`: as long as it takes.
Woken wait_readable(const std::vector<int>& descriptors,
                    std::optional<std::chrono::milliseconds> within = std::nullopt);

}  // namespace cli
