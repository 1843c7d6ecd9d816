#include "f29svc/compute/propuesta.h"

#include <cstdlib>

#include "f29svc/form/form.h"

namespace f29 {
namespace {

// The first documents of a box, for the reader of a difference.
std::string documents_of(const Provenance& provenance, int box) {
  std::string text;
  int64_t count = 0;
  for (size_t i = 0; i < provenance.entries.size(); ++i) {
    const Provenance::Entry& entry = provenance.entries[i];
    if (entry.amount_box != box && entry.count_box != box) continue;
    if (entry.doc == Provenance::kNoDoc || ++count > 5) continue;
    text += (text.empty() ? "" : ", ") + provenance.docs[entry.doc].key.text();
  }
  if (count == 0) return {};
  return "; ours is made of " + std::to_string(count) + " documents: " + text +
         (count > 5 ? " …" : "");
}

}  // namespace

void compare_boxes(const Return& ours, const Boxes& theirs, const Inputs& inputs,
                   Findings& findings) {
  for (const auto& [code, value] : theirs) {
    auto found = ours.boxes.find(code);
    BoxValue mine = found == ours.boxes.end() ? BoxValue{} : found->second;
    bool is_amount = value.kind == BoxValue::Kind::amount;
    if (mine == value || (mine.is_empty() && value.is_empty())) continue;
    int64_t difference = is_amount ? std::abs(mine.amount - value.amount) : 0;
    Severity severity = Severity::warning;
    // Their UTM quantity may have other decimals: a hundredth of a UTM is no mistake.
    int64_t near = inputs.settings.tolerance;
    auto utm = inputs.utm.find(ours.period.plus(1));
    bool is_carried = code == 504 || code == 77 || code == 537 || code == 89;
    if (is_carried && utm != inputs.utm.end()) {
      near += multiply_half_up(utm->second, Decimal{1, 2}).value_or(Pesos{}).value();
    }
    if (is_amount && difference <= near) severity = Severity::note;
    Place place;
    place.subject = "box " + std::to_string(code);
    std::string message = "ours " + mine.plain() + ", the propuesta has " + value.plain();
    if (is_amount) message += ", difference " + std::to_string(mine.amount - value.amount);
    message += documents_of(ours.provenance, code);
    findings.add("propuesta_differs", severity, place, message,
                 "ours is kept; look for documents that only one side has");
  }
}

}  // namespace f29
