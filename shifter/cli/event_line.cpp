#include "shifter/cli/event_line.h"

#include <nlohmann/json.hpp>

#include "shifter/cli/units.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string field(const Json& event, const char* key) {
  return event.contains(key) ? plain(event.at(key)) : "?";
}

std::string told(const std::string& name, const Json& event) {
  if (name == "command") {
    return field(event, "command") + " (uid " + field(event, "uid") + ", " +
           field(event, "result") + ", epoch " + field(event, "epoch") + ")";
  }
  if (name == "color_state") {
    return field(event, "color") + ": " + field(event, "from") + " to " + field(event, "to");
  }
  if (name == "color_health") return field(event, "color") + ": " + field(event, "health");
  std::string text;
  for (const auto& [key, value] : event.items()) {
    if (key == "time" || key == "event") continue;
    text += (text.empty() ? "" : " ") + printable(key) + "=" + plain(value);
  }
  return text;
}

}  // namespace

std::string event_line(std::string_view json) {
  const Json event = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!event.is_object() || !event.contains("event")) return printable(json);
  const std::string name = field(event, "event");
  std::string time = event.contains("time") ? field(event, "time") : "";
  if (time.size() >= 19) time = time.substr(11, 8);  // of 2026-06-30T12:00:00.123Z
  return time + " " + padded(name, 12, Align::left) + " " + told(name, event);
}

}  // namespace cli
