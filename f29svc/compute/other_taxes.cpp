#include "f29svc/compute/work.h"

namespace f29 {
namespace {

const OtherTaxRule* rule_of(int code) {
  for (const OtherTaxRule& row : other_tax_rules()) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

}  // namespace

void Computation::Work::add_other_taxes(const Document& document) {
  bool is_credit = is_credit_note(document.type);
  bool is_debit = is_debit_note(document.type);
  for (const Part& part : document.parts) {
    if (part.kind == PartKind::boxed) {
      ledger.put_box(boxed_rule, {part.box, 1}, part.amount);
      continue;
    }
    if (part.kind != PartKind::other_tax) continue;
    const OtherTaxRule* row = rule_of(part.code);
    if (row != nullptr) {
      uint16_t rule = other_rules[part.code];
      if (document.side == Side::sale) {
        bool is_voucher = is_credit && row->sale_credit_note.box == 546 && over_vouchers(document);
        Target target = is_voucher  ? Target{710, 1}
                        : is_credit ? row->sale_credit_note
                        : is_debit  ? row->sale_debit_note
                                    : row->sale_invoice;
        ledger.put_box(rule, target, part.amount);
      } else {
        if (!is_credit && !is_debit) ledger.put_box(rule, {row->purchase_info, 1}, part.amount);
        Target target = is_credit  ? row->purchase_credit_note
                        : is_debit ? row->purchase_debit_note
                                   : row->purchase_invoice;
        ledger.put_box(rule, target, part.amount);
      }
      continue;
    }
    add_special_tax(document, part);
  }
}

// Taxes whose amount alone does not make a box.
void Computation::Work::add_special_tax(const Document& document, const Part& part) {
  bool is_purchase = document.side == Side::purchase;
  if (part.code == 14 && !is_purchase) {
    // With VAT of its own the document is the agent's; without, the VAT was withheld before.
    if (document.vat() != Pesos{}) {
      Pesos amount = is_credit_note(document.type) ? -part.amount : part.amount;
      ledger.put(Rule::sale_margin_agent, amount, 0);
    } else {
      ledger.put(Rule::sale_margin_withheld, document.net, document.count);
    }
    return;
  }
  if (part.amount == Pesos{}) return;
  if ((part.code == 28 || part.code == 29) && is_purchase) {
    std::string boxes = part.code == 28 ? "730, 742, 743 and 127" : "729, 744, 745 and 544";
    say("diesel_needs_volume", Severity::warning, document,
        "other tax " + std::to_string(part.code) + " (diesel) of " + grouped(part.amount) +
            ": m³ and components are not in the register",
        "enter boxes " + boxes + " from the invoice");
    return;
  }
  if (part.code == 35 || part.code == 28 || part.code == 29 ||
      (is_purchase && (part.code == 44 || part.code == 45))) {
    say("other_tax_without_credit", Severity::note, document,
        "other tax " + std::to_string(part.code) + " of " + grouped(part.amount) + " has no box",
        "nothing");
    return;
  }
  say("other_tax_unmapped", Severity::warning, document,
      "other tax " + std::to_string(part.code) + " of " + grouped(part.amount) +
          " has no box for this document",
      "enter it by hand where it belongs");
}

}  // namespace f29
