// Open addressing over a power of two; grows at three quarters.
#include <utility>

#include "f29svc/domain/big_array.h"
#include "f29svc/sources/rcv.h"

namespace f29 {

// 24 bytes. `mark`: bit 15 used, 14 to 12 section, 11 side, 10 to 0 type.
struct DocumentIndex::Slot {
  int64_t folio = 0;
  uint32_t issuer = 0;
  uint32_t line = 0;
  uint32_t print = 0;
  uint16_t mark = 0;
  uint16_t file = 0;

  bool is_used() const { return (mark & 0x8000u) != 0; }
  static uint16_t mark_of(const DocumentKey& key) {
    return static_cast<uint16_t>(0x8000u | static_cast<unsigned>(key.side) << 11 | key.type);
  }
  bool holds(const DocumentKey& key) const {
    return folio == key.folio && issuer == key.issuer && (mark & 0x8FFFu) == mark_of(key);
  }
  void set(const Seen& seen) {
    line = seen.line;
    print = seen.print;
    file = seen.file;
    mark = static_cast<uint16_t>((mark & 0x8FFFu) | static_cast<unsigned>(seen.section) << 12);
  }
  Seen seen() const { return {line, print, file, static_cast<Section>(mark >> 12 & 7u)}; }
};

namespace {

constexpr size_t kFirstSize = 1024;

uint64_t hash_of(const DocumentKey& key) {
  uint64_t mixed = static_cast<uint64_t>(key.folio) * 0x9E3779B97F4A7C15ULL;
  mixed ^= (static_cast<uint64_t>(key.issuer) << 17) ^ (static_cast<uint64_t>(key.type) << 2) ^
           static_cast<uint64_t>(key.side);
  mixed ^= mixed >> 32;
  mixed *= 0xD6E8FEB86659FD93ULL;
  return mixed ^ (mixed >> 32);
}

}  // namespace

DocumentIndex::DocumentIndex()
    : slots_(std::make_unique<BigArray<Slot>>(kFirstSize)), mask_(kFirstSize - 1) {}
DocumentIndex::~DocumentIndex() = default;

void DocumentIndex::prefetch(const DocumentKey& key) const {
  __builtin_prefetch(&(*slots_)[hash_of(key) & mask_], 1);
}

const DocumentIndex::Slot* DocumentIndex::look(const DocumentKey& key) const {
  const BigArray<Slot>& slots = *slots_;
  size_t at = hash_of(key) & mask_;
  while (slots[at].is_used() && !slots[at].holds(key)) at = (at + 1) & mask_;
  return &slots[at];
}

std::optional<DocumentIndex::Seen> DocumentIndex::find(const DocumentKey& key) const {
  const Slot* slot = look(key);
  if (!slot->is_used()) return std::nullopt;
  return slot->seen();
}

std::optional<DocumentIndex::Seen> DocumentIndex::insert(const DocumentKey& key, const Seen& seen) {
  if ((size_ + 1) * 4 > (mask_ + 1) * 3) grow_to((mask_ + 1) * 2);
  Slot* slot = const_cast<Slot*>(look(key));
  if (slot->is_used()) return slot->seen();
  slot->folio = key.folio;
  slot->issuer = key.issuer;
  slot->mark = Slot::mark_of(key);
  slot->set(seen);
  ++size_;
  return std::nullopt;
}

void DocumentIndex::replace(const DocumentKey& key, const Seen& seen) {
  const_cast<Slot*>(look(key))->set(seen);
}

void DocumentIndex::reserve(size_t keys) {
  size_t wanted = mask_ + 1;
  while (keys * 4 > wanted * 3) wanted *= 2;
  if (wanted > mask_ + 1) grow_to(wanted);
}

void DocumentIndex::grow_to(size_t count) {
  auto old = std::move(slots_);
  slots_ = std::make_unique<BigArray<Slot>>(count);
  mask_ = count - 1;
  for (size_t i = 0; i < old->size() && size_ != 0; ++i) {
    const Slot& slot = (*old)[i];
    if (!slot.is_used()) continue;
    Side side = (slot.mark & 0x0800u) != 0 ? Side::purchase : Side::sale;
    DocumentKey key{slot.issuer, static_cast<uint16_t>(slot.mark & 0x07FFu), side, slot.folio};
    *const_cast<Slot*>(look(key)) = slot;
  }
}

size_t DocumentIndex::size() const { return size_; }

}  // namespace f29
