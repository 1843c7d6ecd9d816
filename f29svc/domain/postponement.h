// May the VAT of a return be paid later? The whole of it, by one or two months, where the return is
// filed in time and box 756 is marked; other taxes are paid on the day.
#pragma once

#include <string>
#include <vector>

#include "f29svc/domain/box_value.h"
#include "f29svc/domain/period.h"

namespace f29 {

inline constexpr int kPostponeMonthsMost = 2;

struct Postponement {
  Pesos vat;                         // what would be paid later
  std::vector<std::string> why_not;  // empty: it may
};
// `filed_on`: none where it is not filed yet; then `today` counts.
Postponement postponement_of(const Boxes& boxes, Date due, Date filed_on, Date today);

// The business day that many months after `due`.
Date postponed_to(Date due, int months, const std::vector<Date>& holidays);

}  // namespace f29
