#include "shifter/control/admin_error.h"

#include "proxy/base/log.h"

namespace control {

std::string_view text_of(AdminCode code) {
  switch (code) {
    case AdminCode::usage:
      return "usage";
    case AdminCode::conflict:
      return "conflict";
    case AdminCode::refused:
      return "refused";
    case AdminCode::state_unwritable:
      return "state_unwritable";
    case AdminCode::bad_config:
      return "bad_config";
    case AdminCode::not_found:
      return "not_found";
    case AdminCode::forbidden:
      return "forbidden";
    case AdminCode::busy:
      return "busy";
    case AdminCode::shutting_down:
      return "shutting_down";
    case AdminCode::moved:
      return "moved";
  }
  return "usage";
}

std::string error_json(const AdminError& error) {
  base::LogLine inner;
  inner.add("code", text_of(error.code)).add("message", error.message);
  if (!error.field.empty()) inner.add("field", error.field);
  std::string_view text = inner.text();
  text.remove_suffix(1);  // its line feed
  std::string json = "{\"ok\":false,\"error\":";
  json += text;
  json += "}";
  return json;
}

}  // namespace control
