// A return as our JSON and as the object `campos`, with codes of three digits and text values.
#include <array>

#include "f29svc/exports/json_writer.h"
#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

void write_value(JsonWriter& json, const BoxValue& value) {
  if (value.kind == BoxValue::Kind::amount) {
    json.number(value.amount);
  } else {
    json.text(value.plain());
  }
}

void write_boxes(JsonWriter& json, const Return& tax_return) {
  json.key("boxes");
  json.open('{');
  for (const auto& [code, value] : tax_return.boxes) {
    json.key(std::to_string(code));
    const BoxInfo* box = find_box(code);
    // A whole volume is a number like any other.
    if (box != nullptr && box->kind == BoxKind::volume && value.decimal.is_whole() &&
        value.kind == BoxValue::Kind::decimal) {
      json.number(parse_pesos(value.decimal.text()).value_or(Pesos{}).value());
    } else {
      write_value(json, value);
    }
  }
  json.close('}');
}

void write_lines(JsonWriter& json, const Return& tax_return) {
  FormVersion version = version_of(tax_return.period);
  json.key("lines");
  json.open('{');
  for (const auto& [code, value] : tax_return.boxes) {
    const BoxInfo* box = find_box(code);
    if (box == nullptr) continue;
    json.key(std::to_string(code));
    json.open('{');
    json.member("line", line_of(code, version));
    json.member("label", box->label);
    json.member("sign", box->sign == ' ' ? std::string_view{} : std::string_view(&box->sign, 1));
    json.close('}');
  }
  json.close('}');
}

// Indices of entries by box, so that a million of them are walked twice and not per box.
std::map<int, std::vector<uint32_t>> entries_by_box(const Provenance& provenance) {
  std::map<int, std::vector<uint32_t>> by_box;
  std::array<std::vector<uint32_t>*, 1024> known{};
  auto add = [&](uint16_t box, size_t i) {
    if (box == 0 || box >= known.size()) return;
    if (known[box] == nullptr) known[box] = &by_box[box];
    known[box]->push_back(static_cast<uint32_t>(i));
  };
  for (size_t i = 0; i < provenance.entries.size(); ++i) {
    const Provenance::Entry& entry = provenance.entries[i];
    add(entry.amount_box, i);
    add(entry.count_box, i);
  }
  return by_box;
}

void write_entry(JsonWriter& json, const Provenance& provenance, const Provenance::Entry& entry,
                 bool is_count) {
  json.open('{');
  json.member("rule", provenance.rules[entry.rule]);
  if (entry.doc != Provenance::kNoDoc) {
    const Provenance::Doc& doc = provenance.docs[entry.doc];
    json.member("document", doc.key.text());
    json.member("section", section_text(doc.section));
    if (doc.file < provenance.files.size()) {
      std::string place = provenance.files[doc.file];
      if (doc.line != 0) place += ':' + std::to_string(doc.line);
      json.member("place", place);
    }
  }
  json.member("amount", is_count ? int64_t{entry.count} : entry.amount);
  json.close('}');
}

void write_provenance(JsonWriter& json, const Return& tax_return) {
  const Provenance& provenance = tax_return.provenance;
  auto by_box = entries_by_box(provenance);
  for (const Provenance::Other& other : provenance.others) by_box[other.box];
  json.key("provenance");
  json.open('{');
  for (const auto& [box, entries] : by_box) {
    json.key(std::to_string(box));
    json.open('[');
    for (uint32_t i : entries) {
      const Provenance::Entry& entry = provenance.entries[i];
      write_entry(json, provenance, entry, entry.count_box == box);
    }
    for (const Provenance::Other& other : provenance.others) {
      if (other.box != box) continue;
      json.open('{');
      json.member("rule", other.rule);
      json.member("detail", other.detail);
      json.key("amount");
      if (auto amount = parse_pesos(other.amount)) {
        json.number(amount->value());
      } else {
        json.text(other.amount);
      }
      json.close('}');
    }
    json.close(']');
  }
  json.close('}');
}

void write_settings(JsonWriter& json, const Settings& settings) {
  json.key("settings");
  json.open('{');
  json.member("utm_decimals", settings.utm_decimals);
  json.member("factor_decimals", settings.factor_decimals);
  json.member("final_consumer", settings.final_consumer);
  json.member("small_diesel", settings.small_diesel);
  json.member("exclude_annulled", settings.exclude_annulled);
  json.member("liquidation_line", settings.liquidation_line);
  json.member("lenient", settings.lenient);
  json.member("tolerance", settings.tolerance);
  json.member("electronic", settings.electronic);
  json.member("move_28th", settings.move_28th);
  json.close('}');
}

std::string padded(int code) {
  std::string text = std::to_string(code);
  return text.size() < 3 ? std::string(3 - text.size(), '0') + text : text;
}

}  // namespace

void write_findings(JsonWriter& json, const std::vector<Finding>& findings) {
  json.key("findings");
  json.open('[');
  for (const Finding& finding : findings) {
    json.open('{');
    json.member("code", finding.code);
    json.member("severity", severity_text(finding.severity));
    json.member("place", finding.place.text());
    json.member("message", finding.message);
    json.member("advice", finding.advice);
    if (!finding.place.file.empty()) json.member("file", finding.place.file);
    if (finding.place.line != 0) json.member("line", finding.place.line);
    if (finding.place.column != 0) json.member("column", finding.place.column);
    if (!finding.place.subject.empty()) json.member("subject", finding.place.subject);
    json.close('}');
  }
  json.close(']');
}

void write_json(const Return& tax_return, std::ostream& out) {
  JsonWriter json(out);
  json.open('{');
  json.member("schema", 1);
  json.member("company", tax_return.company.text());
  if (!tax_return.name.empty()) json.member("name", tax_return.name);
  json.member("period", tax_return.period.text());
  json.member("version", tax_return.version);
  json.member("folio", tax_return.folio);
  json.member("state", state_text(tax_return.state));
  json.member("form", version_text(version_of(tax_return.period)));
  json.member("due", tax_return.due.text());
  json.member("declaration", declaration_text(tax_return.declaration));
  json.member("iva_debito", tax_return.iva_debito.value());
  json.member("iva_credito", tax_return.iva_credito.value());
  write_settings(json, tax_return.settings);
  write_boxes(json, tax_return);
  write_lines(json, tax_return);
  if (!tax_return.extras.empty()) {
    json.key("extras");
    json.open('{');
    for (const auto& [code, value] : tax_return.extras) json.member(code, value);
    json.close('}');
  }
  write_findings(json, tax_return.findings);
  write_provenance(json, tax_return);
  json.close('}');
  out << '\n';
}

void write_campos(const Return& tax_return, std::ostream& out) {
  JsonWriter json(out);
  json.open('{');
  json.key("campos");
  json.open('{');
  if (!tax_return.name.empty()) json.member("001", tax_return.name);
  json.member("003", tax_return.company.text());
  if (!tax_return.folio.empty()) json.member("007", tax_return.folio);
  json.member("015", tax_return.period.compact());
  for (const auto& [code, value] : tax_return.boxes) json.member(padded(code), value.plain());
  for (const auto& [code, value] : tax_return.extras) json.member(code, value);
  json.close('}');
  json.close('}');
  out << '\n';
}

}  // namespace f29
