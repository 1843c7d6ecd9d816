// Open addressing over a power of two; grows at three quarters. Slots are 32 bytes.
#include <utility>

#include "f29svc/sources/rcv.h"

namespace f29 {

struct DocumentIndex::Slot {
  int64_t folio = 0;
  uint32_t issuer = 0;
  uint16_t type = 0;
  Side side = Side::sale;
  bool used = false;
  uint32_t file = 0;
  uint32_t line = 0;
  uint32_t print = 0;
  Section section = Section::registered;

  bool holds(const DocumentKey& key) const {
    return folio == key.folio && issuer == key.issuer && type == key.type && side == key.side;
  }
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
    : slots_(std::make_unique<Slot[]>(kFirstSize)), mask_(kFirstSize - 1) {}
DocumentIndex::~DocumentIndex() = default;

void DocumentIndex::prefetch(const DocumentKey& key) const {
  __builtin_prefetch(&slots_[hash_of(key) & mask_], 1);
}

const DocumentIndex::Slot* DocumentIndex::look(const DocumentKey& key) const {
  size_t at = hash_of(key) & mask_;
  while (slots_[at].used && !slots_[at].holds(key)) at = (at + 1) & mask_;
  return &slots_[at];
}

std::optional<DocumentIndex::Seen> DocumentIndex::find(const DocumentKey& key) const {
  const Slot* slot = look(key);
  if (!slot->used) return std::nullopt;
  return Seen{slot->file, slot->line, slot->print, slot->section};
}

std::optional<DocumentIndex::Seen> DocumentIndex::insert(const DocumentKey& key, const Seen& seen) {
  if ((size_ + 1) * 4 > (mask_ + 1) * 3) grow();
  Slot* slot = const_cast<Slot*>(look(key));
  if (slot->used) return Seen{slot->file, slot->line, slot->print, slot->section};
  *slot = {key.folio, key.issuer, key.type,   key.side,    true,
           seen.file, seen.line,  seen.print, seen.section};
  ++size_;
  return std::nullopt;
}

void DocumentIndex::replace(const DocumentKey& key, const Seen& seen) {
  Slot* slot = const_cast<Slot*>(look(key));
  slot->file = seen.file;
  slot->line = seen.line;
  slot->print = seen.print;
  slot->section = seen.section;
}

void DocumentIndex::grow() {
  size_t old_size = mask_ + 1;
  auto old = std::move(slots_);
  slots_ = std::make_unique<Slot[]>(old_size * 2);
  mask_ = old_size * 2 - 1;
  for (size_t i = 0; i < old_size; ++i) {
    if (!old[i].used) continue;
    DocumentKey key{old[i].issuer, old[i].type, old[i].side, old[i].folio};
    *const_cast<Slot*>(look(key)) = old[i];
  }
}

size_t DocumentIndex::size() const { return size_; }

}  // namespace f29
