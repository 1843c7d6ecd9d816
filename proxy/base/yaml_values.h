// The small grammars of configuration values: durations, sizes, words that were mistyped.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace base {

std::optional<int64_t> parse_integer(std::string_view text);  // an optional minus and digits
std::optional<int64_t> parse_size(std::string_view text);     // "64KiB", "4GiB", bytes
std::optional<bool> parse_switch(std::string_view text);      // on/off, true/false, yes/no

}  // namespace base
