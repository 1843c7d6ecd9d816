// The order of a report's rows. Private to reconcile.
#pragma once

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace f29 {

struct RowRank {
  uint64_t minor = 0;  // issuer and folio
  uint32_t index = 0;  // of the row
  uint16_t major = 0;  // side, totals last, type: 12 bits
};

// By major, then minor, then as they were: a pass for each byte of the keys that differs anywhere.
inline void sort_ranks(std::vector<RowRank>& ranks) {
  std::vector<RowRank> other(ranks.size());
  const auto pass = [&](const auto& digit_of) {
    std::array<uint32_t, 4096> begin{};
    for (const RowRank& one : ranks) ++begin[digit_of(one)];
    if (begin[digit_of(ranks.front())] == ranks.size()) return;
    uint32_t at = 0;
    for (uint32_t& one : begin) at += std::exchange(one, at);
    for (const RowRank& one : ranks) other[begin[digit_of(one)]++] = one;
    ranks.swap(other);
  };
  if (ranks.empty()) return;
  for (int shift = 0; shift < 64; shift += 8) {
    pass([shift](const RowRank& one) { return one.minor >> shift & 0xff; });
  }
  pass([](const RowRank& one) { return one.major & 0xfffU; });
}

}  // namespace f29
