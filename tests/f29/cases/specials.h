// Checks of cases that one computation of boxes does not show. Each returns what differs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace f29 {

std::vector<std::string> run_special(const std::string& name, const nlohmann::json& step);

}  // namespace f29
