#include "tests/f29/api/json_schema.h"

#include <set>

namespace f29test {

using nlohmann::json;

namespace {

bool is_of_type(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  return false;
}

std::string misfit_of_object(const json& document, const json& schema, const json& value,
                             const std::string& place) {
  const json none = json::object();
  const json& properties = schema.contains("properties") ? schema["properties"] : none;
  for (const json& name : schema.value("required", json::array())) {
    if (!value.contains(name.get<std::string>())) return place + " lacks " + name.dump();
  }
  for (const auto& [name, member] : value.items()) {
    const std::string at = place + "." + name;
    if (properties.contains(name)) {
      const std::string why = misfit(document, properties[name], member, at);
      if (!why.empty()) return why;
      continue;
    }
    const json more = schema.value("additionalProperties", json(true));
    if (more == false) return at + " is not described";
    if (!more.is_object()) continue;
    const std::string why = misfit(document, more, member, at);
    if (!why.empty()) return why;
  }
  return {};
}

}  // namespace

std::string misfit(const json& document, const json& schema, const json& value,
                   const std::string& place) {
  static const std::set<std::string> known = {"$ref",  "type",     "enum",  "properties",
                                              "items", "required", "oneOf", "additionalProperties"};
  for (const auto& [keyword, ignored] : schema.items()) {
    if (!known.contains(keyword)) return place + ": the schema says " + keyword;
  }
  if (schema.contains("$ref")) {
    const std::string to = schema["$ref"].get<std::string>().substr(1);
    const json::json_pointer pointer(to);
    if (!document.contains(pointer)) return place + ": no " + to;
    return misfit(document, document[pointer], value, place);
  }
  if (schema.contains("oneOf")) {
    int fitting = 0;
    for (const json& one : schema["oneOf"]) fitting += misfit(document, one, value, place).empty();
    return fitting == 1 ? "" : place + " fits " + std::to_string(fitting) + " of oneOf";
  }
  if (schema.contains("type")) {
    const json types = schema["type"].is_array() ? schema["type"] : json::array({schema["type"]});
    bool fits = false;
    for (const json& type : types) fits = fits || is_of_type(value, type.get<std::string>());
    if (!fits) return place + " is not " + types.dump() + ": " + value.dump().substr(0, 80);
  }
  if (schema.contains("enum")) {
    const json& list = schema["enum"];
    if (std::find(list.begin(), list.end(), value) == list.end()) {
      return place + " is none of " + list.dump() + ": " + value.dump();
    }
  }
  if (value.is_object()) return misfit_of_object(document, schema, value, place);
  if (value.is_array() && schema.contains("items")) {
    for (size_t i = 0; i < value.size(); ++i) {
      const std::string why =
          misfit(document, schema["items"], value[i], place + "[" + std::to_string(i) + "]");
      if (!why.empty()) return why;
    }
  }
  return {};
}

}  // namespace f29test
