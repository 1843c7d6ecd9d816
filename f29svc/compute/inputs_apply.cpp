// What the inputs add to the books: additions, fees, the credit carried over, given boxes.
#include "f29svc/compute/work.h"
#include "f29svc/form/form.h"

namespace f29 {

using base::ErrorCode;

Document document_of(const Addition& addition, Rut company) {
  Document document;
  document.side = addition.side;
  document.section = Section::manual;
  document.type = static_cast<uint16_t>(addition.type);
  document.company = company;
  document.counterparty = addition.issuer;
  document.folio = addition.folio;
  document.use = addition.use;
  document.issued = addition.date;
  document.net = addition.net;
  document.exempt = addition.exempt;
  document.total = addition.net + addition.exempt + addition.vat;
  document.file = UINT16_MAX;
  if (addition.vat != Pesos{}) {
    Part& part = document.parts.emplace_back();
    part.use = addition.use;
    part.base = addition.net;
    part.amount = addition.vat;
  }
  return document;
}

void Computation::Work::add_additions() {
  for (const Addition& addition : inputs.additions) {
    const Document document = document_of(addition, options.company);
    const Provenance& known = ledger.provenance();
    DocumentKey key = key_of(document);
    bool is_known = false;
    for (size_t i = 0; i < known.docs.size() && !is_known; ++i) is_known = known.docs[i].key == key;
    if (is_known) {
      say("addition_is_registered", Severity::error, document,
          "the added document is in the books or the register already; it was not added",
          "remove the addition");
      continue;
    }
    say("addition", Severity::note, document, "added by hand: " + addition.reason, "nothing");
    ledger.begin(document);
    add_declared(document);
  }
}

void Computation::Work::add_fee_inputs(Boxes& boxes) {
  Sum sum;
  std::string detail;
  for (size_t i = 0; i < inputs.fees.size(); ++i) {
    const Fee& fee = inputs.fees[i];
    Place place;
    place.subject = "inputs: fees[" + std::to_string(i) + "]";
    if (!fee.paid.is_none() && !options.period.contains(fee.paid)) {
      findings.add("fee_paid_elsewhere", Severity::warning, place,
                   "paid on " + fee.paid.text() + ", outside the period; not in box 151",
                   "move it to the inputs of that month");
      continue;
    }
    int year = fee.paid.is_none() ? options.period.year() : fee.paid.year;
    const Decimal* right = fee_rate(year);
    if (!fee.rate && right == nullptr) {
      findings.add("fee_rate", Severity::error, place, "no rate is known for that year",
                   "give the rate");
      continue;
    }
    Decimal rate = fee.rate ? *fee.rate : *right;
    if (right != nullptr && rate != *right) {
      findings.add("fee_rate", Severity::warning, place,
                   "the rate " + rate.text() + " % is not the " + right->text() + " % of " +
                       std::to_string(year),
                   "the rate of the payment date holds");
    }
    Pesos withheld = percent_half_up(fee.gross, rate).value_or(Pesos{});
    sum.add(withheld);
    detail += (detail.empty() ? "" : " + ") + std::to_string(fee.gross.value()) + " × " +
              rate.text() + " %";
  }
  if (sum.total() == Pesos{}) return;
  ledger.provenance().others.push_back({151, "fees", detail, std::to_string(sum.total().value())});
  boxes[151] = BoxValue::of(Pesos{amount_in(boxes, 151)} + sum.total());
}

base::Result<Decimal> Computation::Work::utm_of(Period month) const {
  auto found = inputs.utm.find(month);
  if (found != inputs.utm.end() && !found->second.is_zero()) return found->second;
  return base::fail(ErrorCode::bad_input, base::Side::client,
                    "utm_missing: the UTM of " + month.text() +
                        ", the month in which a return is due, is not given");
}

// Last month's 77 in UTM of the month in which that return was due, at the UTM of the month in
// which this one is due. That also holds when an old period is rectified.
base::Result<> Computation::Work::add_carried_over(Boxes& boxes) {
  auto& others = ledger.provenance().others;
  if (inputs.opening_504) {
    boxes[504] = BoxValue::of(*inputs.opening_504);
    others.push_back({504, "opening_balance", "inputs: previous.opening_504",
                      std::to_string(inputs.opening_504->value())});
    return {};
  }
  if (!inputs.previous_77) {
    say_box("no_previous_period", Severity::warning, 504,
            "no previous period and no opening balance: 504 is 0",
            "give previous.77 or previous.opening_504");
    return {};
  }
  if (*inputs.previous_77 == Pesos{}) return {};
  auto before = utm_of(options.period);
  if (!before) return base::fail(before.error());
  auto now = utm_of(options.period.plus(1));
  if (!now) return base::fail(now.error());
  auto quantity = divide_half_up(Decimal{inputs.previous_77->value(), 0}, *before,
                                 inputs.settings.utm_decimals);
  auto amount = quantity ? multiply_half_up(*quantity, *now) : std::nullopt;
  // The same UTM in both months leaves nothing to readjust, rounded quantity or not.
  if (amount && *before == *now) amount = inputs.previous_77;
  if (!amount) {
    return base::fail(ErrorCode::bad_input, base::Side::client, "previous.77: out of range");
  }
  boxes[504] = BoxValue::of(*amount);
  others.push_back({504, "previous_return",
                    std::to_string(inputs.previous_77->value()) + " / " + before->text() + " = " +
                        quantity->text() + " UTM (" + std::to_string(inputs.settings.utm_decimals) +
                        " decimals) × " + now->text(),
                    std::to_string(amount->value())});
  return {};
}

// Given boxes replace what documents made. Those with a formula are compared after evaluation.
void Computation::Work::apply_given(Boxes& boxes) {
  for (const auto& [code, value] : inputs.boxes) {
    int64_t made = amount_in(boxes, code);
    if (made != 0 && value.amount != made) {
      say_box(
          "box_replaced", Severity::warning, code,
          "the given " + value.plain() + " replaces " + std::to_string(made) + " of the documents",
          "remove it from inputs.boxes if the documents are right");
    }
    boxes[code] = value;
    ledger.provenance().others.push_back({code, "input", "inputs: boxes", value.plain()});
  }
  if (!inputs.settings.small_diesel) return;
  for (int code : {743, 745}) {
    if (amount_in(boxes, code) == 0) continue;
    say_box("small_diesel", Severity::note, code,
            "left out: yearly sales under 15.000 UTM (small_diesel)", "nothing");
    boxes[code] = BoxValue::of(int64_t{0});
  }
}

}  // namespace f29
