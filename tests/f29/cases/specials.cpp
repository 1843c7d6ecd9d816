#include "tests/f29/cases/specials.h"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "f29svc/compute/validate.h"
#include "f29svc/exports/exports.h"
#include "f29svc/form/form.h"
#include "f29svc/sources/json_documents.h"
#include "f29svc/sources/odoo/odoo.h"
#include "tests/f29/cases/case_world.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

namespace f29 {
namespace {

using nlohmann::json;
using Lines = std::vector<std::string>;
constexpr auto campos = ExportFormat::campos;
constexpr auto csv = ExportFormat::csv;
constexpr auto xml = ExportFormat::xml;

void expect(Lines& lines, bool is_right, const std::string& what) {
  if (!is_right) lines.push_back(what);
}

std::string written(const Return& made, ExportFormat format) {
  std::ostringstream out;
  write_return(made, format, out);
  return out.str();
}

std::optional<Return> read_back(const std::string& text, ExportFormat format, Lines& lines) {
  Findings findings;
  auto made = read_return(text, format, "export", findings);
  for (const Finding& finding : findings.list()) lines.push_back(finding.code + finding.message);
  if (made) return std::move(*made);
  lines.push_back(made.error().detail);
  return std::nullopt;
}

Return computed(const json& step, Lines& lines) {
  StepOutcome outcome = run_step(step);
  if (outcome.result) return std::move(outcome.result->made);
  lines.insert(lines.end(), outcome.faults.begin(), outcome.faults.end());
  return {};
}

Lines round_trip(const json& step) {
  Lines lines;
  Return made = computed(step, lines);
  for (ExportFormat format : {ExportFormat::json, campos, csv, xml}) {
    auto again = read_back(written(made, format), format, lines);
    if (!again) continue;
    expect(lines, again->boxes == made.boxes, "boxes differ");
    expect(lines, again->company == made.company && again->period == made.period, "identity");
    expect(lines, again->declaration == made.declaration, "declaration");
    expect(lines, again->iva_credito == made.iva_credito, "iva_credito");
  }
  if (step.contains("boxes") && step["boxes"].contains("115")) {
    expect(lines, written(made, ExportFormat::json).find("\"115\":\"0.125\"") != std::string::npos,
           "JSON");
    expect(lines, written(made, csv).find(";0.125\r\n") != std::string::npos, "CSV");
    expect(lines, written(made, xml).find(">0.125</rate>") != std::string::npos, "XML");
    expect(lines, written(made, campos).find("\"115\":\"0.125\"") != std::string::npos, "campos");
  }
  return lines;
}

Lines line_numbers(const json&) {
  Lines lines;
  expect(lines, line_of(91, FormVersion::v122) == 119, "V122");
  expect(lines, line_of(91, FormVersion::v144) == 141, "V144");
  expect(lines, line_of(91, FormVersion::v150) == 147, "V150");
  Findings findings;
  auto by_line = read_return("line;value\r\n147;21282\r\n", csv, "by_line.csv", findings);
  expect(lines, !by_line && by_line.error().detail.find("lines move") != std::string::npos,
         "a table of lines was taken");
  return lines;
}

Lines unknown_codes(const json&) {
  Lines lines;
  Findings findings;
  auto made = read_return(
      R"({"campos":{"003":"99999001-0","015":"202606","502":"1545","538":"1545","8020":"15",)"
      R"("9906":"22/01/2019","7777":"abc"}})",
      campos, "campos.json", findings);
  if (!made) return {made.error().detail};
  expect(lines, made->extras["8020"] == "15", "8020");
  expect(lines, made->extras["9906"] == "22/01/2019", "9906");
  expect(lines, made->extras["7777"] == "abc", "7777");
  expect(lines, !made->boxes.contains(8020), "summed");
  expect(lines, findings.count_of("unknown_code") == 3 && findings.errors() == 0, "warnings");
  expect(lines, written(*made, campos).find("\"9906\":\"22/01/2019\"") != std::string::npos,
         "not verbatim");
  expect(lines,
         written(*made, ExportFormat::json).find("\"boxes\":{\"502\":1545,\"538\":1545}") !=
             std::string::npos,
         "among the boxes");
  return lines;
}

Lines import_776(const json&) {
  Lines lines;
  Findings findings;
  auto made = read_return(R"({"campos":{"003":"99999001-0","015":"202606","776":"1000"}})", campos,
                          "campos.json", findings);
  if (!made) return {made.error().detail};
  expect(lines, amount_in(made->boxes, 776) == 1000, "776");
  expect(lines, line_of(776, version_of(made->period)) == 79, "line 79");
  expect(lines, line_of(766, version_of(made->period)) == 30, "line 30");
  return lines;
}

Lines last_of_december(const json&) {
  Lines lines;
  expect(lines, business_day_from({2026, 12, 31}).text() == "2027-01-04", "31 December 2026");
  expect(lines, business_day_from({2026, 6, 20}).text() == "2026-06-22", "20 June 2026");
  return lines;
}

Lines utm_setting_is_visible(const json& step) {
  Lines lines;
  std::string text = written(computed(step, lines), ExportFormat::json);
  expect(lines, text.find("\"utm_decimals\":2") != std::string::npos, "setting");
  expect(lines, text.find("58.14 UTM (2 decimals)") != std::string::npos, "provenance");
  return lines;
}

Lines automatic_acuse(const json&) {
  Lines lines;
  Document document;
  document.received = {2025, 8, 25};
  expect(lines, acceptance_date(document).text() == "2025-09-02", "automatic");
  document.acknowledged = {2025, 8, 26};
  expect(lines, acceptance_date(document).text() == "2025-08-26", "given");
  return lines;
}

Lines manual_provenance(const json& step) {
  Lines lines;
  std::string text = written(computed(step, lines), ExportFormat::json);
  expect(lines,
         text.find("\"520\":[{\"rule\":\"purchase_invoice_giro\",\"document\":\"purchase 33 "
                   "99990001-1 9\",\"section\":\"manual\",\"amount\":5700}]") != std::string::npos,
         text.substr(text.find("provenance")));
  return lines;
}

Lines issuer_of_46(const json&) {
  Lines lines;
  Document document;
  document.type = 46;
  document.folio = 77;
  document.company = Rut{99999001};
  document.counterparty = Rut{39990001};
  document.side = Side::purchase;
  expect(lines, key_of(document).text() == "purchase 46 99999001-0 77", key_of(document).text());
  document.side = Side::sale;
  expect(lines, key_of(document).text() == "sale 46 39990001-8 77", key_of(document).text());
  return lines;
}

std::vector<Document> read_rows(const std::string& csv_text) {
  std::vector<Document> documents;
  MemorySource source(csv_text);
  DocumentIndex seen;
  Findings findings;
  RcvOptions options;
  options.company = Rut{99999001};
  (void)read_rcv(
      source, options, seen, [&](const Document& one) { documents.push_back(one); }, findings);
  return documents;
}

Lines decimal_rates(const json&) {
  Lines lines;
  json rows = json::array();
  for (const char* rate : {"2.967999999", "2,967999999"}) {
    rows.push_back({{"folio", rows.size() + 1},
                    {"net", 100},
                    {"vat", 19},
                    {"total", 122},
                    {"other", 23},
                    {"other_amount", 3},
                    {"other_rate", rate}});
  }
  auto documents = read_rows(purchase_csv(rows, "REGISTRO"));
  if (documents.size() != 2) return {"rows"};
  expect(lines, documents[0].parts.back().rate == documents[1].parts.back().rate, "not equal");
  expect(lines, documents[0].parts.back().rate.text() == "2.967999999", "not exact");
  return lines;
}

Lines references(const json&) {
  Lines lines;
  json rows = json::array();
  for (const char* folios : {"10370-10371", "1057539-304-SE26", "10489 ", "200-300-400"}) {
    rows.push_back({{"folio", rows.size() + 1},
                    {"net", 100},
                    {"vat", 19},
                    {"total", 119},
                    {"ref_type", 52},
                    {"ref_folio", folios}});
  }
  auto documents = read_rows(sale_csv(rows));
  if (documents.size() != 4) return {"rows"};
  expect(lines, documents[0].references.size() == 2, "two");
  expect(lines, documents[1].references.size() == 1, "one, alphanumeric");
  expect(lines, documents[2].references.size() == 1 && documents[2].references[0].folio == "10489",
         "one, trimmed");
  expect(lines, documents[3].references.size() == 3, "three");
  return lines;
}

Lines encodings(const json&) {
  Lines lines;
  auto row = [](const std::string& name) {
    json rows = json::array();
    rows.push_back("1;33;Del Giro;99990001-1;" + name +
                   ";1;10/06/2026;;;0;100;19;;;119;;;;;0;;;;0;;;");
    return purchase_csv(rows, "REGISTRO");
  };
  for (const std::string& text : {row("\xD1"
                                      "AND\xDA"),
                                  row("ÑANDÚ"), "\xEF\xBB\xBF" + row("ÑANDÚ")}) {
    auto documents = read_rows(text);
    expect(lines, documents.size() == 1 && documents[0].name == "ÑANDÚ", "text");
  }
  return lines;
}

Lines folio_writings(const json&) {
  Lines lines;
  for (const char* writing : {"F-000205", "000205", "205"}) {
    json move = {{"move_type", "in_invoice"},
                 {"state", "posted"},
                 {"l10n_latam_document_type_code", "33"},
                 {"partner_vat", "99.990.002-k"},
                 {"l10n_latam_document_number", writing},
                 {"date", "2026-06-09"},
                 {"net", 1000},
                 {"exempt", 0},
                 {"tax", 190},
                 {"amount_total", 1190}};
    Findings findings;
    int64_t folio = 0;
    (void)read_json_documents(
        json{{"moves", {move}}}.dump(), {Rut{99999001}, {2026, 6}, false, "books", 0},
        [&](const Document& one) { folio = one.folio; }, findings);
    expect(lines, folio == 205, writing);
  }
  return lines;
}

Lines sums_differ(const json&) {
  Lines lines;
  Return made;
  made.company = Rut{99999001};
  made.period = {2026, 6};
  made.boxes = {{502, BoxValue::of(Pesos{1939996})}, {538, BoxValue::of(Pesos{1939996})}};
  Findings findings;
  check_sums(made, Pesos{1939990}, Pesos{0}, findings);
  expect(lines,
         findings.errors() == 1 && findings.list()[0].code == "sum_debito_differs" &&
             findings.list()[0].message.find("difference 6") != std::string::npos,
         "difference 6");
  Findings right;
  check_sums(made, Pesos{1939996}, Pesos{0}, right);
  expect(lines, right.list().empty(), "agrees");
  return lines;
}

Lines rectification(const json&) {
  Lines lines;
  using enum ReturnState;
  Return old;
  old.company = Rut{99999001};
  old.period = {2026, 6};
  old.state = sent;
  Findings findings;
  check_open(old, findings);
  expect(lines, findings.count_of("period_closed") == 1, "open");
  expect(lines, can_move(sent, rectified) && !can_move(sent, computed) && !can_move(paid, draft),
         "moves");
  Return next;
  next.company = old.company;
  next.period = old.period;
  next.due = {2026, 7, 28};
  next.version = old.version + 1;
  next.folio = "7123456789";
  next.state = computed;
  for (ExportFormat format : {ExportFormat::json, csv, xml}) {
    auto again = read_back(written(next, format), format, lines);
    if (again)
      expect(lines, again->version == 2 && again->folio == "7123456789" && again->state == computed,
             "version and folio");
  }
  return lines;
}

Lines same_bytes(const json& step) {
  Lines lines;
  StepOutcome first = run_step(step);
  StepOutcome second = run_step(step);
  if (!first.result || !second.result) return {"not computed"};
  // The folder of each run has a name of its own.
  for (StepOutcome* outcome : {&first, &second})
    outcome->result->made.provenance.files.assign(100, "file");
  for (ExportFormat format : {ExportFormat::json, campos, csv, xml}) {
    expect(lines, written(first.result->made, format) == written(second.result->made, format),
           "bytes differ");
  }
  return lines;
}

Return named(const std::string& name) {
  Return made;
  made.company = Rut{99999001};
  made.period = {2026, 6};
  made.name = name;
  made.due = {2026, 7, 28};
  return made;
}

Lines xml_escapes(const json&) {
  Lines lines;
  std::string name = "PROVEEDOR & HIJOS <SPA> \"Ñ\"";
  auto again = read_back(written(named(name), xml), xml, lines);
  expect(lines, again && again->name == name, "name");
  return lines;
}

Lines csv_injection(const json&) {
  Lines lines;
  std::string name = "=HYPERLINK(\"http://x\";\"y\")";
  std::string text = written(named(name), csv);
  expect(lines, text.find(";\"'=HYPERLINK(\"\"http://x\"\";\"\"y\"\")\"") != std::string::npos,
         text);
  expect(lines,
         written(named(name), ExportFormat::json).find("\"name\":\"=HYPERLINK(\\\"") !=
             std::string::npos,
         "JSON");
  auto again = read_back(text, csv, lines);
  expect(lines, again && again->name == name, "read back");
  return lines;
}

// Odoo through its stand-in.
struct OdooRun {
  std::vector<Document> documents;
  Findings findings;
  std::string error;
};
OdooRun read_fake(f29test::FakeOdoo& odoo, int page) {
  OdooRun run;
  OdooOptions options;
  options.http.url = odoo.url();
  options.database = "books";
  options.user = "auditor";
  options.key = "right-key";
  options.page = page;
  auto rpc = OdooRpc::make(options);
  if (!rpc) return {{}, {}, rpc.error().detail};
  OdooRequest request{*parse_rut("99950100-1"), {2026, 10}};
  auto counts = read_odoo(
      **rpc, request, [&](const Document& one) { run.documents.push_back(one); }, run.findings);
  if (!counts) run.error = counts.error().detail;
  return run;
}
constexpr const char* kBooks = "tests/f29/odoo/books_2026_10.json";

Lines odoo_rounding_warning(const json&) {
  Lines lines;
  f29test::FakeOdoo odoo(kBooks);
  odoo.set("res.company", 1, "tax_calculation_rounding_method", "\"round_per_line\"");
  OdooRun run = read_fake(odoo, 1000);
  expect(lines, run.findings.count_of("rounding_per_line") == 1, "no warning " + run.error);
  return lines;
}

Lines odoo_companies(const json&) {
  Lines lines;
  f29test::FakeOdoo odoo(kBooks);
  OdooRun run = read_fake(odoo, 1000);
  for (const auto& seen : odoo.seen()) {
    // By id only what the company's own moves name.
    if (seen.model == "account.move" && seen.domain.find("\"date\"") != std::string::npos) {
      expect(lines, seen.domain.find("company_id") != std::string::npos, "moves of any company");
    }
  }
  expect(lines, run.documents.size() == 25, "documents " + std::to_string(run.documents.size()));
  return lines;
}

Lines odoo_paging(const json&) {
  Lines lines;
  f29test::FakeOdoo odoo(kBooks);
  OdooRun run = read_fake(odoo, 3);
  std::map<int64_t, int> seen;
  for (const Document& one : run.documents) ++seen[one.source_id];
  expect(lines, seen.size() == 25 && run.documents.size() == 25, "lost or doubled " + run.error);
  return lines;
}

}  // namespace

std::vector<std::string> run_special(const std::string& name, const json& step) {
  static const std::map<std::string, std::function<Lines(const json&)>> kSpecials = {
      {"round_trip", round_trip},
      {"lines", line_numbers},
      {"unknown_codes", unknown_codes},
      {"import_776", import_776},
      {"last_of_december", last_of_december},
      {"utm_setting_is_visible", utm_setting_is_visible},
      {"automatic_acuse", automatic_acuse},
      {"manual_provenance", manual_provenance},
      {"issuer_of_46", issuer_of_46},
      {"decimal_rates", decimal_rates},
      {"references", references},
      {"encodings", encodings},
      {"folio_writings", folio_writings},
      {"sums_differ", sums_differ},
      {"rectification", rectification},
      {"same_bytes", same_bytes},
      {"xml_escapes", xml_escapes},
      {"csv_injection", csv_injection},
      {"odoo_rounding_warning", odoo_rounding_warning},
      {"odoo_companies", odoo_companies},
      {"odoo_paging", odoo_paging},
  };
  auto found = kSpecials.find(name);
  return found == kSpecials.end() ? Lines{"no such check: " + name} : found->second(step);
}

}  // namespace f29
