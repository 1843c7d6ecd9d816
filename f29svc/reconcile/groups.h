// Documents by their key: an open-addressed table from a key to what books and register have of it.
// Private to reconcile.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "f29svc/domain/big_array.h"
#include "f29svc/reconcile/reconcile.h"

namespace f29 {

inline constexpr uint32_t kNone = UINT32_MAX;

struct Entry {
  DocumentKey key;
  Amounts amounts;
  int64_t id = 0;
  uint32_t name_at = 0;  // all names together stay under 4 GiB: a row has 4 KiB at most
  uint32_t name_size = 0;
  uint32_t counterparty = 0;
  Date accounted;  // of the books; else when a pending one is accepted
  Section section = Section::registered;
  BookState state = BookState::posted;
};

inline uint64_t mixed(uint64_t x) {
  x ^= x >> 32;
  x *= 0xd6e8feb86659fd93U;
  x ^= x >> 32;
  return x;
}
inline uint64_t hash_of(const DocumentKey& key) {
  return mixed(
      static_cast<uint64_t>(key.folio) * 0x9e3779b97f4a7c15U +
      (uint64_t{key.issuer} << 16 | uint64_t{key.type} << 1 | static_cast<uint64_t>(key.side)));
}

// What one key has on both sides: heads of two chains of entries.
struct Group {
  uint32_t book = kNone;
  uint32_t reg = kNone;  // the strongest of the register's sections
  bool has_posted = false;
};

// Open addressing, at most half full. Sized once: every document may be a key of its own.
class Groups {
 public:
  explicit Groups(size_t keys_most)
      : slots_(std::bit_ceil(std::max<size_t>(keys_most, 8) * 2)), mask_(slots_.size() - 1) {
    groups_.reserve(keys_most);
  }
  void prefetch(uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_], 1); }
  template <class Entries>
  Group& of(const DocumentKey& key, uint64_t hash, const Entries& entries) {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.group == 0) {
        groups_.emplace_back();
        slot = {static_cast<uint32_t>(hash >> 32), static_cast<uint32_t>(groups_.size())};
        return groups_.back();
      }
      if (slot.tag != static_cast<uint32_t>(hash >> 32)) continue;
      Group& group = groups_[slot.group - 1];
      if (entries[group.book != kNone ? group.book : group.reg].key == key) return group;
    }
  }
  std::vector<Group>& list() { return groups_; }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t group = 0;  // its number from 1 on; 0: free
  };
  BigArray<Slot> slots_;
  size_t mask_;
  std::vector<Group> groups_;
};

}  // namespace f29
