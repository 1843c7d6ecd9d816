// The API's answers as JSON. openapi.json names the same shapes.
#pragma once

#include <string>
#include <vector>

#include "f29svc/api/refusal.h"
#include "f29svc/api/service.h"
#include "f29svc/http/http_server.h"

namespace f29 {

HttpResponse error_response(const Refusal& refusal);
std::string json_of(const Imported& imported);
std::string json_of(const Validated& validated);
std::string json_of(const ReturnRecord& record);
std::string json_of(const std::vector<CompanyRecord>& companies);
// A period that was never computed is due as a usual return; `holidays` are those beyond the table.
std::string json_of(const std::vector<PeriodRecord>& periods, const std::vector<Date>& holidays);
std::string json_of(const PeriodRecord& period, const std::vector<ImportRecord>& imports,
                    const std::vector<Date>& holidays);
std::string json_of(const std::vector<ReturnRecord>& returns);
std::string json_of(const std::vector<InputsRecord>& inputs);

}  // namespace f29
