#include "f29svc/compute/compute.h"

#include <algorithm>

#include "f29svc/compute/work.h"

namespace f29 {

Computation::Computation(const ComputeOptions& options, const Mapping& mapping,
                         const Inputs& inputs)
    : work_(std::make_unique<Work>(options, mapping, inputs)) {}
Computation::~Computation() = default;

uint16_t Computation::add_file(std::string name) {
  work_->ledger.provenance().files.push_back(std::move(name));
  return static_cast<uint16_t>(work_->ledger.provenance().files.size() - 1);
}

void Computation::add(const Document& document) { work_->add(document); }
Findings& Computation::findings() { return work_->findings; }
base::Result<Return> Computation::finish() { return work_->finish(); }

Computation::Work::Work(const ComputeOptions& given, const Mapping& given_mapping,
                        const Inputs& given_inputs)
    : options(given),
      mapping(given_mapping),
      inputs(given_inputs),
      ledger(given_mapping, given.keep_provenance) {
  factor = inputs.common_use_factor;
  if (inputs.common_use_taxed && inputs.common_use_total) {
    factor = divide_half_up(Decimal{inputs.common_use_taxed->value(), 0},
                            Decimal{inputs.common_use_total->value(), 0},
                            inputs.settings.factor_decimals);
  }
  for (const OtherTaxRule& row : other_tax_rules()) {
    other_rules[row.code] = ledger.rule_named(row.name);
  }
  boxed_rule = ledger.rule_named("users_table");
}

Place Computation::Work::place_of(const Document& document) const {
  Place place;
  const auto& files = ledger.provenance().files;
  if (document.file < files.size()) place.file = files[document.file];
  place.line = document.line;
  place.subject = key_of(document).text();
  return place;
}

void Computation::Work::say(std::string_view code, Severity severity, const Document& document,
                            std::string message, std::string advice) {
  findings.add(code, severity, place_of(document), std::move(message), std::move(advice));
}

void Computation::Work::say_box(std::string_view code, Severity severity, int box,
                                std::string message, std::string advice) {
  Place place;
  place.subject = "box " + std::to_string(box);
  findings.add(code, severity, place, std::move(message), std::move(advice));
}

void Computation::Work::add(const Document& document) {
  ledger.begin(document);
  switch (document.section) {
    case Section::pending:
    case Section::not_included:
    case Section::claimed: {
      SectionTally& left = left_out[{document.side, document.section}];
      left.count += document.count;
      left.vat += document.vat().value();
      return;
    }
    case Section::summary:
      tally(document);
      if (document.side == Side::sale && is_receipt(document.type)) add_sale(document);
      return;
    case Section::registered:
      if (document.side == Side::sale && is_receipt(document.type)) {
        ++receipts_in_detail.count;
        receipts_in_detail.vat += document.vat().value();
        return;
      }
      tally(document);
      break;
    case Section::books:
      add_booked(document);
      return;
    case Section::manual:
      break;
  }
  add_declared(document);
}

// Books have drafts, cancelled moves and other months; each is named once.
void Computation::Work::add_booked(const Document& document) {
  if (document.state == BookState::draft) {
    say("draft_ignored", Severity::note, document, "a draft is not declared",
        "post it or delete it");
    return;
  }
  if (document.state == BookState::cancelled) {
    say("cancelled_in_books", Severity::warning, document,
        "cancelled in the books; the tax authority may still have it",
        "issue a credit note if it was sent");
    return;
  }
  Date date = document.accounted.is_none() ? document.issued : document.accounted;
  bool is_now = options.period.contains(date);
  bool is_paid_now = !document.paid.is_none() && options.period.contains(document.paid);
  if ((is_now || is_paid_now) && is_booked_twice(document)) return;
  if (is_now || is_paid_now) {
    Document known = document;
    resolve(known);
    ledger.begin(known);
    if (is_now) {
      add_declared(known);
      return;
    }
    // Booked elsewhere but paid now: only a fee belongs to this month.
    for (const Part& part : known.parts) {
      if (part.kind != PartKind::fee_withheld) continue;
      add_fees(known);
      return;
    }
  }
  say("other_period", Severity::note, document, "booked on " + date.text() + ", outside the period",
      "nothing");
}

// Booked twice is declared once.
bool Computation::Work::is_booked_twice(const Document& document) {
  if (document.folio == 0) return false;
  Booked now{document.net, document.exempt, document.total};
  auto [before, is_new] = booked.emplace(key_of(document), now);
  if (is_new) return false;
  bool is_same = before->second == now;
  say(is_same ? "duplicate_in_books" : "duplicate_conflict",
      is_same ? Severity::warning : Severity::error, document,
      is_same ? "booked twice with the same amounts; it counts once"
              : "booked twice with other amounts; the first one counts",
      "cancel one of them in the books");
  return true;
}

void Computation::Work::add_declared(const Document& document) {
  if (document.use == Use::excluded) {
    SectionTally& left = left_out[{document.side, Section::not_included}];
    left.count += document.count;
    left.vat += document.vat().value();
    return;
  }
  if (document.issued > options.period.last_day()) {
    say("date_after_period", Severity::warning, document,
        "issued on " + document.issued.text() + ", after the period", "check period and date");
  }
  check_vat(document);
  if (document.side == Side::purchase) {
    add_purchase(document);
    return;
  }
  if (inputs.settings.exclude_annulled && can_be_annulled(document)) {
    kept_back.push_back(document);
    return;
  }
  if (!document.claimed.is_none()) claimed_sales.emplace_back(document.folio, document.type);
  if (is_credit_note(document.type)) note_references(document);
  add_sale(document);
}

// The VAT of a document is computed on its base; sums of rounded lines are a few pesos off. What
// the document says holds and is only reported.
void Computation::Work::check_vat(const Document& document) {
  bool has_plain_vat = document.type == 33 || document.type == 30 || document.type == 46 ||
                       document.type == 45 || document.type == 56 || document.type == 55 ||
                       document.type == 61 || document.type == 60;
  int64_t vat = document.vat().value();
  if (!has_plain_vat || vat == 0) return;
  constexpr int64_t kRate = 19;
  int64_t expected = (document.net.value() * kRate + 50) / 100;
  int64_t difference = vat - expected;
  if (difference == 0) return;
  bool is_small = difference >= -3 && difference <= 3;
  std::string_view code = is_small ? "vat_rounding" : "vat_rate";
  Severity severity = is_small ? Severity::note : Severity::warning;
  if (!findings.wants(code, severity, place_of(document).file)) return;
  say(code, severity, document,
      "IVA " + std::to_string(vat) + " is not 19 % of the net " +
          std::to_string(document.net.value()) + ", difference " + std::to_string(difference),
      "nothing if the document says so: its amounts hold");
}

void Computation::Work::resolve(Document& document) {
  size_t before = unmapped.size();
  mapping.resolve(document, unmapped);
  for (size_t i = before; i < unmapped.size(); ++i) {
    const UnmappedTax& tax = unmapped[i];
    UnmappedTally& seen = unmapped_taxes[tax.tax_id];
    seen.xmlid = tax.xmlid;
    seen.name = tax.name;
    if (++seen.lines > 20) continue;
    seen.places += (seen.places.empty() ? "" : "; ") + tax.document.text() + " amount " +
                   std::to_string(tax.amount.value());
  }
  std::erase_if(document.parts, [](const Part& part) { return part.kind == PartKind::unresolved; });
}

void Computation::Work::note_references(const Document& document) {
  for (const Reference& reference : document.references) {
    auto folio = parse_pesos(reference.folio);  // digits only
    if (folio) noted_folios.insert(folio->value() * 1024 + reference.type);
  }
}

// Invoices and the notes that may annul them wait for the whole month.
bool Computation::Work::can_be_annulled(const Document& document) const {
  if (is_adding_kept_back) return false;
  return document.type == 33 || document.type == 30 || document.type == 61 || document.type == 60;
}

void Computation::Work::add_kept_back() {
  is_adding_kept_back = true;
  std::map<std::pair<int, int64_t>, size_t> invoices;
  for (size_t i = 0; i < kept_back.size(); ++i) {
    const Document& one = kept_back[i];
    if (!is_credit_note(one.type)) invoices[{one.type, one.folio}] = i;
  }
  std::vector<bool> is_out(kept_back.size());
  for (size_t i = 0; i < kept_back.size(); ++i) {
    const Document& note = kept_back[i];
    if (!is_credit_note(note.type) || note.references.size() != 1) continue;
    auto folio = parse_pesos(note.references[0].folio);
    auto found = folio ? invoices.find({note.references[0].type, folio->value()}) : invoices.end();
    if (found == invoices.end() || is_out[found->second]) continue;
    const Document& invoice = kept_back[found->second];
    bool is_same = invoice.net == note.net && invoice.exempt == note.exempt &&
                   invoice.vat() == note.vat() && !is_out_of_window(note);
    if (!is_same) continue;
    is_out[i] = is_out[found->second] = true;
    say("annulled_left_out", Severity::note, note,
        "annuls " + key_of(invoice).text() + "; both are left out (exclude_annulled)", "nothing");
  }
  for (size_t i = 0; i < kept_back.size(); ++i) {
    if (is_out[i]) continue;
    ledger.begin(kept_back[i]);
    add_declared(kept_back[i]);
  }
  kept_back.clear();
}

}  // namespace f29
