#include "proxy/routing/distinct.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace routing {
namespace {

constexpr size_t kFirstSlots = 64;

// The finaliser of MurmurHash3: ids are random already, this only costs a few cycles.
uint64_t scramble(uint64_t value) {
  value = (value ^ (value >> 33)) * 0xFF51AFD7ED558CCDu;
  value = (value ^ (value >> 33)) * 0xC4CEB9FE1A85EC53u;
  return value ^ (value >> 33);
}

}  // namespace

void DistinctCount::add(uint64_t id) {
  const uint64_t hash = scramble(id);
  const uint64_t rest = hash << kBits | (uint64_t{1} << (kBits - 1));  // never zero
  const auto rank = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  uint8_t& cell = registers_[hash >> (64 - kBits)];
  if (rank > cell) cell = rank;
}

void DistinctCount::merge(const DistinctCount& other) {
  for (size_t i = 0; i < kRegisters; ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

double DistinctCount::estimate() const {
  constexpr auto count = static_cast<double>(kRegisters);
  constexpr double alpha = 0.7213 / (1 + 1.079 / count);
  double sum = 0;
  double empty = 0;
  for (const uint8_t cell : registers_) {
    sum += std::ldexp(1.0, -static_cast<int>(cell));
    if (cell == 0) empty += 1;
  }
  const double raw = alpha * count * count / sum;
  // Few: counted by the registers that are still empty.
  return raw <= 2.5 * count && empty > 0 ? count * std::log(count / empty) : raw;
}

size_t SessionSet::slot_of(uint64_t id) const {
  size_t slot = scramble(id) & (slots_.size() - 1);
  while (slots_[slot] != 0 && slots_[slot] != id) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

bool SessionSet::contains(uint64_t id) const {
  return !slots_.empty() && slots_[slot_of(id)] == id;
}

SessionSet::Added SessionSet::add(uint64_t id) {
  if (slots_.empty()) slots_.resize(kFirstSlots);
  size_t slot = slot_of(id);
  if (slots_[slot] == id) return Added::known;
  if (size_ >= kMost) return Added::full;
  if ((size_ + 1) * 2 > slots_.size()) {
    grow();
    slot = slot_of(id);
  }
  slots_[slot] = id;
  ++size_;
  return Added::yes;
}

void SessionSet::grow() {
  std::vector<uint64_t> before(slots_.size() * 2);
  before.swap(slots_);
  for (const uint64_t id : before) {
    if (id != 0) slots_[slot_of(id)] = id;
  }
}

void SessionSet::clear() {
  slots_.clear();
  size_ = 0;
}

}  // namespace routing
