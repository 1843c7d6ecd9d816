// From what a source says to boxes. Two steps, both tables: a tax of the books (by xmlid, then the
// user's table, then tag) → what it is; and (side, document type, use) → count and amount box.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/domain/return.h"
#include "proxy/base/yaml.h"

namespace f29 {

// What a tax of the books is.
struct TaxMeaning {
  PartKind kind = PartKind::vat;
  Use use = Use::giro;
  bool common_use = false;
  uint16_t code = 0;  // other_tax: the SII's code
  // kind boxed: where the user wants it, by document; 0 leaves it out silently
  uint16_t invoice_box = 0;
  uint16_t credit_note_box = 0;
  uint16_t debit_note_box = 0;
};

// One row of the table of documents. Named, so that provenance and overrides can speak of it.
struct BoxRule {
  std::string_view name;  // "sale_invoice_giro"
  uint16_t count_box = 0;
  uint16_t amount_box = 0;
  int8_t sign = 1;
};

class Mapping {
 public:
  Mapping();  // the default table of the form

  // mapping:
  //   taxes:                       # by xmlid (without module and company), tax id, name or tag
  //     - { xmlid: ila_v_205_s, means: beer }
  //     - { tax: 42, invoice: 744 }
  //     - { tag: "Base X", means: none }
  //   rules:
  //     sale_invoice_giro: { count: 503, amount: 502 }
  // Boxes are checked against the form; what is wrong becomes a fault of the file.
  void read(base::Section yaml);

  // Xmlid, then the user's table, then tag. Null: unmapped.
  const TaxMeaning* meaning_of(const SourceTax& tax) const;
  // Turns unresolved parts of a document of the books into known ones. Those that stay are
  // unmapped.
  void resolve(Document& document, std::vector<UnmappedTax>& unmapped) const;

  const BoxRule& rule(size_t index) const { return rules_[index]; }
  size_t rules() const { return rules_.size(); }
  // "account.1_ITAX_19" or "1_ITAX_19" → "ITAX_19".
  static std::string_view bare_xmlid(std::string_view xmlid);

 private:
  std::vector<BoxRule> rules_;
  std::map<std::string, TaxMeaning, std::less<>> by_xmlid_;
  std::map<int64_t, TaxMeaning> by_id_;
  std::map<std::string, TaxMeaning, std::less<>> by_name_;
  std::map<std::string, TaxMeaning, std::less<>> by_tag_;
};

}  // namespace f29
