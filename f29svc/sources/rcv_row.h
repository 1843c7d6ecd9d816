// One register row with its amounts as the columns have them, and how they become a Document.
#pragma once

#include <cstdint>
#include <vector>

#include "f29svc/domain/document.h"

namespace f29 {

struct OtherTax {
  uint16_t code = 0;
  bool has_rate = false;
  int64_t amount = 0;
  Decimal rate;
};

struct RcvRow {
  static constexpr size_t kTaxesMost = 64;

  Document document;  // identity, dates, net, exempt, total, references
  bool is_used = false;
  bool is_note_negative = false;
  bool is_common_class = false;  // "IVA Uso Común"
  int64_t vat = 0;
  int64_t non_recoverable = 0;
  int64_t net_fixed_asset = 0;
  int64_t vat_fixed_asset = 0;
  int64_t vat_common_use = 0;
  int64_t not_withheld = 0;
  int64_t withheld_total = 0;
  int64_t withheld_part = 0;
  int64_t out_of_window = 0;
  int64_t without_credit = 0;
  int64_t tobacco = 0;
  int64_t deposit = 0;
  int64_t not_billable = 0;
  int64_t free_zone_tax = 0;
  int64_t construction_credit = 0;
  int64_t tickets = 0;
  std::vector<OtherTax> others;

  void clear();
  // A document in which the buyer withholds VAT: 46, 45 and notes over them.
  bool is_by_buyer() const {
    return document.type == 46 || document.type == 45 || document.note_over_46;
  }
  int64_t withheld() const;  // VAT kept by the buyer, 0: none said
};

// Codes by which a buyer withholds VAT: 15, 16 and change of subject by product.
bool is_withholding_code(int code);
// Fills the document's parts. True: Tipo Compra and the columns contradict each other.
bool build_parts(RcvRow& row);
// Monto Total less what the parts add up to; 0 when some usual reading fits.
int64_t total_difference(const RcvRow& row);

}  // namespace f29
