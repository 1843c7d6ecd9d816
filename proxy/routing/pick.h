// Weighted draws. A 32-bit draw is scaled onto the cumulative weights in a fixed order: raising a
// share moves one boundary and only moves users towards the color that grew.
#pragma once

#include <cstdint>
#include <span>

namespace routing {

// The index whose part of the weights holds `draw`; weights of 0 get nothing. -1: all are 0.
int draw_weighted(std::span<const int> weights, uint32_t draw);

// Draws without an identity: a golden-ratio sequence. Any split stays within a few requests of
// exact, and a new table does not start it again. One per worker, begun at different places.
class Sequence {
 public:
  explicit Sequence(uint32_t start) : at_(start) {}
  uint32_t next() { return at_ += 0x9E3779B9u; }

 private:
  uint32_t at_;
};

// A 64-bit hash as a draw.
inline uint32_t draw_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace routing
