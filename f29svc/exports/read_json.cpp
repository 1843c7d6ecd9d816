#include <nlohmann/json.hpp>

#include "f29svc/exports/writers.h"

namespace f29 {
namespace {

using nlohmann::json;

base::Result<Return> refuse(std::string detail) {
  return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(detail));
}

std::string plain(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "1" : "0";
  if (value.is_null()) return {};
  return value.dump();
}

void read_settings(const json& from, Settings& settings) {
  auto number = [&](const char* key, auto& into) {
    if (from.contains(key) && from[key].is_number_integer()) from[key].get_to(into);
  };
  auto flag = [&](const char* key, bool& into) {
    if (from.contains(key) && from[key].is_boolean()) from[key].get_to(into);
  };
  number("utm_decimals", settings.utm_decimals);
  number("factor_decimals", settings.factor_decimals);
  number("liquidation_line", settings.liquidation_line);
  number("tolerance", settings.tolerance);
  flag("final_consumer", settings.final_consumer);
  flag("small_diesel", settings.small_diesel);
  flag("exclude_annulled", settings.exclude_annulled);
  flag("lenient", settings.lenient);
  flag("electronic", settings.electronic);
  flag("move_28th", settings.move_28th);
}

std::string text_in(const json& from, const char* key) {
  return from.contains(key) && from[key].is_string() ? from[key].get<std::string>() : std::string();
}

int64_t number_in(const json& from, const char* key) {
  bool is_number = from.contains(key) && from[key].is_number_integer();
  return is_number ? from[key].get<int64_t>() : 0;
}

void read_findings(const json& list, std::vector<Finding>& into) {
  for (const json& one : list) {
    if (!one.is_object()) continue;
    Finding& finding = into.emplace_back();
    finding.code = text_in(one, "code");
    finding.message = text_in(one, "message");
    finding.advice = text_in(one, "advice");
    finding.place = {text_in(one, "file"), number_in(one, "line"),
                     static_cast<int>(number_in(one, "column")), text_in(one, "subject")};
    std::string severity = text_in(one, "severity");
    if (severity == "error") finding.severity = Severity::error;
    if (severity == "note") finding.severity = Severity::note;
  }
}

// Depth is bounded by a callback before anything deep is built.
std::optional<json> parse(std::string_view text) {
  bool is_deep = false;
  auto guard = [&](int depth, json::parse_event_t, json&) {
    is_deep |= depth > 16;
    return depth <= 16;
  };
  json whole = json::parse(text, guard, false);
  if (is_deep || whole.is_discarded() || !whole.is_object()) return std::nullopt;
  return whole;
}

bool is_ours(const json& whole) { return whole.contains("boxes") && whole["boxes"].is_object(); }

void take_codes(const json& whole, ReturnReader& reader) {
  bool has_campos = whole.contains("campos") && whole["campos"].is_object();
  const json& codes = is_ours(whole) ? whole["boxes"] : has_campos ? whole["campos"] : whole;
  for (const auto& [code, value] : codes.items()) {
    if (!value.is_structured()) reader.take(code, plain(value));
  }
}

}  // namespace

base::Result<Boxes> read_boxes(std::string_view text, const std::string& name, Findings& findings) {
  auto whole = parse(text);
  if (!whole) {
    return base::fail(base::ErrorCode::bad_input, base::Side::client, "not a JSON object");
  }
  ReturnReader reader(name, findings);
  take_codes(*whole, reader);
  return std::move(reader).boxes();
}

base::Result<Return> read_json(std::string_view text, const std::string& name, Findings& findings) {
  auto whole = parse(text);
  if (!whole) return refuse("not a JSON object");
  ReturnReader reader(name, findings);
  bool ours = is_ours(*whole);
  for (const char* key : {"company", "name", "period", "version", "state", "folio", "due"}) {
    if (ours && whole->contains(key)) reader.take_named(key, plain((*whole)[key]));
  }
  take_codes(*whole, reader);
  if (ours && whole->contains("extras") && (*whole)["extras"].is_object()) {
    for (const auto& [code, value] : (*whole)["extras"].items()) reader.take(code, plain(value));
  }
  auto made = reader.finish();
  if (!made || !ours) return made;
  if (whole->contains("settings") && (*whole)["settings"].is_object()) {
    read_settings((*whole)["settings"], made->settings);
  }
  if (whole->contains("findings") && (*whole)["findings"].is_array()) {
    read_findings((*whole)["findings"], made->findings);
  }
  return made;
}

}  // namespace f29
