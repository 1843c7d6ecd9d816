// A gathered move becomes a document, or a finding says why not.
#include "f29svc/sources/odoo/moves.h"

namespace f29 {

void MoveReader::say(const Move& move, std::string_view code, Severity severity,
                     std::string message, std::string advice) {
  if (!findings_.wants(code, severity, request_.name)) return;
  const Document& document = move.document;
  std::string subject = "move " + std::to_string(move.id);
  if (document.type != 0 && document.folio != 0) subject += " (" + key_of(document).text() + ")";
  findings_.add(code, severity, {request_.name, 0, 0, std::move(subject)}, std::move(message),
                std::move(advice));
}

void MoveReader::reject(Move& move, std::string_view code, std::string message) {
  if (move.is_rejected) return;
  move.is_rejected = true;
  ++counts_.rejected;
  say(move, code, Severity::error, std::move(message), "correct the move in Odoo");
}

void MoveReader::add_head(Move& move) {
  Document& document = move.document;
  const auto partner = partners_.find(move.partner_id);
  if (partner != partners_.end()) {
    document.counterparty = partner->second.rut;
    document.name = partner->second.name;
    document.fee_partner = partner->second.is_fee_earner;
  }
  const auto origin = origins_.find(move.origin_id);
  if (origin != origins_.end() && origin->second.type != 0) {
    document.references.push_back({origin->second.type, origin->second.folio});
    document.note_over_46 = origin->second.type == 45 || origin->second.type == 46;
  }
  const auto position = tables_.non_recoverable_of.find(move.position_id);
  if (position != tables_.non_recoverable_of.end()) {
    document.non_recoverable_code = static_cast<uint8_t>(position->second);
  }
}

void MoveReader::add_parts(Move& move) {
  Document& document = move.document;
  document.net = move.net;
  document.exempt = move.exempt;
  std::map<int64_t, int> lines_of;
  for (const auto& line : move.tax_lines) ++lines_of[line.tax_id];
  // A base so small that its tax is 0 has no tax line.
  for (const auto& [tax, line] : move.base_line) {
    const auto known = tables_.taxes.find(tax);
    const bool is_group = known != tables_.taxes.end() && known->second.is_group;
    if (!is_group && !lines_of.contains(tax)) move.tax_lines.push_back({line, tax, {}, {}, {}});
  }
  for (const auto& line : move.tax_lines) {
    SourceTax& tax = document.taxes.emplace_back();
    tax.tax_id = line.tax_id;
    tax.line_id = line.id;
    const auto known = tables_.taxes.find(line.tax_id);
    if (known != tables_.taxes.end()) {
      tax.xmlid = known->second.xmlid;
      tax.name = known->second.name;
    }
    for (const int64_t id : line.tag_ids) {
      const auto tag = tables_.tags.find(id);
      if (tag != tables_.tags.end()) tax.tags.push_back(tag->second);
    }
    Part& part = document.parts.emplace_back();
    part.kind = PartKind::unresolved;
    part.source = static_cast<int16_t>(document.taxes.size() - 1);
    part.amount = line.amount;
    const auto base = move.base_of.find(line.tax_id);
    const bool is_sole = base != move.base_of.end() && lines_of[line.tax_id] <= 1;
    part.base = is_sole ? base->second : line.stated_base;
  }
}

void MoveReader::check(const Move& move) {
  const Document& document = move.document;
  Pesos taxes;
  for (const auto& line : move.tax_lines) taxes += line.amount;
  const Pesos sum = document.net + document.exempt + taxes;
  if (sum != document.total) {
    say(move, "lines_differ_from_total", Severity::warning,
        "its lines add to " + grouped(sum) + ", its total is " + grouped(document.total));
  }
  if (move.in_company_currency && move.line_taxes_known && move.line_taxes != taxes) {
    say(move, "line_rounding", Severity::note,
        "the taxes of its lines add to " + grouped(move.line_taxes) +
            ", those of the document to " + grouped(taxes) + ", which count");
  }
  if (document.counterparty.is_empty()) {
    say(move, "partner_rut", Severity::warning, "its partner has no valid RUT");
  }
  if (document.folio == 0) say(move, "no_folio", Severity::warning, "it has no document number");
  if (is_fee(move) && move.payment_state == "partial") {
    say(move, "fee_partly_paid", Severity::warning,
        "a fee that is paid in part is declared in the month of its last payment");
  }
}

void MoveReader::deliver(Move& move) {
  if (move.is_rejected) return;
  Document& document = move.document;
  add_head(move);
  if (document.accounted.is_none()) return reject(move, "no_date", "it has no accounting date");
  if (document.state == BookState::draft) ++counts_.drafts;
  if (document.state == BookState::cancelled) ++counts_.cancelled;
  if (document.type == 0) {
    if (document.state != BookState::posted) return;
    ++counts_.rejected;
    return say(move, "no_document_type", Severity::warning,
               "it has no document type of the tax authority and is not declared",
               "choose its document type in Odoo, or leave it if it is no tax document");
  }
  if (document.state == BookState::posted) {
    if (move.tax_lines.size() > INT16_MAX / 2) {
      return reject(move, "too_many_taxes", "it has too many tax lines");
    }
    add_parts(move);
    check(move);
  }
  ++counts_.documents;
  sink_(document);
}

base::Result<OdooCounts> read_odoo(OdooRpc& rpc, const OdooRequest& request,
                                   const DocumentSink& sink, Findings& findings) {
  auto tables = read_tables(rpc, request, findings);
  if (!tables) return base::fail(tables.error());
  return MoveReader(rpc, request, *tables, sink, findings).read();
}

}  // namespace f29
