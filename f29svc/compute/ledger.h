// What documents put into boxes, with provenance. Amounts add up here and nowhere else.
#pragma once

#include <array>
#include <string_view>

#include "f29svc/compute/rules.h"
#include "f29svc/domain/return.h"

namespace f29 {

class Ledger {
 public:
  static constexpr size_t kCodes = 1024;

  Ledger(const Mapping& mapping, bool keep_provenance);

  // The document that the next `put`s belong to.
  void begin(const Document& document);
  void put(Rule rule, Pesos amount, int64_t count);
  // By another table; `name` is known to `rule_named`.
  void put_box(uint16_t rule, Target target, Pesos amount);
  uint16_t rule_named(std::string_view name);  // index for provenance; known after the first call
  bool has_put() const { return has_put_; }    // since `begin`

  Pesos amount_of(int box) const { return sums_[static_cast<size_t>(box)].total(); }
  bool overflowed() const { return overflowed_; }
  Boxes boxes() const;
  Provenance& provenance() { return provenance_; }
  const Provenance& provenance() const { return provenance_; }

 private:
  void enter(uint16_t rule, uint16_t amount_box, uint16_t count_box, Pesos amount, int64_t count);

  const Mapping& mapping_;
  bool keep_provenance_;
  bool has_put_ = false;
  bool is_noted_ = false;  // the current document is in the provenance
  bool overflowed_ = false;
  const Document* document_ = nullptr;
  std::array<Sum, kCodes> sums_{};
  Provenance provenance_;
};

}  // namespace f29
