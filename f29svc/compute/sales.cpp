#include <algorithm>

#include "f29svc/compute/work.h"

namespace f29 {
namespace {

// Ley 21.398: six months from delivery for notes issued since then, three before.
constexpr Date kSixMonthsFrom{2022, 3, 24};

Pesos withheld_of(const Document& document) {
  Pesos sum;
  for (const Part& part : document.parts) {
    if (part.kind == PartKind::withheld_vat) sum += part.amount;
  }
  return sum;
}

// What is sold without VAT has one amount, whatever column it stands in.
Pesos untaxed(const Document& document) { return document.exempt + document.net; }

}  // namespace

bool over_vouchers(const Document& document) {
  return std::any_of(document.references.begin(), document.references.end(),
                     [](const Reference& reference) { return reference.type == 48; });
}

bool Computation::Work::is_out_of_window(const Document& document) const {
  if (document.out_of_window) return true;
  if (document.delivered.is_none() || document.vat() == Pesos{}) return false;
  int months = document.issued >= kSixMonthsFrom ? 6 : 3;
  return document.issued > add_months(document.delivered, months);
}

void Computation::Work::add_sale(const Document& document) {
  Pesos vat = document.vat();
  bool is_asset = document.use == Use::fixed_asset;
  bool is_estate = document.use == Use::real_estate;
  switch (document.type) {
    case 33:
    case 30: {
      Rule rule = is_asset    ? Rule::sale_invoice_fixed_asset
                  : is_estate ? Rule::sale_invoice_real_estate
                              : Rule::sale_invoice_giro;
      ledger.put(rule, vat, document.count);
      break;
    }
    case 34:
    case 32:
    case 41:
    case 38: {
      bool is_giro = !is_asset && !is_estate;
      ledger.put(is_giro ? Rule::sale_exempt_giro : Rule::sale_exempt_other, untaxed(document),
                 document.count);
      add_other_taxes(document);
      return;
    }
    case 110:
    case 101:
      ledger.put(Rule::sale_export_invoice, untaxed(document), document.count);
      return;
    case 111:
    case 104:
      ledger.put(Rule::sale_export_debit_note, untaxed(document), 0);
      return;
    case 112:
    case 106:
      ledger.put(Rule::sale_export_credit_note, untaxed(document), 0);
      return;
    case 39:
    case 35:
      ledger.put(Rule::sale_receipt, vat, document.count);
      break;
    case 48:
      ledger.put(Rule::sale_voucher, vat, document.count);
      break;
    case 56:
    case 55:
      add_sale_note(document, false);
      return;
    case 61:
    case 60:
      add_sale_note(document, true);
      return;
    case 46:
    case 45:
      add_sale_by_buyer(document);
      break;
    case 43:
    case 40:
      add_liquidation(document);
      break;
    case 71:
    case 70:
      say("fees_issued", Severity::note, document, "fees issued are not sales of the form",
          "nothing");
      return;
    default:
      say("not_mapped", Severity::warning, document,
          std::string(type_text(document.type)) + " (type " + std::to_string(document.type) +
              ") on the sales side has no box, total " + grouped(document.total),
          "enter it by hand where it belongs");
      return;
  }
  if (document.exempt != Pesos{}) ledger.put(Rule::sale_exempt_part, document.exempt, 0);
  add_other_taxes(document);
}

void Computation::Work::add_sale_note(const Document& document, bool is_credit) {
  if (document.exempt != Pesos{}) {
    ledger.put(is_credit ? Rule::sale_exempt_credit_note : Rule::sale_exempt_part, document.exempt,
               0);
  }
  Pesos vat = document.vat();
  if (is_credit && is_out_of_window(document)) {
    say("nc_out_of_window", Severity::warning, document,
        "credit note out of its window: IVA " + grouped(vat) + " does not lower the debit",
        "nothing; it is not declared");
    return;
  }
  if (document.exempt != Pesos{} && document.net == Pesos{} && vat == Pesos{}) return;
  Pesos withheld = withheld_of(document);
  if (document.note_over_46 && withheld != Pesos{} && withheld >= vat) {
    ledger.put(
        is_credit ? Rule::sale_withheld_total_credit_note : Rule::sale_withheld_total_debit_note,
        document.net, 0);
    return;
  }
  if (document.note_over_46) vat -= withheld;
  bool is_asset = document.use == Use::fixed_asset;
  Rule rule = Rule::sale_debit_note;
  if (is_credit) {
    rule = is_asset                  ? Rule::sale_credit_note_fixed_asset
           : over_vouchers(document) ? Rule::sale_credit_note_voucher
                                     : Rule::sale_credit_note;
  } else if (is_asset) {
    rule = Rule::sale_debit_note_fixed_asset;
  }
  ledger.put(rule, vat, document.count);
  add_other_taxes(document);
}

// 46 and 45: the buyer made the document and keeps all or part of the VAT.
void Computation::Work::add_sale_by_buyer(const Document& document) {
  Pesos vat = document.vat();
  Pesos withheld = withheld_of(document);
  if (withheld >= vat) {
    ledger.put(Rule::sale_withheld_total, document.net, document.count);
    return;
  }
  ledger.put(Rule::sale_withheld_part, vat - withheld, document.count);
  ledger.put(Rule::sale_withheld_part_net, document.net, 0);
  if (withheld == Pesos{}) {
    say("withheld_vat_missing", Severity::warning, document,
        "a purchase invoice of the buyer without withheld VAT: all of it is in box 517",
        "complete what was withheld");
  }
}

void Computation::Work::add_liquidation(const Document& document) {
  bool is_received = !document.liquidation_issuer.is_empty() || document.section == Section::books;
  bool is_line_7 = inputs.settings.liquidation_line == 7;
  ledger.put(is_line_7 ? Rule::sale_liquidation_line_7 : Rule::sale_liquidation, document.vat(),
             document.count);
  bool has_commission = document.commission_vat != Pesos{} || document.commission_net != Pesos{};
  if (!has_commission) return;
  if (is_received) {
    say("commission_received", Severity::warning, document,
        "commission of a liquidación received: IVA " + grouped(document.commission_vat) +
            " is no debit",
        "its credit comes with the purchase register");
    return;
  }
  ledger.put(Rule::sale_liquidation_commission, document.commission_vat,
             is_line_7 ? 0 : document.count);
}

void Computation::Work::check_sales() {
  int64_t receipts = ledger.amount_of(111).value();
  int64_t vouchers = ledger.amount_of(759).value();
  if (receipts != 0 && receipts == vouchers && ledger.amount_of(709) == Pesos{}) {
    say_box("voucher_overlap", Severity::warning, 759,
            "receipts and payment vouchers have the same IVA, " + grouped(Pesos{receipts}) +
                ": one sale may be declared twice",
            "issue a credit note over the vouchers or correct the register");
  }
  for (const auto& [folio, type] : claimed_sales) {
    if (noted_folios.contains(folio * 1024 + type)) continue;
    Place place;
    place.subject =
        "sale " + std::to_string(type) + ' ' + options.company.text() + ' ' + std::to_string(folio);
    findings.add("claimed_sale", Severity::warning, place,
                 "the buyer has claimed this document; its debit stands until a note lowers it",
                 "issue a credit note");
  }
  if (receipts_in_detail.count != 0 && !has_summary[static_cast<size_t>(Side::sale)]) {
    say_box("receipts_without_summary", Severity::warning, 111,
            std::to_string(receipts_in_detail.count) + " receipts in the detail, IVA " +
                grouped(Pesos{receipts_in_detail.vat}) + ", are not declared without the summary",
            "give the RESUMEN file of the sales");
  }
}

}  // namespace f29
