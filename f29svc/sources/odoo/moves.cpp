#include "f29svc/sources/odoo/moves.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace f29 {

using base::ErrorCode;
using nlohmann::json;

namespace {

constexpr size_t kChunk = 200;  // moves whose lines are asked for together

const std::vector<std::string> kMoveFields = {
    "name",
    "state",
    "move_type",
    "date",
    "invoice_date",
    "commercial_partner_id",
    "currency_id",
    "l10n_latam_document_type_id",
    "l10n_latam_document_number",
    "reversed_entry_id",
    "debit_origin_id",
    "fiscal_position_id",
    "amount_untaxed_signed",
    "amount_total_signed",
    "payment_state",
};

json move_types() {
  return json::array(
      {"move_type", "in", json::array({"out_invoice", "out_refund", "in_invoice", "in_refund"})});
}

// "F-000205" and "000205" are folio 205: the last run of digits.
int64_t folio_of(std::string_view number) {
  const size_t end = number.find_last_of("0123456789");
  if (end == number.npos) return 0;
  size_t begin = end;
  while (begin > 0 && number[begin - 1] >= '0' && number[begin - 1] <= '9') --begin;
  int64_t folio = 0;
  const auto [stop, error] = std::from_chars(number.data() + begin, number.data() + end + 1, folio);
  return error == std::errc() ? folio : 0;
}

std::string clean_name(std::string_view text) {
  std::string name;
  for (const char c : text) name += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  const size_t begin = name.find_first_not_of(' ');
  if (begin == name.npos) return {};
  return name.substr(begin, name.find_last_not_of(' ') + 1 - begin);
}

}  // namespace

base::Result<OdooCounts> MoveReader::read() {
  if (auto done = read_period(); !done) return base::fail(done.error());
  if (auto done = read_fees_paid(); !done) return base::fail(done.error());
  return counts_;
}

base::Result<> MoveReader::read_by(const json& domain) {
  auto done = rpc_.read_all("account.move", domain, kMoveFields,
                            [this](const JsonValue& record) { return take(record); });
  return done ? flush() : done;
}

base::Result<> MoveReader::read_period() {
  return read_by(json::array({
      {"company_id", "=", tables_.company_id},
      move_types(),
      {"state", "in", json::array({"posted", "draft", "cancel"})},
      {"date", ">=", request_.period.first_day().text()},
      {"date", "<=", request_.period.last_day().text()},
  }));
}

// Fees are withheld when they are paid: slips of earlier months that were settled in this one.
base::Result<> MoveReader::read_fees_paid() {
  const json settled = json::array({
      {"company_id", "=", tables_.company_id},
      {"max_date", ">=", request_.period.first_day().text()},
      {"max_date", "<=", request_.period.last_day().text()},
      {"credit_move_id.move_id.move_type", "=", "in_invoice"},
      "|",
      {"credit_move_id.move_id.l10n_latam_document_type_id", "in", tables_.fee_type_ids},
      {"credit_move_id.move_id.commercial_partner_id.l10n_cl_sii_taxpayer_type", "=", "2"},
  });
  std::set<int64_t> lines;
  auto done = rpc_.read_all("account.partial.reconcile", settled, {"credit_move_id"},
                            [&](const JsonValue& record) -> base::Result<> {
                              lines.insert(record["credit_move_id"].id());
                              return {};
                            });
  if (!done || lines.empty()) return done;
  std::set<int64_t> moves;
  done = rpc_.read_all("account.move.line", json::array({{"id", "in", lines}}), {"move_id"},
                       [&](const JsonValue& record) -> base::Result<> {
                         const int64_t id = record["move_id"].id();
                         if (!met_.contains(id)) moves.insert(id);
                         return {};
                       });
  if (!done || moves.empty()) return done;
  return read_by(json::array({
      {"company_id", "=", tables_.company_id},
      move_types(),
      {"state", "=", "posted"},
      {"id", "in", moves},
  }));
}

