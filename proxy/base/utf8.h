// UTF-8, well-formed by RFC 3629.
#pragma once

#include <cstddef>
#include <string_view>

namespace base {

// The length of the character at `at`; 0 when the bytes there are none.
size_t utf8_length(std::string_view text, size_t at);

}  // namespace base
