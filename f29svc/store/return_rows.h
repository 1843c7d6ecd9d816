// A return as rows of many tables, and back.
#pragma once

#include "f29svc/domain/return.h"
#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

// Needs: the tables hold nothing of the return yet but its row.
base::Result<> write_return_rows(Database& database, int64_t return_id, int64_t company_id,
                                 const Return& tax_return);
// Everything but company, period and what the row itself says.
base::Result<> read_return_rows(Database& database, int64_t return_id, Return& tax_return,
                                bool with_provenance = true);

base::Result<> write_findings(Database& database, const char* table, int64_t owner_id,
                              const std::vector<Finding>& findings);
base::Result<std::vector<Finding>> read_findings(Database& database, const char* table,
                                                 int64_t owner_id);

std::string settings_text(const Settings& settings);
Settings read_settings(std::string_view text);

}  // namespace f29
