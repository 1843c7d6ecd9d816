// How the fields of one row are read; rcv_rows.cpp has the order of things.
#include "f29svc/domain/words.h"
#include "f29svc/sources/rcv_fields.h"
#include "f29svc/sources/rcv_rows.h"

namespace f29 {
namespace {

using enum Column;

struct ClassName {
  std::string_view words;
  Use use;
  bool common_use;
};
constexpr ClassName kPurchaseClasses[] = {
    {"del giro", Use::giro, false},
    {"1", Use::giro, false},
    {"supermercados", Use::supermarket, false},
    {"supermercado", Use::supermarket, false},
    {"2", Use::supermarket, false},
    {"bienes raices", Use::real_estate, false},
    {"bien raiz", Use::real_estate, false},
    {"3", Use::real_estate, false},
    {"activo fijo", Use::fixed_asset, false},
    {"4", Use::fixed_asset, false},
    {"iva uso comun", Use::giro, true},
    {"5", Use::giro, true},
    {"iva no recuperable", Use::non_recoverable, false},
    {"6", Use::non_recoverable, false},
    {"no corresp incluir", Use::excluded, false},
    {"no corresponde incluir", Use::excluded, false},
    {"no incluir", Use::excluded, false},
    {"7", Use::excluded, false},
};
constexpr ClassName kSaleClasses[] = {
    {"del giro", Use::giro, false},
    {"bienes raices", Use::real_estate, false},
    {"bien raiz", Use::real_estate, false},
    {"activo fijo", Use::fixed_asset, false},
};

}  // namespace

int64_t RcvRows::amount(Column column) { return read_amount(field(column), odd_); }

bool RcvRows::read_identity(RcvRow& row) {
  Document& document = row.document;
  std::string_view type_text = trimmed(field(type));
  if (type_text.empty()) {
    reject(RowFact::missing_document_type, column_of(type));
    return false;
  }
  int code = read_code(type_text, odd_);
  if ((odd_ & kOddBad) != 0 || !is_known_type(code)) {
    reject(RowFact::unknown_document_type, column_of(type), std::string(type_text.substr(0, 20)));
    return false;
  }
  document.type = static_cast<uint16_t>(code);
  if (is_receipt(code)) {
    found_.add(RowFact::boleta_in_detail, record_->line, column_of(type));
  }
  if (!read_party(document)) return false;
  document.folio = read_folio(field(folio), odd_);
  if ((odd_ & kOddBad) != 0) {
    reject(RowFact::bad_number_or_date, column_of(folio));
    return false;
  }
  if (document.folio == 0 && !is_receipt(code)) {
    reject(RowFact::missing_folio, column_of(folio));
    return false;
  }
  document.issued = read_day(field(issued), odd_);
  if ((odd_ & kOddBad) != 0 || document.issued.is_none()) {
    reject(RowFact::bad_number_or_date, column_of(issued));
    return false;
  }
  document.received = read_day(field(received), odd_);
  if (header_.has(acknowledged)) document.acknowledged = read_day(field(acknowledged), odd_);
  if (header_.has(claimed)) document.claimed = read_day(field(claimed), odd_);
  if ((odd_ & kOddBad) != 0) {
    reject(RowFact::bad_number_or_date, column_of(received));
    return false;
  }
  return read_class(row);
}

bool RcvRows::read_party(Document& document) {
  auto reading = read_rut(field(rut));
  bool is_needed = !is_receipt(document.type);
  if (!reading && is_needed) {
    reject(RowFact::bad_rut, column_of(rut));
    return false;
  }
  if (reading) {
    document.counterparty = reading->rut;
    if (!reading->right_digit && is_needed) {
      if (!options_.lenient) {
        reject(RowFact::rut_check_digit, column_of(rut));
        return false;
      }
      found_.add(RowFact::wrong_check_digit_kept, record_->line, column_of(rut));
    }
    if (reading->leading_zeros) {
      found_.add(RowFact::rut_leading_zeros, record_->line, column_of(rut));
    }
  }
  to_clean_utf8(field(name), document.name);
  if (document.name.empty() && is_needed) {
    found_.add(RowFact::empty_name, record_->line, column_of(name));
  }
  if (document.type == 914 && document.counterparty != kTreasury) {
    found_.add(RowFact::import_issuer, record_->line, column_of(rut));
  }
  return true;
}

bool RcvRows::read_class(RcvRow& row) {
  std::string_view text = field(use);
  if (!class_.is_known || class_.text != text) {
    class_.text.assign(text);
    std::string words = plain_words(text);
    class_.is_known = false;
    auto look = [&](const ClassName& candidate) {
      if (candidate.words != words) return;
      class_.use = candidate.use;
      class_.common_use = candidate.common_use;
      class_.is_known = true;
    };
    if (side_ == Side::purchase) {
      for (const ClassName& candidate : kPurchaseClasses) look(candidate);
    } else {
      for (const ClassName& candidate : kSaleClasses) look(candidate);
    }
  }
  if (!class_.is_known) {
    reject(side_ == Side::purchase ? RowFact::unknown_purchase_type : RowFact::unknown_sale_type,
           column_of(use), class_.text.substr(0, 40));
    return false;
  }
  row.document.use = class_.use;
  row.is_common_class = class_.common_use;
  return true;
}

void RcvRows::read_sale_amounts(RcvRow& row) {
  Document& document = row.document;
  row.withheld_total = amount(withheld_total);
  row.withheld_part = amount(withheld_part);
  document.commission_net = Pesos{amount(commission_net)};
  document.commission_exempt = Pesos{amount(commission_exempt)};
  document.commission_vat = Pesos{amount(commission_vat)};
  row.out_of_window = amount(out_of_window);
  row.construction_credit = amount(construction_credit);
  row.free_zone_tax = amount(free_zone_tax);
  row.deposit = amount(deposit);
  row.not_billable = amount(not_billable);
  row.tickets = amount(tickets_national) + amount(tickets_international);
  document.out_of_window = row.out_of_window != 0 && is_credit_note(document.type);
  auto issuer = read_rut(field(liquidation_issuer));
  if (issuer) document.liquidation_issuer = issuer->rut;
  read_references(field(reference_type), field(reference_folio), document.references);
}

bool RcvRows::read_amounts(RcvRow& row) {
  Document& document = row.document;
  document.net = Pesos{amount(net)};
  document.exempt = Pesos{amount(exempt)};
  document.total = Pesos{amount(total)};
  document.has_total = !trimmed(field(total)).empty();
  row.vat = amount(vat);
  row.not_withheld = amount(not_withheld);
  if (side_ == Side::purchase) {
    row.non_recoverable = amount(non_recoverable);
    row.net_fixed_asset = amount(net_fixed_asset);
    row.vat_fixed_asset = amount(vat_fixed_asset);
    row.vat_common_use = amount(vat_common_use);
    row.without_credit = amount(without_credit);
    row.tobacco = amount(tobacco_cigars) + amount(tobacco_cigarettes) + amount(tobacco_other);
    int code = read_code(field(non_recoverable_code), odd_);
    if (code > 9) odd_ |= kOddBad;
    document.non_recoverable_code = static_cast<uint8_t>(code);
  } else {
    read_sale_amounts(row);
  }
  uint32_t ignored = 0;
  document.note_over_46 = read_code(field(note_over_46), ignored) != 0 && (ignored & kOddBad) == 0;
  if ((odd_ & kOddBad) != 0) {
    reject(RowFact::bad_number_or_date, column_of(net));
    return false;
  }
  if ((odd_ & kOddNegative) != 0 && !is_credit_note(document.type)) {
    reject(RowFact::negative_invoice, column_of(total));
    return false;
  }
  return read_other_tax(row);
}

bool RcvRows::read_other_tax(RcvRow& row) {
  std::string_view code_text = trimmed(field(other_code));
  if (code_text.empty()) return true;
  OtherTax tax;
  int code = read_code(code_text, odd_);
  tax.code = static_cast<uint16_t>(code);
  tax.amount = amount(other_amount);
  if ((odd_ & kOddBad) != 0) {
    reject(RowFact::bad_number_or_date, column_of(other_amount));
    return false;
  }
  if ((odd_ & kOddNegative) != 0 && !is_credit_note(row.document.type)) {
    reject(RowFact::negative_invoice, column_of(other_amount));
    return false;
  }
  if (code == 0) return true;
  std::string_view rate_text = trimmed(field(other_rate));
  if (!rate_text.empty()) {
    auto rate = Decimal::parse(rate_text);
    tax.has_rate = rate.has_value();
    if (rate) tax.rate = *rate;
    if (!rate) found_.add(RowFact::bad_rate, record_->line, column_of(other_rate));
    if (rate && rate_text.find(',') != std::string_view::npos) odd_ |= kOddComma;
  }
  if (row.others.size() >= RcvRow::kTaxesMost) {
    reject(RowFact::too_many_taxes, column_of(other_code));
    return false;
  }
  row.others.push_back(tax);
  return true;
}

void RcvRows::take_summary() {
  Document document;
  document.side = side_;
  document.section = Section::summary;
  document.company = options_.company;
  document.file = options_.file;
  document.line = static_cast<uint32_t>(record_->line);
  int code = read_type_in_parentheses(field(type));
  if (code == 0) {
    reject(RowFact::missing_document_type, column_of(type));
    return;
  }
  if (!is_known_type(code)) {
    reject(RowFact::unknown_document_type, column_of(type), std::to_string(code));
    return;
  }
  document.type = static_cast<uint16_t>(code);
  document.count = read_folio(field(documents), odd_);
  document.exempt = Pesos{amount(exempt)};
  document.net = Pesos{amount(net)};
  document.total = Pesos{amount(total)};
  auto add = [&](Use part_use, bool common, int64_t value) {
    if (value == 0) return;
    Part& part = document.parts.emplace_back();
    part.use = part_use;
    part.common_use = common;
    part.base = document.net;
    part.amount = Pesos{value};
  };
  add(Use::giro, false, amount(vat));
  add(Use::giro, true, amount(vat_common_use));
  add(Use::non_recoverable, false, amount(non_recoverable));
  if ((odd_ & kOddBad) != 0) {
    reject(RowFact::bad_number_or_date, column_of(net));
    return;
  }
  note_odd();
  // A type has one row; a file that was given twice must not count twice.
  DocumentKey key{0, document.type, side_, -1};
  DocumentIndex::Seen now{document.line, print_of(document), document.file, Section::summary};
  if (auto before = seen_.insert(key, now)) {
    meet_again(document, *before);
    return;
  }
  ++counts_.documents;
  sink_(document);
}

}  // namespace f29
