#include "proxy/routing/pick.h"

namespace routing {

int draw_weighted(std::span<const int> weights, uint32_t draw) {
  uint64_t total = 0;
  for (int weight : weights) total += weight > 0 ? static_cast<uint64_t>(weight) : 0;
  if (total == 0) return -1;
  // 0 ≤ at < total: the draw's place on the cumulative weights. No overflow: total < 2^32 as
  // weights are at most a million, their shares 100, and both few.
  const uint64_t at = (uint64_t{draw} * total) >> 32;
  uint64_t edge = 0;
  int last = -1;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    last = static_cast<int>(i);
    edge += static_cast<uint64_t>(weights[i]);
    if (at < edge) break;
  }
  return last;
}

}  // namespace routing
