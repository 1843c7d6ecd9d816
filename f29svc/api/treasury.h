// Payments for the treasury: a table for spreadsheets, and a calendar (RFC 5545) with the days on
// which something is to be paid.
#pragma once

#include <ostream>
#include <vector>

#include "f29svc/api/service.h"

namespace f29 {

void write_treasury_csv(const std::vector<Flow>& flows, std::ostream& out);
// The same flows always give the same bytes. Whole-day events; what is paid is no event any more.
void write_treasury_calendar(const std::vector<Flow>& flows, std::ostream& out);

}  // namespace f29
