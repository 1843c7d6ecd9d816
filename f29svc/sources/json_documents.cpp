#include "f29svc/sources/json_documents.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "f29svc/domain/words.h"

namespace f29 {
namespace {

using base::ErrorCode;
using nlohmann::json;

base::Result<int64_t> refuse(std::string detail) {
  return base::fail(ErrorCode::bad_input, base::Side::client, std::move(detail));
}

// Depth is bounded before anything is built.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (in_text) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        in_text = false;
      continue;
    }
    if (text[i] == '"') in_text = true;
    if (text[i] == '{' || text[i] == '[') ++depth;
    if (text[i] == '}' || text[i] == ']') --depth;
    if (depth > 64) return true;
  }
  return false;
}

// One move; `fault` says why it cannot be used.
class MoveReader {
 public:
  MoveReader(const json& move, const JsonOptions& options) : move_(move), options_(options) {}

  bool read(Document& document) {
    document.clear();
    document.section = Section::books;
    document.company = options_.company;
    document.file = options_.file;
    document.source_id = number("id");
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
  // Null, false (Odoo's way to say nothing) and absent are the same.
  const json* find(const char* key) const {
    auto found = move_.find(key);
    if (found == move_.end() || found->is_null()) return nullptr;
    if (found->is_boolean() && !found->get<bool>()) return nullptr;
    return &*found;
  }
  std::string text(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number_integer()) return value->dump();
    fail(std::string(key) + " must be text");
    return {};
  }
  int64_t number(const char* key) {
    const json* value = find(key);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned() && value->get<uint64_t>() > INT64_MAX) {
      fail(std::string(key) + " is too large");
      return 0;
    }
    if (value->is_number_integer()) return value->get<int64_t>();
    // 1000000.0 is how Odoo writes a whole amount.
    if (value->is_number_float()) {
      double real = value->get<double>();
      if (std::abs(real) <= static_cast<double>(kAmountMost) && real == std::floor(real)) {
        return static_cast<int64_t>(real);
      }
    }
    fail(std::string(key) + " must be a whole number");
    return 0;
  }
  Pesos amount(const char* key) {
    int64_t value = number(key);
    if (value > kAmountMost || value < -kAmountMost) fail(std::string(key) + " is too large");
    return fault_.empty() ? Pesos{value} : Pesos{};
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

  const json& move_;
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
  document.has_total = find("amount_total") != nullptr;
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
  if (is_too_deep(text)) return refuse("not JSON: nested too deep");
  json whole = json::parse(text, nullptr, false);
  if (whole.is_discarded()) return refuse("not JSON");
  if (!whole.is_object() || !whole.contains("moves") || !whole["moves"].is_array()) {
    return refuse("needs an object with a list \"moves\"");
  }
  int64_t delivered = 0;
  int64_t index = 0;
  Document document;
  for (const json& move : whole["moves"]) {
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
