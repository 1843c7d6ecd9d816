// What the summary files say against what the detail files have, and what was left out.
#include <set>

#include "f29svc/compute/work.h"

namespace f29 {
namespace {

struct Figure {
  std::string_view name;
  int64_t TypeTally::*value;
};
constexpr Figure kFigures[] = {
    {"documents", &TypeTally::count},
    {"exempt", &TypeTally::exempt},
    {"net", &TypeTally::net},
    {"IVA", &TypeTally::vat},
    {"common-use IVA", &TypeTally::common_use},
    {"IVA without credit", &TypeTally::non_recoverable},
    {"total", &TypeTally::total},
};

void add_to(TypeTally& tally, const Document& document) {
  tally.count += document.count;
  tally.exempt += document.exempt.value();
  tally.net += document.net.value();
  tally.total += document.total.value();
  for (const Part& part : document.parts) {
    if (part.kind != PartKind::vat) continue;
    int64_t amount = part.amount.value();
    if (part.use == Use::non_recoverable) {
      tally.non_recoverable += amount;
    } else if (part.common_use) {
      tally.common_use += amount;
    } else {
      tally.vat += amount;
    }
  }
}

}  // namespace

void Computation::Work::tally(const Document& document) {
  std::pair<Side, int> key{document.side, document.type};
  if (document.section == Section::summary) {
    has_summary[static_cast<size_t>(document.side)] = true;
    add_to(summaries[key], document);
  } else {
    if (last_tally == nullptr || last_tally_key != key) {
      last_tally = &details[key];
      last_tally_key = key;
    }
    add_to(*last_tally, document);
  }
}

void Computation::Work::check_summaries() {
  std::set<std::pair<Side, int>> keys;
  for (const auto& [key, unused] : details) keys.insert(key);
  for (const auto& [key, unused] : summaries) keys.insert(key);
  for (const auto& key : keys) {
    if (!has_summary[static_cast<size_t>(key.first)]) continue;
    if (key.first == Side::sale && is_receipt(key.second)) continue;
    const TypeTally& detail = details[key];
    const TypeTally& summary = summaries[key];
    std::string differences;
    for (const Figure& figure : kFigures) {
      int64_t ours = detail.*figure.value;
      int64_t theirs = summary.*figure.value;
      int64_t tolerance = figure.value == &TypeTally::count ? 0 : inputs.settings.tolerance;
      if (ours - theirs <= tolerance && theirs - ours <= tolerance) continue;
      differences += differences.empty() ? "" : ", ";
      differences += std::string(figure.name) + ' ' + std::to_string(ours) + " in the detail, " +
                     std::to_string(theirs) + " in the summary";
    }
    if (differences.empty()) continue;
    Place place;
    place.subject = std::string(side_text(key.first)) + ' ' + std::to_string(key.second);
    findings.add("resumen_mismatch", Severity::warning, place, differences,
                 "download detail and summary again, at the same time");
  }
}

void Computation::Work::check_sections() {
  for (const auto& [key, left] : left_out) {
    bool is_pending = key.second == Section::pending;
    bool is_claimed = key.second == Section::claimed;
    std::string name = is_pending ? "PENDIENTE" : is_claimed ? "RECLAMADO" : "NO INCLUIR";
    std::string code = is_pending   ? "pending_documents"
                       : is_claimed ? "claimed_documents"
                                    : "not_included_documents";
    std::string message = name + " has " + std::to_string(left.count) +
                          " documents (not declared), IVA " + std::to_string(left.vat);
    if (is_pending) message += ", next period candidate";
    Place place;
    place.subject = std::string(side_text(key.first)) + ' ' + name;
    findings.add(code, key.second == Section::not_included ? Severity::note : Severity::warning,
                 place, message,
                 is_pending   ? "accept or claim them in the register"
                 : is_claimed ? "make sure that the issuer sends its credit note"
                              : "nothing");
  }
}

void Computation::Work::check_unmapped() {
  for (const auto& [id, tax] : unmapped_taxes) {
    Place place;
    place.subject = "tax " + std::to_string(id);
    findings.add("unmapped_tax", Severity::warning, place,
                 "tax " + std::to_string(id) + " \"" + tax.name + "\" (xmlid " +
                     (tax.xmlid.empty() ? "none" : tax.xmlid) +
                     ") has no box: " + std::to_string(tax.lines) + " lines: " + tax.places,
                 "add it to mapping.taxes");
  }
}

}  // namespace f29
