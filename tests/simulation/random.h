// The one source of chance of a run: everything follows from the seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 0x632BE59BD9B4E019u) {}

  uint64_t next() {  // SplitMix64
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t count) { return count == 0 ? 0 : next() % count; }
  int64_t between(int64_t low, int64_t high) {  // both included
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  size_t size_between(size_t low, size_t high) {
    return low + static_cast<size_t>(below(high - low + 1));
  }
  bool percent(int chance) { return static_cast<int>(below(100)) < chance; }
  // Small numbers often, large ones seldom.
  size_t skewed(size_t high) { return below(below(below(high + 1) + 1) + 1); }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& all) {
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace simulation
