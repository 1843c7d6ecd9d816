// A subset of JSON Schema: $ref within the document, type, enum, properties, required,
// additionalProperties, items, oneOf. Any other keyword of a schema is a fault, so that nothing is
// described without being checked.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace f29test {

// Empty: `value` fits. Else where and why not.
std::string misfit(const nlohmann::json& document, const nlohmann::json& schema,
                   const nlohmann::json& value, const std::string& place = "$");

}  // namespace f29test
