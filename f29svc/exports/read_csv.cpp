#include <vector>

#include "f29svc/exports/writers.h"

namespace f29 {
namespace {

// One line of `;` fields with quotes; what a spreadsheet guard put before a text is taken off.
std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (is_quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        is_quoted = false;
      }
    } else if (c == '"' && fields.back().empty()) {
      is_quoted = true;
    } else if (c == ';') {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  for (std::string& field : fields) {
    bool is_guarded = field.size() > 1 && field[0] == '\'' &&
                      std::string_view("=+-@\t\r").find(field[1]) != std::string_view::npos;
    if (is_guarded) field.erase(0, 1);
  }
  return fields;
}

}  // namespace

base::Result<Return> read_csv(std::string_view text, const std::string& name, Findings& findings) {
  auto refuse = [](std::string detail) -> base::Result<Return> {
    return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(detail));
  };
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  ReturnReader reader(name, findings);
  size_t code_at = SIZE_MAX;
  size_t value_at = SIZE_MAX;
  bool has_header = false;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    std::vector<std::string> fields = split(line);
    if (!has_header) {
      has_header = true;
      for (size_t i = 0; i < fields.size(); ++i) {
        if (fields[i] == "code") code_at = i;
        if (fields[i] == "value") value_at = i;
      }
      if (code_at == SIZE_MAX) {
        return refuse("no column code: lines move between versions of the form, codes do not");
      }
      if (value_at == SIZE_MAX) return refuse("no column value");
      continue;
    }
    if (fields.size() <= std::max(code_at, value_at)) continue;
    if (!reader.take_named(fields[code_at], fields[value_at])) {
      reader.take(fields[code_at], fields[value_at]);
    }
  }
  return reader.finish();
}

}  // namespace f29
