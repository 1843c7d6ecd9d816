#include "f29svc/compute/ledger.h"

#include <algorithm>

namespace f29 {

Ledger::Ledger(const Mapping& mapping, bool keep_provenance)
    : mapping_(mapping), keep_provenance_(keep_provenance) {
  for (size_t i = 0; i < mapping.rules(); ++i) {
    provenance_.rules.emplace_back(mapping.rule(i).name);
  }
}

void Ledger::begin(const Document& document) {
  document_ = &document;
  has_put_ = false;
  is_noted_ = false;
}

void Ledger::put(Rule rule, Pesos amount, int64_t count) {
  auto index = static_cast<uint16_t>(rule);
  const BoxRule& row = mapping_.rule(index);
  Pesos signed_amount = row.sign < 0 ? -amount : amount;
  enter(index, row.amount_box, count == 0 ? uint16_t{0} : row.count_box, signed_amount, count);
}

void Ledger::put_box(uint16_t rule, Target target, Pesos amount) {
  if (target.box == 0) return;
  enter(rule, target.box, 0, target.sign < 0 ? -amount : amount, 0);
}

uint16_t Ledger::rule_named(std::string_view name) {
  auto& rules = provenance_.rules;
  auto found = std::find(rules.begin(), rules.end(), name);
  if (found == rules.end()) found = rules.insert(rules.end(), std::string(name));
  return static_cast<uint16_t>(found - rules.begin());
}

void Ledger::enter(uint16_t rule, uint16_t amount_box, uint16_t count_box, Pesos amount,
                   int64_t count) {
  has_put_ = true;
  if (amount_box != 0) {
    sums_[amount_box].add(amount);
    overflowed_ |= sums_[amount_box].overflowed();
  }
  if (count_box != 0) {
    sums_[count_box].add(Pesos{count});
    overflowed_ |= sums_[count_box].overflowed();
  }
  if (!keep_provenance_) return;
  if (!is_noted_) {
    is_noted_ = true;
    provenance_.docs.push(
        {key_of(*document_), document_->line, document_->file, document_->section});
  }
  Provenance::Entry entry;
  entry.doc = static_cast<uint32_t>(provenance_.docs.size() - 1);
  entry.amount = amount.value();
  entry.count = static_cast<int32_t>(count);
  entry.amount_box = amount_box;
  entry.count_box = count_box;
  entry.rule = rule;
  provenance_.entries.push(entry);
}

Boxes Ledger::boxes() const {
  Boxes boxes;
  for (size_t code = 0; code < kCodes; ++code) {
    Pesos total = sums_[code].total();
    if (total != Pesos{}) boxes[static_cast<int>(code)] = BoxValue::of(total);
  }
  return boxes;
}

}  // namespace f29
