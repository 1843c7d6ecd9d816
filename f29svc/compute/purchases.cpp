#include "f29svc/compute/work.h"

namespace f29 {
namespace {

constexpr size_t index_of(Use use) { return static_cast<size_t>(use); }

Pesos part_sum(const Document& document, PartKind kind) {
  Pesos sum;
  for (const Part& part : document.parts) {
    if (part.kind == kind) sum += part.amount;
  }
  return sum;
}

Rule invoice_rule(Use use) {
  switch (use) {
    case Use::supermarket:
      return Rule::purchase_invoice_supermarket;
    case Use::real_estate:
      return Rule::purchase_invoice_real_estate;
    case Use::fixed_asset:
      return Rule::purchase_invoice_fixed_asset;
    default:
      return Rule::purchase_invoice_giro;
  }
}

constexpr Use kCreditUses[] = {Use::giro, Use::supermarket, Use::real_estate, Use::fixed_asset};

}  // namespace

// Invoices give credit in the month of issue and the two following ones; notes always.
bool Computation::Work::is_late(const Document& document) const {
  bool has_window = document.type == 33 || document.type == 30 || document.type == 914;
  return has_window && !document.issued.is_none() &&
         options.period.months_since(Period::of(document.issued)) > 2;
}

VatSplit Computation::Work::split_of(const Document& document) const {
  VatSplit split;
  // Only invoices and imports have lines of their own for what was bought.
  bool by_use = document.type == 33 || document.type == 30;
  bool by_asset = by_use || document.type == 914;
  Pesos common_total;
  for (const Part& part : document.parts) {
    if (part.kind != PartKind::vat) continue;
    if (part.use == Use::non_recoverable) {
      split.none_base += part.base;
      split.plain[index_of(Use::non_recoverable)] += part.amount;
      continue;
    }
    Use use = by_use || (by_asset && part.use == Use::fixed_asset) ? part.use : Use::giro;
    (part.common_use ? split.common : split.plain)[index_of(use)] += part.amount;
    if (part.common_use) common_total += part.amount;
    split.has_credit |= part.amount != Pesos{};
  }
  split.credit = split.plain;
  split.credit[index_of(Use::non_recoverable)] = Pesos{};
  if (common_total == Pesos{} || !factor) return split;
  // By document, half-up: the lines share the document's rounded credit.
  Pesos left = multiply_half_up(common_total, *factor).value_or(Pesos{});
  size_t last = 0;
  for (Use use : kCreditUses) {
    if (split.common[index_of(use)] != Pesos{}) last = index_of(use);
  }
  for (Use use : kCreditUses) {
    Pesos common = split.common[index_of(use)];
    if (common == Pesos{}) continue;
    Pesos credit =
        index_of(use) == last ? left : multiply_half_up(common, *factor).value_or(Pesos{});
    split.credit[index_of(use)] += credit;
    left -= credit;
  }
  return split;
}

void Computation::Work::add_purchase(const Document& document) {
  int type = document.type;
  Pesos fee = part_sum(document, PartKind::fee_withheld);
  if (fee != Pesos{} || type == 71 || type == 70) {
    add_fees(document);
    if (document.vat() == Pesos{}) return;
  }
  if (type == 34 || type == 32) {
    ledger.put(Rule::purchase_exempt, document.exempt + document.net, document.count);
    add_other_taxes(document);
    return;
  }
  VatSplit split = split_of(document);
  bool is_invoice =
      type == 33 || type == 30 || type == 43 || type == 40 || type == 46 || type == 45;
  bool is_note = type == 61 || type == 60 || type == 56 || type == 55;
  if (!is_invoice && !is_note && type != 914) {
    bool has_no_box = is_receipt(type);
    say(has_no_box ? "no_box" : "not_mapped", has_no_box ? Severity::note : Severity::warning,
        document,
        std::string(type_text(type)) + " on the purchase side has no box, total " +
            grouped(document.total),
        has_no_box ? "nothing" : "enter it by hand where it belongs, or add a rule");
    return;
  }
  for (Pesos common : split.common) common_use_vat.add(common);
  if (type == 914) {
    add_import(document, split);
  } else if (is_invoice) {
    add_purchase_invoice(document, split);
  } else {
    add_purchase_note(document, split);
  }
  add_other_taxes(document);
}

void Computation::Work::add_purchase_invoice(const Document& document, const VatSplit& split) {
  if (document.exempt != Pesos{}) ledger.put(Rule::purchase_exempt_part, document.exempt, 0);
  if (split.has_credit && is_late(document)) {
    ledger.put(Rule::purchase_no_credit, document.net, document.count);
    say("late_no_credit", Severity::warning, document,
        "issued on " + document.issued.text() + ", more than two months before the period: IVA " +
            grouped(document.vat()) + " gives no credit",
        "nothing; the net amount is in box 521");
    return;
  }
  bool is_counted = false;
  for (Use use : kCreditUses) {
    size_t at = index_of(use);
    if (split.plain[at] == Pesos{} && split.common[at] == Pesos{}) continue;
    ledger.put(invoice_rule(use), split.credit[at], document.count);
    is_counted = true;
    if (!is_electronic(document.type)) paper_credit.add(split.credit[at]);
  }
  bool has_none = split.plain[index_of(Use::non_recoverable)] != Pesos{};
  if (has_none || (!is_counted && document.use == Use::non_recoverable)) {
    ledger.put(Rule::purchase_no_credit, has_none ? split.none_base : document.net, document.count);
    is_counted = true;
  }
  if (!is_counted) {
    bool by_use = document.type == 33 || document.type == 30;
    ledger.put(invoice_rule(by_use ? document.use : Use::giro), Pesos{}, document.count);
  }
  if (document.type == 46 || document.type == 45) add_withheld(document);
}

void Computation::Work::add_withheld(const Document& document) {
  Pesos vat = document.vat();
  Pesos withheld = part_sum(document, PartKind::withheld_vat);
  if (withheld != Pesos{}) {
    ledger.put(withheld >= vat ? Rule::withheld_total : Rule::withheld_part, withheld, 0);
    return;
  }
  bool is_given = inputs.boxes.contains(39) || inputs.boxes.contains(554);
  bool is_unknown = vat != Pesos{} || document.net != Pesos{};
  if (is_given || !is_unknown) return;
  say("withheld_vat_missing", Severity::error, document,
      "withheld VAT missing: IVA " + grouped(vat) + " in box 520 but nothing in 39 or 554",
      "complete the withheld VAT of the document, or give box 39 or 554");
}

void Computation::Work::add_purchase_note(const Document& document, const VatSplit& split) {
  bool is_credit = is_credit_note(document.type);
  if (document.exempt != Pesos{}) {
    ledger.put(is_credit ? Rule::purchase_exempt_credit_note : Rule::purchase_exempt_part,
               document.exempt, 0);
  }
  if (document.exempt != Pesos{} && document.net == Pesos{} && !split.has_credit) return;
  bool has_none = split.plain[index_of(Use::non_recoverable)] != Pesos{};
  bool is_only_none = (has_none || document.use == Use::non_recoverable) && !split.has_credit;
  if (has_none || is_only_none) {
    ledger.put(
        is_credit ? Rule::purchase_no_credit_credit_note : Rule::purchase_no_credit_debit_note,
        has_none ? split.none_base : document.net, 0);
  }
  if (is_only_none) return;
  Pesos credit;
  for (Use use : kCreditUses) credit += split.credit[index_of(use)];
  ledger.put(is_credit ? Rule::purchase_credit_note : Rule::purchase_debit_note, credit,
             document.count);
  if (!is_electronic(document.type)) paper_credit.add(is_credit ? -credit : credit);
  Pesos vat = document.vat();
  Pesos withheld = part_sum(document, PartKind::withheld_vat);
  // The books show a note over a 46 by its withholding only.
  if (!document.note_over_46 && withheld == Pesos{}) return;
  if (withheld == Pesos{}) withheld = vat;
  if (is_credit) {
    ledger.put(Rule::withheld_by_credit_note, withheld, 0);
  } else {
    ledger.put(withheld >= vat ? Rule::withheld_total : Rule::withheld_part, withheld, 0);
  }
}

void Computation::Work::add_import(const Document& document, const VatSplit& split) {
  if (document.exempt != Pesos{}) {
    say("not_mapped", Severity::note, document,
        "the exempt part of an import declaration has no box", "nothing");
  }
  if (split.has_credit && is_late(document)) {
    ledger.put(Rule::import_no_credit, document.net, document.count);
    say("late_no_credit", Severity::warning, document,
        "import of " + document.issued.text() + ", more than two months before the period: IVA " +
            grouped(document.vat()) + " gives no credit",
        "nothing; the net amount is in box 560");
    return;
  }
  bool is_counted = false;
  for (Use use : {Use::giro, Use::fixed_asset}) {
    size_t at = index_of(use);
    if (split.plain[at] == Pesos{} && split.common[at] == Pesos{}) continue;
    ledger.put(use == Use::giro ? Rule::import_giro : Rule::import_fixed_asset, split.credit[at],
               document.count);
    is_counted = true;
  }
  bool has_none = split.plain[index_of(Use::non_recoverable)] != Pesos{};
  if (has_none || (!is_counted && document.use == Use::non_recoverable)) {
    ledger.put(Rule::import_no_credit, has_none ? split.none_base : document.net, document.count);
  } else if (!is_counted) {
    bool is_asset = document.use == Use::fixed_asset;
    ledger.put(is_asset ? Rule::import_fixed_asset : Rule::import_giro, Pesos{}, document.count);
  }
}

void Computation::Work::add_fees(const Document& document) {
  Pesos fee = part_sum(document, PartKind::fee_withheld);
  if (document.type != 71 && document.type != 70) {
    say("honorarios_with_wrong_document", Severity::warning, document,
        "a fee with withholding under document type " + std::to_string(document.type),
        "correct the document type (71) in the books");
  }
  if (document.paid.is_none()) {
    say("fee_unpaid", Severity::warning, document,
        "fee not paid yet: withholding " + grouped(fee) + " is not in box 151",
        "nothing; it counts in the month of payment");
    return;
  }
  if (!options.period.contains(document.paid)) {
    say("fee_paid_elsewhere", Severity::warning, document,
        "fee paid on " + document.paid.text() + ": withholding " + grouped(fee) +
            " belongs to that month's return",
        "check that month's box 151");
    return;
  }
  ledger.put(Rule::fees, fee, 0);
  const Decimal* right = fee_rate(document.paid.year);
  for (const Part& part : document.parts) {
    if (part.kind != PartKind::fee_withheld || right == nullptr) continue;
    if (part.has_rate && part.rate == *right) continue;
    auto expected = percent_half_up(part.base, *right);
    if (!part.has_rate && (part.base == Pesos{} || (expected && *expected == part.amount))) {
      continue;
    }
    say("fee_rate", Severity::warning, document,
        "withheld at another rate than the " + right->text() + " % of " +
            std::to_string(document.paid.year),
        "correct the withholding: the rate of the payment date holds");
  }
}

}  // namespace f29
