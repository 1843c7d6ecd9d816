#include "f29svc/domain/words.h"
#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

// Up to five digits, zero-padded or not; 0: no code.
int code_of(std::string_view text) {
  if (text.empty() || text.size() > 5) return 0;
  auto value = parse_pesos(text);
  return value && *value > Pesos{} ? static_cast<int>(value->value()) : 0;
}

}  // namespace

std::optional<ExportFormat> parse_format(std::string_view text) {
  if (text == "json") return ExportFormat::json;
  if (text == "campos") return ExportFormat::campos;
  if (text == "csv") return ExportFormat::csv;
  if (text == "xml") return ExportFormat::xml;
  return std::nullopt;
}

std::string_view content_type(ExportFormat format) {
  switch (format) {
    case ExportFormat::csv:
      return "text/csv; charset=utf-8";
    case ExportFormat::xml:
      return "application/xml";
    default:
      return "application/json";
  }
}

std::string why_not(const Return& tax_return, ExportFormat format) {
  if (format != ExportFormat::xml) return {};
  constexpr size_t kTextMost = 200;
  if (tax_return.name.size() > kTextMost || tax_return.folio.size() > kTextMost) {
    return "name and folio have at most 200 bytes";
  }
  for (const auto& [code, value] : tax_return.boxes) {
    if (value.kind != BoxValue::Kind::amount) continue;
    bool is_wrong_sign = value.amount < 0 && !may_be_negative(code);
    bool is_too_long = value.amount > kAmountMost || value.amount < -kAmountMost;
    if (is_wrong_sign || is_too_long) {
      return "box " + std::to_string(code) + " cannot be " + value.plain();
    }
  }
  return {};
}

void write_return(const Return& tax_return, ExportFormat format, std::ostream& out) {
  switch (format) {
    case ExportFormat::json:
      write_json(tax_return, out);
      break;
    case ExportFormat::campos:
      write_campos(tax_return, out);
      break;
    case ExportFormat::csv:
      write_csv(tax_return, out);
      break;
    case ExportFormat::xml:
      write_xml(tax_return, out);
      break;
  }
}

base::Result<Return> read_return(std::string_view text, ExportFormat format,
                                 const std::string& name, Findings& findings) {
  switch (format) {
    case ExportFormat::csv:
      return read_csv(text, name, findings);
    case ExportFormat::xml:
      return read_xml(text, name, findings);
    default:
      return read_json(text, name, findings);
  }
}

bool ReturnReader::take_named(std::string_view key, std::string_view value) {
  if (key == "company") {
    if (auto rut = parse_rut(value)) made_.company = *rut;
  } else if (key == "period") {
    if (auto period = Period::parse(value)) made_.period = *period;
  } else if (key == "version") {
    auto version = parse_pesos(value);
    if (version && *version > Pesos{} && *version < Pesos{10'000}) {
      made_.version = static_cast<int>(version->value());
    }
  } else if (key == "state") {
    if (auto state = parse_state(value)) made_.state = *state;
  } else if (key == "name") {
    made_.name = value;
  } else if (key == "folio") {
    made_.folio = value;
  } else if (key == "due") {
    if (auto due = parse_iso_date(value)) made_.due = *due;
  } else {
    return key == "form" || key == "declaration";
  }
  return true;
}

void ReturnReader::take(std::string_view code_text, std::string_view value) {
  int code = code_of(code_text);
  const BoxInfo* box = code == 0 ? nullptr : find_box(code);
  Place place{name_, 0, 0, "code " + std::string(code_text)};
  if (box != nullptr && box->kind == BoxKind::echo) return;
  if (code_text.empty() || code_text.size() > 100) {
    findings_.add("bad_code", Severity::error, place, "no code", "correct the file");
    return;
  }
  std::string clean;
  if (!is_utf8(value)) {
    to_clean_utf8(value, clean);
    value = clean;
  }
  if (code == 1) {
    made_.name = value;
  } else if (code == 3) {
    take_named("company", value);
  } else if (code == 7) {
    made_.folio = value;
  } else if (code == 15) {
    take_named("period", value);
  } else if (box == nullptr || box->identity) {
    made_.extras[std::string(code_text)] = value;
    findings_.add("unknown_code", Severity::warning, place,
                  "kept as it is, and not summed: " + std::string(value.substr(0, 100)),
                  "nothing, or correct the code");
  } else {
    ReadValue reading = read_box_value(*box, value);
    if (!reading.value) {
      findings_.add("bad_box_value", Severity::error, place, std::string(reading.error),
                    "correct the value");
    } else if (made_.boxes.contains(code)) {
      findings_.add("code_twice", Severity::error, place, "stands twice", "remove one");
    } else if (!reading.value->is_empty()) {
      made_.boxes[code] = *reading.value;
    }
  }
}

base::Result<Return> ReturnReader::finish() {
  if (made_.company.is_empty() || made_.period.is_none()) {
    return base::fail(base::ErrorCode::bad_input, base::Side::client,
                      "a return needs its company and its period");
  }
  made_.iva_debito = Pesos{amount_in(made_.boxes, 538)};
  made_.iva_credito = Pesos{amount_in(made_.boxes, 537) - amount_in(made_.boxes, 504)};
  if (!made_.boxes.empty()) {
    bool is_paid = amount_in(made_.boxes, 91) != 0;
    made_.declaration = is_paid ? Declaration::normal : Declaration::sin_pago;
  }
  if (made_.due.is_none()) made_.due = due_date(made_.period, made_.declaration);
  return std::move(made_);
}

}  // namespace f29
