#include "f29svc/sources/json_documents.h"

#include "f29svc/domain/json_value.h"
#include "f29svc/domain/words.h"

namespace f29 {
namespace {

using base::ErrorCode;

base::Result<int64_t> refuse(std::string detail) {
  return base::fail(ErrorCode::bad_input, base::Side::client, std::move(detail));
}

// One move; `fault` says why it cannot be used.
class MoveReader {
 public:
  MoveReader(const JsonValue& move, const JsonOptions& options) : move_(move), options_(options) {}

  bool read(Document& document) {
    document.clear();
    document.section = Section::books;
    document.company = options_.company;
    document.file = options_.file;
    document.source_id = move_["id"].id();
    read_kind(document);
    read_party(document);
    read_dates(document);
    read_amounts(document);
    return fault_.empty();
  }
  const std::string& fault() const { return fault_; }
  bool has_wrong_digit() const { return has_wrong_digit_; }

 private:
  void fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }
  std::string text(const char* key) {
    const JsonValue& value = move_[key];
    bool is_text = value.kind == JsonValue::Kind::text || value.kind == JsonValue::Kind::number;
    if (is_text) return value.text;
    if (!value.is_unset()) fail(std::string(key) + " must be text");
    return {};
  }
  // 1000000.0 is how Odoo writes a whole amount.
  Pesos amount(const char* key) {
    const JsonValue& value = move_[key];
    if (value.is_unset()) return {};
    auto pesos = value.pesos();
    if (!pesos) fail(std::string(key) + " must be whole pesos of at most 15 digits");
    return pesos.value_or(Pesos{});
  }
  Date date(const char* key) {
    std::string value = text(key);
    if (value.empty()) return {};
    auto parsed = parse_iso_date(std::string_view(value).substr(0, 10));
    if (!parsed) fail(std::string(key) + " must be a day, yyyy-mm-dd");
    return parsed.value_or(Date{});
  }

  void read_kind(Document& document);
  void read_party(Document& document);
  void read_dates(Document& document);
  void read_amounts(Document& document);
  void add_part(Document& document, PartKind kind, Pesos value);

  const JsonValue& move_;
  const JsonOptions& options_;
  std::string fault_;
  bool has_wrong_digit_ = false;
};

void MoveReader::read_kind(Document& document) {
  std::string kind = text("move_type");
  if (kind == "out_invoice" || kind == "out_refund") {
    document.side = Side::sale;
  } else if (kind == "in_invoice" || kind == "in_refund") {
    document.side = Side::purchase;
  } else {
    fail("move_type must be out_invoice, out_refund, in_invoice or in_refund");
  }
  std::string state = text("state");
  if (state == "draft") document.state = BookState::draft;
  if (state == "cancel") document.state = BookState::cancelled;
  if (!state.empty() && state != "draft" && state != "cancel" && state != "posted") {
    fail("state must be posted, draft or cancel");
  }
  auto code = parse_pesos(text("l10n_latam_document_type_code"));
  if (code && *code < Pesos{1024} && is_known_type(static_cast<int>(code->value()))) {
    document.type = static_cast<uint16_t>(code->value());
  } else {
    fail("l10n_latam_document_type_code is missing or unknown");
  }
  std::string currency = text("currency");
  if (!currency.empty() && currency != "CLP") fail("amounts must be in CLP");
}

void MoveReader::read_party(Document& document) {
  to_clean_utf8(text("partner_name"), document.name);
  std::string vat = text("partner_vat");
  auto reading = read_rut(vat);
  bool is_draft = document.state == BookState::draft;
  if (reading) {
    document.counterparty = reading->rut;
    has_wrong_digit_ = !reading->right_digit;
    if (has_wrong_digit_ && !options_.lenient) fail("partner_vat has a wrong check digit");
  } else if (!is_draft && !is_receipt(document.type)) {
    fail("partner_vat is not a RUT");
  }
  // "F-000205", "000205" and "205" are folio 205.
  std::string folio = text("l10n_latam_document_number");
  size_t from = folio.size();
  while (from > 0 && folio[from - 1] >= '0' && folio[from - 1] <= '9') --from;
  auto value = parse_pesos(std::string_view(folio).substr(from));
  if (value && *value > Pesos{}) {
    document.folio = value->value();
  } else if (!is_draft && !is_receipt(document.type)) {
    fail("l10n_latam_document_number has no folio");
  }
}

void MoveReader::read_dates(Document& document) {
  document.issued = date("invoice_date");
  document.accounted = date("date");
  document.delivered = date("delivery");
  document.paid = date("paid");
  if (document.issued.is_none()) document.issued = document.accounted;
  if (document.accounted.is_none()) document.accounted = document.issued;
  if (document.issued.is_none()) fail("date is missing");
}

void MoveReader::add_part(Document& document, PartKind kind, Pesos value) {
  if (value == Pesos{}) return;
  Part& part = document.parts.emplace_back();
  part.kind = kind;
  part.base = document.net;
  part.amount = value;
}

void MoveReader::read_amounts(Document& document) {
  document.net = amount("net");
  document.exempt = amount("exempt");
  Pesos tax = amount("tax");
  document.total = amount("amount_total");
  document.has_total = !move_["amount_total"].is_unset();
  if (!fault_.empty()) return;
  bool is_fee = document.type == 71 || document.type == 70;
  if (is_fee) {
    add_part(document, PartKind::fee_withheld, tax < Pesos{} ? -tax : tax);
    return;
  }
  bool is_negative = document.net < Pesos{} || document.exempt < Pesos{} || tax < Pesos{} ||
                     document.total < Pesos{};
  if (is_negative) {
    fail("amounts must be 0 or more: notes are positive too");
    return;
  }
  add_part(document, PartKind::vat, tax);
  // What the buyer keeps shows in the total only.
  bool is_by_buyer = document.type == 46 || document.type == 45;
  Pesos whole = document.net + document.exempt + tax;
  if (is_by_buyer && document.has_total && document.total < whole) {
    add_part(document, PartKind::withheld_vat, whole - document.total);
  }
}

}  // namespace

base::Result<int64_t> read_json_documents(std::string_view text, const JsonOptions& options,
                                          const DocumentSink& sink, Findings& findings) {
  auto whole = parse_json(text);
  if (!whole) return refuse("not JSON, or nested too deep");
  const JsonValue& moves = (*whole)["moves"];
  if (!moves.is_list()) return refuse("needs an object with a list \"moves\"");
  int64_t delivered = 0;
  int64_t index = 0;
  Document document;
  for (const JsonValue& move : moves.items) {
    Place place{options.name, 0, 0, "moves[" + std::to_string(index++) + "]"};
    if (!move.is_object()) {
      findings.add("bad_move", Severity::error, place, "must be an object", "correct the file");
      continue;
    }
    MoveReader reader(move, options);
    if (!reader.read(document)) {
      findings.add("bad_move", Severity::error, place, reader.fault(), "correct the move");
      continue;
    }
    if (reader.has_wrong_digit()) {
      findings.add("rut_check_digit", Severity::warning, place,
                   "the check digit of partner_vat is wrong; kept as asked (lenient)",
                   "correct the RUT");
    }
    ++delivered;
    sink(document);
  }
  return delivered;
}

}  // namespace f29
