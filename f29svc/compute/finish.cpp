// Evaluates the form over what documents and inputs gave, and closes the return.
#include <algorithm>

#include "f29svc/compute/validate.h"
#include "f29svc/compute/work.h"
#include "f29svc/form/codes.h"
#include "f29svc/form/form.h"

namespace f29 {

using base::ErrorCode;

base::Result<Return> Computation::Work::finish() {
  add_kept_back();
  add_additions();
  if (ledger.overflowed() || common_use_vat.overflowed() || paper_credit.overflowed()) {
    return base::fail(ErrorCode::bad_input, base::Side::client,
                      "the amounts of the documents are too large to add up");
  }
  Boxes boxes = ledger.boxes();
  add_fee_inputs(boxes);
  if (auto done = add_carried_over(boxes); !done) return base::fail(done.error());
  apply_given(boxes);
  if (auto done = evaluate(boxes); !done) return base::fail(done.error());
  check_summaries();
  check_sections();
  check_sales();
  check_unmapped();
  if (common_use_vat.total() != Pesos{}) {
    std::string vat = "common-use IVA " + std::to_string(common_use_vat.total().value());
    if (factor) {
      say_box("common_use_factor", Severity::warning, 520,
              vat + ": the factor " + factor->text() + " is an input", "check the factor");
    } else {
      say_box("common_use_factor_missing", Severity::error, 520,
              vat + " gives no credit without a factor",
              "give common_use_factor or common_use in the inputs");
    }
  }
  return closed(std::move(boxes));
}

base::Result<> Computation::Work::evaluate(Boxes& boxes) {
  auto form = Evaluator::of_form();
  if (!form) return base::fail(form.error());
  boxes[kHelperPaper] = BoxValue::of(paper_credit.total());
  boxes[kHelperFinalConsumer] = BoxValue::of(int64_t{inputs.settings.final_consumer});
  std::vector<int> fixed;
  for (const auto& [code, value] : inputs.boxes) {
    if (code != 755) fixed.push_back(code);
  }
  // First without postponement: whether it is allowed depends on 89.
  boxes[756] = BoxValue::of(int64_t{0});
  if (auto done = form->run(boxes, fixed); !done) return base::fail(done.error());
  if (may_postpone(boxes)) {
    boxes[756] = BoxValue::of(int64_t{1});
    if (auto done = form->run(boxes, fixed); !done) return base::fail(done.error());
  }
  check_given(*form, boxes);
  explain(*form, boxes);
  return {};
}

bool Computation::Work::may_postpone(const Boxes& boxes) {
  bool is_marked = amount_in(inputs.boxes, 756) != 0;
  bool is_wanted = is_marked || inputs.postpone_filed_on.has_value();
  int64_t vat = amount_in(boxes, 89);
  int64_t given = amount_in(inputs.boxes, 755);
  if (given != 0 && given != vat) {
    say_box("postpone_partial", Severity::error, 755,
            "postponement is of the whole VAT or none: " + std::to_string(given) + " of " +
                std::to_string(vat) + "; nothing is postponed",
            "give 755 equal to 89, or leave it out");
    return false;
  }
  if (!is_wanted) {
    if (given != 0) {
      say_box("postpone_unmarked", Severity::error, 755,
              "755 is given but 756 is not marked; nothing is postponed",
              "mark 756 or give postpone.filed_on");
    }
    return false;
  }
  DueRules rules{inputs.settings.electronic, inputs.settings.move_28th, options.holidays};
  Date due = due_date(options.period, Declaration::normal, rules);
  if (inputs.postpone_filed_on && *inputs.postpone_filed_on > due) {
    say_box("postpone_late", Severity::error, 756,
            "postponement only in time: filed on " + inputs.postpone_filed_on->text() +
                ", due on " + due.text() + "; nothing is postponed",
            "pay the VAT with this return");
    return false;
  }
  if (vat == 0) {
    say_box("postpone_nothing", Severity::warning, 756, "there is no VAT to postpone",
            "remove the mark");
    return false;
  }
  return true;
}

// A given box that has a formula: say so when the formula would give something else.
void Computation::Work::check_given(const Evaluator& form, const Boxes& boxes) {
  for (const auto& [code, value] : inputs.boxes) {
    const BoxInfo* box = find_box(code);
    if (code == 755 || box == nullptr || box->formula.empty()) continue;
    auto computed = form.value_of(code, boxes);
    if (!computed || *computed == value.amount) continue;
    say_box(
        "box_replaced", Severity::warning, code,
        "the given " + value.plain() + " replaces " + std::to_string(*computed) + " of the formula",
        "remove it from inputs.boxes if the formula is right");
  }
}

void Computation::Work::explain(const Evaluator& form, const Boxes& boxes) {
  for (const Evaluator::Rule& rule : form.rules()) {
    int64_t amount = amount_in(boxes, rule.code);
    if (amount == 0 || rule.code >= kHelperFirst || inputs.boxes.contains(rule.code)) continue;
    ledger.provenance().others.push_back({rule.code, "formula", rule.text, std::to_string(amount)});
  }
}

Return Computation::Work::closed(Boxes boxes) {
  Return made;
  made.company = options.company;
  made.period = options.period;
  made.state = ReturnState::computed;
  made.settings = inputs.settings;
  std::erase_if(boxes,
                [](const auto& box) { return box.first >= kHelperFirst || box.second.is_empty(); });
  made.boxes = std::move(boxes);
  made.iva_debito = Pesos{amount_in(made.boxes, 538)};
  made.iva_credito = Pesos{amount_in(made.boxes, 537)} - Pesos{amount_in(made.boxes, 504)};
  if (!made.boxes.empty()) {
    bool is_paid = amount_in(made.boxes, 91) != 0;
    made.declaration = is_paid ? Declaration::normal : Declaration::sin_pago;
  }
  DueRules rules{inputs.settings.electronic, inputs.settings.move_28th, options.holidays};
  made.due = due_date(options.period, made.declaration, rules);
  int due_year = options.period.plus(1).year();
  if (due_year < kFirstHolidayYear || due_year > kLastHolidayYear) {
    Place place;
    place.subject = "due date";
    findings.add("holidays_unknown", Severity::note, place,
                 "no holidays are known for " + std::to_string(due_year),
                 "name them in the configuration");
  }
  check_boxes(made, findings);
  findings.finish();
  made.findings = findings.take();
  made.unmapped = std::move(unmapped);
  auto& others = ledger.provenance().others;
  std::stable_sort(others.begin(), others.end(),
                   [](const auto& a, const auto& b) { return a.box < b.box; });
  made.provenance = std::move(ledger.provenance());
  return made;
}

}  // namespace f29
