#include "f29svc/domain/postponement.h"

namespace f29 {

Postponement postponement_of(const Boxes& boxes, Date due, Date filed_on, Date today) {
  Postponement found;
  const int64_t vat = amount_in(boxes, 89);
  const int64_t given = amount_in(boxes, 755);
  found.vat = Pesos{vat};
  if (vat <= 0) found.why_not.push_back("there is no VAT to pay (box 89)");
  if (amount_in(boxes, 756) == 0) {
    found.why_not.push_back("box 756 is not marked: give postpone.filed_on in the inputs");
  }
  if (given != 0 && given != vat) {
    found.why_not.push_back("the whole VAT or none: box 755 is not box 89");
  }
  const Date filed = filed_on.is_none() ? today : filed_on;
  if (filed > due) found.why_not.push_back("only where it is filed in time, by " + due.text());
  return found;
}

Date postponed_to(Date due, int months, const std::vector<Date>& holidays) {
  return business_day_from(add_months(due, months), holidays);
}

}  // namespace f29
