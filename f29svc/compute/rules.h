// The tables of mapping as data: documents → boxes, other taxes → boxes, taxes of the books → what
// they are. The order of Rule is the order of the table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "f29svc/compute/mapping.h"

namespace f29 {

enum class Rule : uint8_t {
  sale_invoice_giro,
  sale_invoice_real_estate,
  sale_invoice_fixed_asset,
  sale_exempt_part,
  sale_exempt_giro,
  sale_exempt_other,
  sale_export_invoice,
  sale_export_debit_note,
  sale_export_credit_note,
  sale_receipt,
  sale_voucher,
  sale_debit_note,
  sale_debit_note_fixed_asset,
  sale_credit_note,
  sale_credit_note_voucher,
  sale_credit_note_fixed_asset,
  sale_exempt_credit_note,
  sale_liquidation,
  sale_liquidation_line_7,
  sale_liquidation_commission,
  sale_withheld_total,
  sale_withheld_part,
  sale_withheld_part_net,
  sale_withheld_total_debit_note,
  sale_withheld_total_credit_note,
  sale_margin_withheld,
  sale_margin_agent,
  purchase_invoice_giro,
  purchase_invoice_supermarket,
  purchase_invoice_real_estate,
  purchase_invoice_fixed_asset,
  purchase_no_credit,
  purchase_no_credit_debit_note,
  purchase_no_credit_credit_note,
  purchase_exempt,
  purchase_exempt_part,
  purchase_exempt_credit_note,
  purchase_credit_note,
  purchase_debit_note,
  import_giro,
  import_fixed_asset,
  import_no_credit,
  withheld_total,
  withheld_part,
  withheld_by_credit_note,
  fees,
};
inline constexpr size_t kRules = static_cast<size_t>(Rule::fees) + 1;
std::span<const BoxRule> default_rules();

// A box and how the amount enters it; box 0: nowhere.
struct Target {
  uint16_t box = 0;
  int8_t sign = 1;
};
// One "otro impuesto" of the register.
struct OtherTaxRule {
  uint16_t code;
  std::string_view name;  // for provenance: "other_tax_24"
  Target sale_invoice, sale_credit_note, sale_debit_note;
  uint16_t purchase_info;  // what invoices were charged, creditable or not
  Target purchase_invoice, purchase_credit_note, purchase_debit_note;
};
std::span<const OtherTaxRule> other_tax_rules();

struct NamedMeaning {
  std::string_view name;
  TaxMeaning meaning;
};
std::span<const NamedMeaning> meanings_by_xmlid();
std::span<const NamedMeaning> meanings_by_tag();   // tags in plain lower-case words
std::span<const NamedMeaning> meanings_by_word();  // what a user's table may say

// The year's rate of second-category withholding; null: before 2020 or not yet law.
const Decimal* fee_rate(int year);

}  // namespace f29
