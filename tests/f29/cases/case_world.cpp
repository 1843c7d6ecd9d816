#include "tests/f29/cases/case_world.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "f29svc/compute/inputs_yaml.h"
#include "proxy/base/yaml.h"

namespace f29 {
namespace {

using nlohmann::json;

struct ColumnOf {
  const char* header;
  const char* key;       // in a short row; "" is always empty
  const char* standard;  // when the row says nothing
};

constexpr ColumnOf kPurchase[] = {
    {"Nro", "nro", "#"},
    {"Tipo Doc", "type", "33"},
    {"Tipo Compra", "use", "Del Giro"},
    {"RUT Proveedor", "rut", "99990001-1"},
    {"Razon Social", "name", "PROVEEDOR ALFA SPA"},
    {"Folio", "folio", ""},
    {"Fecha Docto", "date", "10/06/2026"},
    {"Fecha Recepcion", "received", "10/06/2026 10:00:00"},
    {"Fecha Acuse", "acuse", ""},
    {"Fecha Reclamo", "claim", ""},
    {"Monto Exento", "exempt", "0"},
    {"Monto Neto", "net", "0"},
    {"Monto IVA Recuperable", "vat", ""},
    {"Monto Iva No Recuperable", "none", ""},
    {"Codigo IVA No Rec.", "none_code", ""},
    {"Monto Total", "total", "0"},
    {"Monto Neto Activo Fijo", "asset_net", ""},
    {"IVA Activo Fijo", "asset_vat", ""},
    {"IVA uso Comun", "common", ""},
    {"Impto. Sin Derecho a Credito", "", ""},
    {"IVA No Retenido", "not_withheld", "0"},
    {"Tabacos Puros", "", ""},
    {"Tabacos Cigarrillos", "", ""},
    {"Tabacos Elaborados", "", ""},
    {"NCE o NDE sobre Fact. de Compra", "over_46", "0"},
    {"Codigo Otro Impuesto", "other", ""},
    {"Valor Otro Impuesto", "other_amount", ""},
    {"Tasa Otro Impuesto", "other_rate", ""},
};

constexpr ColumnOf kSale[] = {
    {"Nro", "nro", "#"},
    {"Tipo Doc", "type", "33"},
    {"Tipo Venta", "use", "Del Giro"},
    {"Rut cliente", "rut", "99980001-7"},
    {"Razon Social", "name", "CLIENTE UNO SPA"},
    {"Folio", "folio", ""},
    {"Fecha Docto", "date", "10/06/2026"},
    {"Fecha Recepcion", "received", "10/06/2026 10:00:00"},
    {"Fecha Acuse Recibo", "acuse", ""},
    {"Fecha Reclamo", "claim", ""},
    {"Monto Exento", "exempt", "0"},
    {"Monto Neto", "net", "0"},
    {"Monto IVA", "vat", "0"},
    {"Monto total", "total", "0"},
    {"IVA Retenido Total", "withheld", "0"},
    {"IVA Retenido Parcial", "withheld_part", "0"},
    {"IVA no retenido", "not_withheld", "0"},
    {"RUT Emisor Liquid. Factura", "liquidation_issuer", "-"},
    {"Neto Comision Liquid. Factura", "commission_net", "0"},
    {"Exento Comision Liquid. Factura", "", "0"},
    {"IVA Comision Liquid. Factura", "commission_vat", "0"},
    {"IVA fuera de plazo", "late_vat", "0"},
    {"Tipo Docto. Referencia", "ref_type", ""},
    {"Folio Docto. Referencia", "ref_folio", ""},
    {"NCE o NDE sobre Fact. de Compra", "over_46", "0"},
    {"Codigo Otro Imp.", "other", ""},
    {"Valor Otro Imp.", "other_amount", ""},
    {"Tasa Otro Imp.", "other_rate", ""},
};

constexpr ColumnOf kSummary[] = {
    {"Tipo Documento", "type", ""},  {"Total Documentos", "count", "0"},
    {"Monto Exento", "exempt", "0"}, {"Monto Neto", "net", "0"},
    {"Monto IVA", "vat", "0"},       {"Monto Total", "total", "0"},
};

std::string plain(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

template <size_t N>
std::string csv(const ColumnOf (&columns)[N], const json& rows, auto is_left_out) {
  std::string text;
  for (const ColumnOf& column : columns) {
    if (is_left_out(column)) continue;
    text += (text.empty() ? "" : ";") + std::string(column.header);
  }
  text += "\r\n";
  int number = 0;
  for (const json& row : rows) {
    if (row.is_string()) {
      text += row.get<std::string>() + "\r\n";  // a raw line
      continue;
    }
    ++number;
    std::string line;
    bool is_first = true;
    for (const ColumnOf& column : columns) {
      if (is_left_out(column)) continue;
      std::string value = column.standard;
      if (value == "#") value = std::to_string(number);
      if (*column.key != 0 && row.contains(column.key)) value = plain(row[column.key]);
      line += (is_first ? "" : ";") + value;
      is_first = false;
    }
    text += line + "\r\n";
  }
  return text;
}

std::string name_of(const json& step, const char* kind) {
  std::string period = step.value("period", "2026-06");
  return "RCV_" + std::string(kind) + "_99999001-0_" + period.substr(0, 4) + period.substr(5) +
         ".csv";
}

bool has_finding(const std::vector<Finding>& findings, const std::string& wanted) {
  // "code" or "code@line" or "code~part of the message"
  size_t mark = wanted.find_first_of("@~");
  std::string code = wanted.substr(0, mark);
  for (const Finding& finding : findings) {
    if (finding.code != code) continue;
    if (mark == std::string::npos) return true;
    std::string rest = wanted.substr(mark + 1);
    if (wanted[mark] == '@' && std::to_string(finding.place.line) == rest) return true;
    if (wanted[mark] == '~' && finding.message.find(rest) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TempFolder::TempFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "f29case-XXXXXX").string();
  path_ = mkdtemp(pattern.data());
}
TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}
std::string TempFolder::put(const std::string& name, const std::string& bytes) const {
  std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::string purchase_csv(const json& rows, const std::string& section) {
  return csv(kPurchase, rows, [&](const ColumnOf& column) {
    std::string header = column.header;
    if (header.starts_with("Tabacos")) return section != "REGISTRO";
    if (header == "Fecha Acuse") return section == "PENDIENTE" || section == "RECLAMADO";
    return header == "Fecha Reclamo" && section != "RECLAMADO";
  });
}
std::string sale_csv(const json& rows) {
  return csv(kSale, rows, [](const ColumnOf&) { return false; });
}
std::string summary_csv(const json& rows) {
  return csv(kSummary, rows, [](const ColumnOf&) { return false; });
}

int StepOutcome::exit_code() const {
  if (!result) return 2;
  return result->made.has_errors() ? 1 : 0;
}

namespace {

// Documents as the books deliver them, with taxes that mapping has not looked at.
Document book_of(const json& from, Rut company) {
  Document document;
  document.side = from.value("side", "sale") == std::string("sale") ? Side::sale : Side::purchase;
  document.section = Section::books;
  document.type = from.value("type", uint16_t{33});
  document.company = company;
  document.counterparty = parse_rut(from.value("rut", "")).value_or(Rut{});
  document.folio = from.value("folio", int64_t{0});
  document.issued = *parse_iso_date(from.value("date", ""));
  document.accounted = document.issued;
  if (from.contains("paid")) document.paid = *parse_iso_date(from.value("paid", ""));
  document.net = Pesos{from.value("net", int64_t{0})};
  document.exempt = Pesos{from.value("exempt", int64_t{0})};
  document.total = Pesos{from.value("total", int64_t{0})};
  for (const json& tax : from.value("taxes", json::array())) {
    document.taxes.push_back({tax.value("tax", int64_t{0}), tax.value("line", int64_t{0}),
                              tax.value("xmlid", ""), tax.value("name", ""),
                              tax.value("tags", std::vector<std::string>{})});
    Part& part = document.parts.emplace_back();
    part.kind = PartKind::unresolved;
    part.source = static_cast<int16_t>(document.taxes.size() - 1);
    part.base = Pesos{tax.value("base", int64_t{0})};
    part.amount = Pesos{tax.value("amount", int64_t{0})};
    part.has_rate = tax.contains("rate");
    if (part.has_rate) part.rate = *Decimal::parse(tax.value("rate", ""));
  }
  return document;
}

StepOutcome run_books(const json& step, const FileRequest& request) {
  StepOutcome outcome;
  Mapping mapping;
  Inputs inputs;
  if (!request.mapping.empty()) {
    base::YamlFile file = base::YamlFile::from_path(request.mapping);
    mapping.read(file.top().section("mapping"));
    for (const auto& fault : file.faults()) outcome.faults.push_back(fault.text());
  }
  if (!request.inputs.empty()) {
    base::YamlFile file = base::YamlFile::from_path(request.inputs);
    inputs = read_inputs(file.top(), request.period);
    for (const auto& fault : file.faults()) outcome.faults.push_back(fault.text());
  }
  if (!outcome.faults.empty()) return outcome;
  ComputeOptions options;
  options.company = request.company;
  options.period = request.period;
  Computation computation(options, mapping, inputs);
  for (const json& one : step["books"]) computation.add(book_of(one, request.company));
  auto made = computation.finish();
  if (!made) {
    outcome.faults.push_back(made.error().detail);
    return outcome;
  }
  outcome.result.emplace();
  outcome.result->made = std::move(*made);
  return outcome;
}

}  // namespace

FileRequest request_of(const json& step, const TempFolder& folder) {
  FileRequest request;
  request.company = Rut{99999001};
  request.period = *Period::parse(step.value("period", "2026-06"));
  auto put = [&](const char* key, const char* kind, auto make) {
    if (step.contains(key)) request.rcv.push_back(folder.put(name_of(step, kind), make(step[key])));
  };
  put("purchases", "COMPRA_REGISTRO",
      [](const json& rows) { return purchase_csv(rows, "REGISTRO"); });
  put("pending", "COMPRA_PENDIENTE",
      [](const json& rows) { return purchase_csv(rows, "PENDIENTE"); });
  put("claimed", "COMPRA_RECLAMADO",
      [](const json& rows) { return purchase_csv(rows, "RECLAMADO"); });
  put("not_included", "COMPRA_NO_INCLUIR",
      [](const json& rows) { return purchase_csv(rows, "NO_INCLUIR"); });
  put("sales", "VENTA", [](const json& rows) { return sale_csv(rows); });
  put("summary", "RESUMEN_VENTA", [](const json& rows) { return summary_csv(rows); });
  put("raw", "VENTA", [](const json& bytes) { return bytes.get<std::string>(); });
  if (step.contains("rcv")) {
    for (const json& path : step["rcv"])
      request.rcv.push_back("tests/f29/data/" + path.get<std::string>());
  }
  if (step.contains("documents")) {
    json moves{{"moves", step["documents"]}};
    request.documents = folder.put("books.json", moves.dump());
  }
  if (step.contains("documents_file")) {
    request.documents = "tests/f29/data/" + step["documents_file"].get<std::string>();
  }
  if (step.contains("inputs")) request.inputs = folder.put("inputs.yaml", plain(step["inputs"]));
  if (step.contains("mapping"))
    request.mapping = folder.put("mapping.yaml", plain(step["mapping"]));
  if (step.contains("propuesta")) {
    request.propuesta = folder.put("propuesta.json", step["propuesta"].dump());
  }
  return request;
}

StepOutcome run_step(const json& step) {
  const TempFolder folder;
  const FileRequest request = request_of(step, folder);
  if (step.contains("books")) return run_books(step, request);
  StepOutcome outcome;
  outcome.result = compute_files(request, outcome.faults);
  return outcome;
}

std::vector<std::string> differences(const json& step, const StepOutcome& outcome) {
  std::vector<std::string> list;
  int exit_code = step.value("exit", 0);
  if (outcome.exit_code() != exit_code) {
    list.push_back("exit " + std::to_string(outcome.exit_code()) + ", expected " +
                   std::to_string(exit_code));
    for (const std::string& fault : outcome.faults) list.push_back("  fault: " + fault);
    if (outcome.result) {
      for (const Finding& finding : outcome.result->made.findings) {
        list.push_back("  " + finding.code + " " + finding.message);
      }
    }
  }
  for (const json& wanted : step.value("faults", json::array())) {
    bool is_found = false;
    for (const std::string& fault : outcome.faults) {
      is_found |= fault.find(wanted.get<std::string>()) != std::string::npos;
    }
    if (!is_found) list.push_back("no fault \"" + wanted.get<std::string>() + "\"");
  }
  if (!outcome.result) return list;
  const Return& made = outcome.result->made;
  const json boxes = step.value("boxes", json::object());
  const json counts = step.value("count_of", json::object());
  for (const auto& [code, value] : boxes.items()) {
    auto found = made.boxes.find(std::stoi(code));
    std::string ours = found == made.boxes.end() ? "0" : found->second.plain();
    if (ours != plain(value))
      list.push_back("box " + code + " is " + ours + ", expected " + plain(value));
  }
  if (step.value("exact", false)) {
    for (const auto& [code, value] : made.boxes) {
      if (!step["boxes"].contains(std::to_string(code))) {
        list.push_back("box " + std::to_string(code) + " is " + value.plain() + ", not expected");
      }
    }
  }
  for (const json& wanted : step.value("findings", json::array())) {
    if (has_finding(made.findings, wanted)) continue;
    list.push_back("no finding " + wanted.get<std::string>());
    for (const Finding& finding : made.findings)
      list.push_back("  " + finding.place.text() + " " + finding.code + " " + finding.message);
  }
  for (const json& unwanted : step.value("absent", json::array())) {
    if (has_finding(made.findings, unwanted))
      list.push_back("finding " + unwanted.get<std::string>());
  }
  if (step.contains("due") && made.due.text() != step["due"])
    list.push_back("due " + made.due.text());
  if (step.contains("declaration") && declaration_text(made.declaration) != step["declaration"]) {
    list.push_back("declaration " + std::string(declaration_text(made.declaration)));
  }
  if (step.contains("iva_credito") && made.iva_credito.value() != step["iva_credito"]) {
    list.push_back("iva_credito " + std::to_string(made.iva_credito.value()));
  }
  if (step.contains("unmapped") && made.unmapped.size() != step["unmapped"].get<size_t>()) {
    list.push_back("unmapped " + std::to_string(made.unmapped.size()));
  }
  for (const auto& [code, count] : counts.items()) {
    int seen = 0;
    for (const Finding& finding : made.findings) seen += finding.code == code;
    if (seen != count) list.push_back(code + " " + std::to_string(seen) + " times");
  }
  if (step.contains("documents_kept") && outcome.result->documents != step["documents_kept"]) {
    list.push_back("documents " + std::to_string(outcome.result->documents));
  }
  return list;
}

}  // namespace f29
