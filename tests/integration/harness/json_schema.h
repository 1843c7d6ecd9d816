// A small validator of JSON Schema: the keywords that docs/schema uses. A keyword that it does not
// know is a fault, so that no rule is passed over in silence.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace harness {

class JsonSchema {
 public:
  using Json = nlohmann::json;
  explicit JsonSchema(Json schema) : schema_(std::move(schema)) {}

  // Every fault as "place: what"; none: the value is of this shape.
  std::vector<std::string> faults(const Json& value) const {
    std::vector<std::string> found;
    check(schema_, value, "", found);
    return found;
  }

 private:
  using Faults = std::vector<std::string>;

  static bool is_of(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "integer") return value.is_number_integer();
    if (type == "number") return value.is_number();
    return type == "null" && value.is_null();
  }
  static bool is_of_one(const Json& value, const Json& types) {
    if (types.is_string()) return is_of(value, types.get<std::string>());
    for (const Json& type : types) {
      if (is_of(value, type.get<std::string>())) return true;
    }
    return false;
  }
  static void check(const Json& schema, const Json& value, const std::string& at, Faults& found) {
    for (const auto& [keyword, rule] : schema.items()) {
      const std::string what = check_keyword(schema, keyword, rule, value, at, found);
      if (!what.empty()) found.push_back((at.empty() ? "/" : at) + ": " + what);
    }
  }
  // The fault of this place; those of inner places go to `found`.
  static std::string check_keyword(const Json& schema, const std::string& keyword, const Json& rule,
                                   const Json& value, const std::string& at, Faults& found) {
    if (keyword == "$schema" || keyword == "title" || keyword == "$comment") return "";
    if (keyword == "type") return is_of_one(value, rule) ? "" : "is no " + rule.dump();
    if (keyword == "const") return value == rule ? "" : "is not " + rule.dump();
    if (keyword == "enum") {
      for (const Json& one : rule) {
        if (value == one) return "";
      }
      return value.dump() + " is none of " + rule.dump();
    }
    if (keyword == "minimum") return !value.is_number() || value >= rule ? "" : "is too small";
    if (keyword == "maximum") return !value.is_number() || value <= rule ? "" : "is too large";
    if (keyword == "minItems") {
      return !value.is_array() || value.size() >= rule.get<size_t>() ? "" : "has too few items";
    }
    if (keyword == "required") {
      for (const Json& key : rule) {
        if (value.is_object() && !value.contains(key.get<std::string>())) {
          return "misses " + key.dump();
        }
      }
      return "";
    }
    return check_inner(schema, keyword, rule, value, at, found);
  }
  static std::string check_inner(const Json& schema, const std::string& keyword, const Json& rule,
                                 const Json& value, const std::string& at, Faults& found) {
    if (keyword == "items") {
      for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
        check(rule, value[i], at + "/" + std::to_string(i), found);
      }
    } else if (keyword == "properties") {
      for (const auto& [key, inner] : rule.items()) {
        if (value.is_object() && value.contains(key)) {
          check(inner, value[key], at + "/" + key, found);
        }
      }
    } else if (keyword == "additionalProperties") {
      if (!value.is_object()) return "";
      for (const auto& [key, inner] : value.items()) {
        if (schema.contains("properties") && schema["properties"].contains(key)) continue;
        check(rule, inner, at + "/" + key, found);
      }
    } else {
      return "a keyword that is not known: " + keyword;
    }
    return "";
  }

  Json schema_;
};

}  // namespace harness
