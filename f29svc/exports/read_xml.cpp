#include <pugixml.hpp>

#include "f29svc/exports/writers.h"

namespace f29 {

base::Result<Return> read_xml(std::string_view text, const std::string& name, Findings& findings) {
  auto refuse = [](std::string detail) -> base::Result<Return> {
    return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(detail));
  };
  pugi::xml_document document;
  auto parsed = document.load_buffer(text.data(), text.size());
  if (!parsed) return refuse("not XML at byte " + std::to_string(parsed.offset));
  pugi::xml_node root = document.child("return");
  if (!root || std::string_view(root.attribute("xmlns").value()) != "urn:f29svc:return:1") {
    return refuse("not a return of this service");
  }
  ReturnReader reader(name, findings);
  for (pugi::xml_node node : root.children()) reader.take_named(node.name(), node.child_value());
  for (const char* group : {"boxes", "totals", "extras"}) {
    for (pugi::xml_node node : root.child(group).children()) {
      pugi::xml_attribute code = node.attribute("code");
      if (!code) return refuse("a box without a code");
      reader.take(code.value(), node.child_value());
    }
  }
  return reader.finish();
}

}  // namespace f29
