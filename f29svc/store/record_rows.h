// Rows → records: what Store and PeriodWork both read.
#pragma once

#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

// A period as a number, 202606.
int64_t number_of(Period period);
Period period_of(int64_t number);

base::Result<std::vector<ReturnRecord>> read_return_records(Database& database, int64_t company_id,
                                                            Period period);
// By slot, the current one of each; or all, newest first.
base::Result<std::vector<ImportRecord>> read_import_records(Database& database, int64_t company_id,
                                                            Period period, bool all);
// Newest first.
base::Result<std::vector<InputsRecord>> read_inputs_records(Database& database, int64_t company_id,
                                                            Period period, int most);
base::Result<Return> load_return(Database& database, const CompanyRecord& company, Period period,
                                 const ReturnRecord& record, bool with_provenance = true);

}  // namespace f29
