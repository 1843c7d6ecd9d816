// How many distinct sessions there are, and which few of them: what the judge's counts are made of.
// One writer each; copies are merged elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace routing {

// HyperLogLog of 2^12 registers (Flajolet et al. 2007): the number of distinct ids, to within
// 1.6 % (standard error), and nearly exact below a thousand. Needs: ids that look random.
class DistinctCount {
 public:
  void add(uint64_t id);
  void merge(const DistinctCount& other);
  double estimate() const;
  void clear() { registers_ = {}; }

 private:
  static constexpr int kBits = 12;
  static constexpr size_t kRegisters = size_t{1} << kBits;
  std::array<uint8_t, kRegisters> registers_{};
};

// Ids, exact, up to kMost; then it is full and says so. Memory is taken as it grows.
class SessionSet {
 public:
  static constexpr size_t kMost = 16'384;
  enum class Added : uint8_t { yes, known, full };

  Added add(uint64_t id);  // Needs: id != 0.
  bool contains(uint64_t id) const;
  size_t size() const { return size_; }
  void clear();
  template <typename Take>
  void each(Take&& take) const {
    for (const uint64_t id : slots_) {
      if (id != 0) take(id);
    }
  }

 private:
  size_t slot_of(uint64_t id) const;
  void grow();

  std::vector<uint64_t> slots_;  // a power of two, at most half full; 0: free
  size_t size_ = 0;
};

}  // namespace routing
