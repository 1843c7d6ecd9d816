// code;line;label;sign;value, meant for spreadsheets, and the keying sheet by line.
#include <algorithm>
#include <vector>

#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

void row(std::ostream& out, std::string_view code, std::string_view line, std::string_view label,
         std::string_view sign, std::string_view value) {
  out << code << ';' << line << ';' << label << ';' << sign << ';' << value << "\r\n";
}

std::string padded_left(std::string_view text, size_t width) {
  return std::string(text.size() < width ? width - text.size() : 0, ' ') + std::string(text);
}

// Characters, not bytes.
size_t length_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

std::string csv_cell(std::string_view text) {
  std::string safe(text);
  if (!safe.empty() && std::string_view("=+-@\t\r").find(safe.front()) != std::string_view::npos) {
    safe.insert(safe.begin(), '\'');
  }
  std::replace_if(
      safe.begin(), safe.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (safe.find_first_of(";\"") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (char c : safe) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

void write_csv(const Return& tax_return, std::ostream& out) {
  FormVersion version = version_of(tax_return.period);
  row(out, "code", "line", "label", "sign", "value");
  row(out, "3", "", "RUT", "", tax_return.company.text());
  if (!tax_return.name.empty()) row(out, "1", "", "Razón social", "", csv_cell(tax_return.name));
  row(out, "15", "", "Período", "", tax_return.period.compact());
  if (!tax_return.folio.empty()) row(out, "7", "", "Folio", "", csv_cell(tax_return.folio));
  row(out, "version", "", "Versión", "", std::to_string(tax_return.version));
  row(out, "state", "", "Estado", "", state_text(tax_return.state));
  for (const auto& [code, value] : tax_return.boxes) {
    const BoxInfo* box = find_box(code);
    int line = line_of(code, version);
    // The sign says how the box enters its total; a leading + or - alone is no formula.
    std::string_view sign =
        box == nullptr || box->sign == ' ' ? "" : std::string_view(&box->sign, 1);
    bool is_text = value.kind == BoxValue::Kind::text;
    row(out, std::to_string(code), line == 0 ? "" : std::to_string(line),
        box == nullptr ? "" : csv_cell(box->label), sign == "=" ? "'=" : sign,
        is_text ? csv_cell(value.plain()) : value.plain());
  }
  for (const auto& [code, value] : tax_return.extras)
    row(out, csv_cell(code), "", "", "", csv_cell(value));
}

void write_sheet(const Return& tax_return, std::ostream& out) {
  FormVersion version = version_of(tax_return.period);
  struct Row {
    int line;
    int code;
    std::string_view label;
    std::string value;
  };
  std::vector<Row> rows;
  for (const auto& [code, value] : tax_return.boxes) {
    const BoxInfo* box = find_box(code);
    if (box == nullptr) continue;
    bool is_amount = value.kind == BoxValue::Kind::amount;
    rows.push_back({line_of(code, version), code, box->label,
                    is_amount ? grouped(Pesos{value.amount}) : value.plain()});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.line < b.line; });
  size_t label_width = 5;
  size_t value_width = 5;
  for (const Row& one : rows) {
    label_width = std::max(label_width, length_of(one.label));
    value_width = std::max(value_width, one.value.size());
  }
  out << "Planilla de digitación, Formulario 29 (" << version_text(version) << ")\n"
      << "RUT " << tax_return.company.text();
  if (!tax_return.name.empty()) out << "  " << tax_return.name;
  out << "\nPeríodo " << tax_return.period.text() << "  versión " << tax_return.version;
  if (!tax_return.folio.empty()) out << "  folio " << tax_return.folio;
  out << "  vence " << tax_return.due.text() << "\n\n";
  auto line_out = [&](std::string_view line, std::string_view code, std::string_view label,
                      std::string_view value) {
    out << padded_left(line, 5) << "  " << padded_left(code, 6) << "  " << label
        << std::string(label_width - std::min(label_width, length_of(label)), ' ') << "  "
        << padded_left(value, value_width) << '\n';
  };
  line_out("línea", "código", "glosa", "valor");
  for (const Row& one : rows) {
    line_out(one.line == 0 ? "-" : std::to_string(one.line), std::to_string(one.code), one.label,
             one.value);
  }
}

}  // namespace f29
