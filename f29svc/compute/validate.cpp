#include "f29svc/compute/validate.h"

#include "f29svc/form/codes.h"
#include "f29svc/form/form.h"
#include "f29svc/form/formula.h"

namespace f29 {
namespace {

void say(Findings& findings, std::string_view code, Severity severity, int box, std::string message,
         std::string advice) {
  Place place;
  place.subject = "box " + std::to_string(box);
  findings.add(code, severity, place, std::move(message), std::move(advice));
}

struct Pair {
  int credit;  // what may be credited
  int total;   // what invoices were charged
};
constexpr Pair kIlaPairs[] = {{576, 575}, {33, 574}, {149, 580}, {85, 582}, {754, 753}};

void check_signs(const Return& tax_return, Findings& findings) {
  for (const auto& [code, value] : tax_return.boxes) {
    bool is_negative = value.kind == BoxValue::Kind::amount    ? value.amount < 0
                       : value.kind == BoxValue::Kind::decimal ? value.decimal < Decimal{}
                                                               : false;
    if (is_negative && !may_be_negative(code)) {
      // A total below 0 has its reason in other boxes, which may all be right.
      const BoxInfo* box = find_box(code);
      bool is_computed = box != nullptr && !box->formula.empty();
      say(findings, "negative_box", is_computed ? Severity::warning : Severity::error, code,
          "the amount must be ≥ 0 and is " + value.plain(),
          "declare the missing documents or move the excess to the month it belongs to");
    }
    bool is_out = value.kind == BoxValue::Kind::amount &&
                  (value.amount > kAmountMost || value.amount < -kAmountMost);
    if (is_out) {
      say(findings, "box_out_of_range", Severity::error, code,
          "more than 15 digits: " + value.plain(), "look for a wrong document");
    }
  }
}

void check_version(const Return& tax_return, Findings& findings) {
  FormVersion version = version_of(tax_return.period);
  for (const auto& [code, value] : tax_return.boxes) {
    const BoxInfo* box = find_box(code);
    if (box == nullptr || box->identity || line_of(code, version) != 0) continue;
    say(findings, "box_not_in_form", Severity::warning, code,
        "the form of " + tax_return.period.text() + " (" + std::string(version_text(version)) +
            ") has no such box",
        "check the period");
  }
}

// A line has its documents and its amount: one without the other is worth a look.
void check_counts(const Return& tax_return, Findings& findings) {
  for (const BoxInfo& count : all_boxes()) {
    if (count.kind != BoxKind::count) continue;
    for (const BoxInfo& amount : all_boxes()) {
      bool is_partner =
          amount.lines[2] == count.lines[2] && amount.kind != BoxKind::count && amount.code != 817;
      if (!is_partner || amount_in(tax_return.boxes, amount.code) == 0) continue;
      if (amount_in(tax_return.boxes, count.code) != 0 || amount.code == 142 ||
          amount.code == 562 || amount.code == 20) {
        continue;
      }
      say(findings, "count_missing", Severity::note, amount.code,
          "an amount without documents in box " + std::to_string(count.code),
          "give the number of documents");
    }
  }
}

}  // namespace

void check_boxes(const Return& tax_return, Findings& findings) {
  const Boxes& boxes = tax_return.boxes;
  check_signs(tax_return, findings);
  check_version(tax_return, findings);
  check_counts(tax_return, findings);
  for (Pair pair : kIlaPairs) {
    if (amount_in(boxes, pair.credit) <= amount_in(boxes, pair.total)) continue;
    say(findings, "ila_credit_over_total", Severity::warning, pair.credit,
        "more credit than the " + std::to_string(amount_in(boxes, pair.total)) + " of box " +
            std::to_string(pair.total),
        "check both boxes");
  }
  if (amount_in(boxes, 723) > amount_in(boxes, 62)) {
    say(findings, "sence_over_ppm", Severity::error, 723,
        "the training credit is larger than the PPM of box 62",
        "impute at most box 62; the rest goes to 724");
  }
  if (amount_in(boxes, 554) + amount_in(boxes, 39) < amount_in(boxes, 736)) {
    say(findings, "withheld_note_over", Severity::warning, 736,
        "credit notes take back more than was withheld this month", "check the notes");
  }
}

void check_sums(const Return& tax_return, Pesos iva_debito, Pesos iva_credito, Findings& findings) {
  auto form = Evaluator::of_form();
  if (!form) return;
  auto compare = [&](std::string_view code, int total, int64_t without, Pesos claimed) {
    auto sum = form->value_of(total, tax_return.boxes);
    if (!sum) return;
    int64_t lines = *sum - without;
    int64_t stated = amount_in(tax_return.boxes, total) - without;
    if (lines != claimed.value()) {
      say(findings, code, Severity::error, total,
          "the lines add up to " + std::to_string(lines) + " but " +
              std::to_string(claimed.value()) + " is claimed, difference " +
              std::to_string(lines - claimed.value()),
          "compute again, or find the missing documents");
    } else if (stated != lines) {
      say(findings, code, Severity::error, total,
          "the lines add up to " + std::to_string(lines) + " but the box has " +
              std::to_string(stated) + ", difference " + std::to_string(lines - stated),
          "compute again");
    }
  };
  compare("sum_debito_differs", 538, 0, iva_debito);
  // The books' credit of the month never has what was carried over.
  compare("sum_credito_differs", 537, amount_in(tax_return.boxes, 504), iva_credito);
}

void check_formulas(const Return& tax_return, Findings& findings) {
  auto form = Evaluator::of_form();
  if (!form) return;
  // Helpers are computed along; what they need beyond boxes is not in a return.
  Boxes boxes = tax_return.boxes;
  boxes[kHelperFinalConsumer] = BoxValue::of(int64_t{tax_return.settings.final_consumer});
  for (const Evaluator::Rule& rule : form->rules()) {
    auto computed = form->value_of(rule.code, boxes);
    if (!computed) continue;
    if (rule.code >= kHelperFirst) {
      boxes[rule.code] = BoxValue::of(*computed);
      continue;
    }
    int64_t stated = amount_in(boxes, rule.code);
    bool is_informative = rule.code == 511 || rule.code == 755;
    if (stated == *computed) continue;
    say(findings, "formula_differs", is_informative ? Severity::note : Severity::warning, rule.code,
        "the box has " + std::to_string(stated) + " and its formula gives " +
            std::to_string(*computed),
        "compute again, or check the boxes of the formula");
  }
}

void check_open(const Return& earlier, Findings& findings) {
  if (!is_closed(earlier.state)) return;
  Place place;
  place.subject = "period " + earlier.period.text();
  findings.add(
      "period_closed", Severity::error, place,
      "the return is " + std::string(state_text(earlier.state)) + ": it cannot be computed again",
      "make a rectification, which is a new version");
}

}  // namespace f29
