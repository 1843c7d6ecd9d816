// Checks of a return as a whole. Computation::finish runs them; so does a return that was read
// back from an export or the store.
#pragma once

#include "f29svc/domain/return.h"

namespace f29 {

// Sums, signs, ranges, cross-checks, boxes unknown to the period's form.
void check_boxes(const Return& tax_return, Findings& findings);
// Do the boxes add up to the totals that the return or the books claim (iva_debito = 538,
// iva_credito = 537 without 504)?
void check_sums(const Return& tax_return, Pesos iva_debito, Pesos iva_credito, Findings& findings);
// Is every box with a formula what its formula gives? For returns that were read back.
void check_formulas(const Return& tax_return, Findings& findings);
// `sent` and `paid` close a period: an error finding "period_closed".
void check_open(const Return& earlier, Findings& findings);

}  // namespace f29