base::Result<> MoveReader::take(const JsonValue& record) {
  ++counts_.moves;
  Move move;
  Document& document = move.document;
  move.id = record["id"].id();
  const std::string_view move_type = record["move_type"].string();
  const std::string_view state = record["state"].string();
  move.is_refund = move_type.ends_with("_refund");
  move.partner_id = record["commercial_partner_id"].id();
  move.origin_id = record["reversed_entry_id"].id();
  if (move.origin_id == 0) move.origin_id = record["debit_origin_id"].id();
  move.position_id = record["fiscal_position_id"].id();
  move.in_company_currency = record["currency_id"].id() == tables_.currency_id;
  move.payment_state = record["payment_state"].string();

  document.side = move_type.starts_with("out_") ? Side::sale : Side::purchase;
  document.section = Section::books;
  document.state = state == "posted"  ? BookState::posted
                   : state == "draft" ? BookState::draft
                                      : BookState::cancelled;
  document.company = request_.company;
  document.file = request_.file;
  document.source_id = move.id;
  document.accounted = record["date"].date().value_or(Date());
  document.issued = record["invoice_date"].date().value_or(document.accounted);
  document.folio = folio_of(record["l10n_latam_document_number"].string());
  const auto type = tables_.types.find(record["l10n_latam_document_type_id"].id());
  if (type != tables_.types.end()) document.type = static_cast<uint16_t>(type->second);

  // The head is signed: what lowers the company's money is negative.
  const bool negative = (document.side == Side::sale) == move.is_refund;
  const auto total = record["amount_total_signed"].pesos();
  const auto net = record["amount_untaxed_signed"].pesos();
  document.total = negative ? -total.value_or(Pesos{}) : total.value_or(Pesos{});
  document.net = negative ? -net.value_or(Pesos{}) : net.value_or(Pesos{});
  document.has_total = total.has_value();
  met_.insert(move.id);
  place_in_chunk_[move.id] = chunk_.size();
  chunk_.push_back(std::move(move));
  if (!total || !net) reject(chunk_.back(), "amount_not_whole", "an amount is not in whole pesos");
  return chunk_.size() < kChunk ? base::Result<>() : flush();
}

base::Result<> MoveReader::flush() {
  if (chunk_.empty()) return {};
  for (const auto step : {&MoveReader::read_lines, &MoveReader::read_partners,
                          &MoveReader::read_origins, &MoveReader::read_payments}) {
    if (auto done = (this->*step)(); !done) return done;
  }
  for (Move& move : chunk_) deliver(move);
  chunk_.clear();
  place_in_chunk_.clear();
  return {};
}

base::Result<> MoveReader::read_lines() {
  json ids = json::array();
  for (const Move& move : chunk_) {
    if (move.document.state == BookState::posted) ids.push_back(move.id);
  }
  if (ids.empty()) return {};
  const json domain = json::array({
      {"move_id", "in", ids},
      {"parent_state", "=", "posted"},
      {"display_type", "in", json::array({"product", "tax"})},
  });
  auto done = rpc_.read_all("account.move.line", domain,
                            {"move_id", "display_type", "balance", "tax_ids", "tax_line_id",
                             "tax_base_amount", "tax_tag_ids", "price_subtotal", "price_total"},
                            [this](const JsonValue& line) -> base::Result<> {
                              const auto place = place_in_chunk_.find(line["move_id"].id());
                              if (place != place_in_chunk_.end()) {
                                take_line(chunk_[place->second], line);
                              }
                              return {};
                            });
  if (!done) return done;
  for (const Move& move : chunk_) {
    if (move.document.state != BookState::posted || move.has_lines) continue;
    if (move.document.total == Pesos{} || move.is_rejected) continue;
    // Its lines went between two requests: somebody took the move back.
    return base::fail(ErrorCode::conflict, base::Side::backend,
                      "Odoo's books changed while they were read; read them again");
  }
  return {};
}

