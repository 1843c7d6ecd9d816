// Odoo's search domains over JSON records, as far as the tests need them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace f29test {

using Table = std::map<int64_t, nlohmann::json>;
using Tables = std::map<std::string, Table>;

bool matches(const Tables& tables, const nlohmann::json& record, const nlohmann::json& domain);

}  // namespace f29test
