// Bodies that say whose they are and where: any byte follows from an id and its offset.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace simulation {

// What a body is the body of.
enum class Salt : uint8_t { request = 1, answer = 2, to_backend = 3, to_client = 4 };

void append_pattern(uint32_t id, Salt salt, uint64_t offset, size_t size, std::string& out);
// The offset in `bytes` of the first wrong one; npos: all are right.
size_t find_wrong(uint32_t id, Salt salt, uint64_t offset, std::string_view bytes);

}  // namespace simulation