void MoveReader::take_line(Move& move, const JsonValue& line) {
  move.has_lines = true;
  const auto balance = line["balance"].pesos();
  if (!balance) return reject(move, "amount_not_whole", "a line is not in whole pesos");
  // Balances: debit positive. A sale is credit, a purchase debit; notes the other way.
  const bool negative = (move.document.side == Side::sale) != move.is_refund;
  const Pesos amount = negative ? -*balance : *balance;
  const int64_t id = line["id"].id();
  if (line["display_type"].string() == "tax") {
    move.tax_lines.push_back({id, line["tax_line_id"].id(), amount,
                              line["tax_base_amount"].pesos().value_or(Pesos{}),
                              line["tax_tag_ids"].ids()});
    return;
  }
  const auto subtotal = line["price_subtotal"].pesos();
  const auto total = line["price_total"].pesos();
  move.line_taxes_known = move.line_taxes_known && subtotal && total;
  if (move.line_taxes_known) move.line_taxes += *total - *subtotal;
  const std::vector<int64_t> taxes = line["tax_ids"].ids();
  for (const int64_t tax : taxes) {
    move.base_of[tax] += amount;
    move.base_line.emplace(tax, id);
  }
  (taxes.empty() ? move.exempt : move.net) += amount;
}

base::Result<> MoveReader::read_partners() {
  std::set<int64_t> wanted;
  for (const Move& move : chunk_) {
    if (move.partner_id != 0 && !partners_.contains(move.partner_id)) {
      wanted.insert(move.partner_id);
    }
  }
  if (wanted.empty()) return {};
  return rpc_.read_all("res.partner", json::array({{"id", "in", wanted}}),
                       {"name", "vat", "l10n_cl_sii_taxpayer_type"},
                       [this](const JsonValue& record) -> base::Result<> {
                         Partner& partner = partners_[record["id"].id()];
                         partner.rut = parse_rut(record["vat"].string()).value_or(Rut());
                         partner.name = clean_name(record["name"].string());
                         partner.is_fee_earner =
                             record["l10n_cl_sii_taxpayer_type"].string() == "2";
                         return {};
                       });
}

base::Result<> MoveReader::read_origins() {
  std::set<int64_t> wanted;
  for (const Move& move : chunk_) {
    if (move.origin_id != 0 && !origins_.contains(move.origin_id)) wanted.insert(move.origin_id);
  }
  if (wanted.empty()) return {};
  return rpc_.read_all(
      "account.move", json::array({{"id", "in", wanted}}),
      {"l10n_latam_document_type_id", "l10n_latam_document_number"},
      [this](const JsonValue& record) -> base::Result<> {
        Origin& origin = origins_[record["id"].id()];
        const auto type = tables_.types.find(record["l10n_latam_document_type_id"].id());
        if (type != tables_.types.end()) origin.type = type->second;
        const int64_t folio = folio_of(record["l10n_latam_document_number"].string());
        if (folio != 0) origin.folio = std::to_string(folio);
        return {};
      });
}

bool MoveReader::is_fee(const Move& move) const {
  const Document& document = move.document;
  if (document.side != Side::purchase || document.state != BookState::posted) return false;
  if (document.type == 70 || document.type == 71) return true;
  const auto partner = partners_.find(move.partner_id);
  return partner != partners_.end() && partner->second.is_fee_earner;
}

// The day a fee was settled is the last of its reconciliations, once it is settled as a whole.
base::Result<> MoveReader::read_payments() {
  std::set<int64_t> wanted;
  for (const Move& move : chunk_) {
    const std::string& state = move.payment_state;
    if (is_fee(move) && (state == "paid" || state == "in_payment")) wanted.insert(move.id);
  }
  if (wanted.empty()) return {};
  std::map<int64_t, int64_t> move_of;  // by line
  auto done =
      rpc_.read_all("account.move.line",
                    json::array({{"move_id", "in", wanted}, {"display_type", "=", "payment_term"}}),
                    {"move_id"}, [&](const JsonValue& record) -> base::Result<> {
                      move_of[record["id"].id()] = record["move_id"].id();
                      return {};
                    });
  if (!done || move_of.empty()) return done;
  json lines = json::array();
  for (const auto& [line, move] : move_of) lines.push_back(line);
  return rpc_.read_all("account.partial.reconcile", json::array({{"credit_move_id", "in", lines}}),
                       {"credit_move_id", "max_date"},
                       [&](const JsonValue& record) -> base::Result<> {
                         const auto line = move_of.find(record["credit_move_id"].id());
                         if (line == move_of.end()) return {};
                         Date& paid = chunk_[place_in_chunk_[line->second]].document.paid;
                         paid = std::max(paid, record["max_date"].date().value_or(Date()));
                         return {};
                       });
}

}  // namespace f29
