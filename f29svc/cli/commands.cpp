#include "f29svc/cli/commands.h"

#include <fstream>
#include <sstream>

#include "f29svc/compute/validate.h"
#include "f29svc/exports/json_writer.h"
#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

int refuse(const std::vector<std::string>& faults, std::ostream& err) {
  for (const std::string& fault : faults) err << "f29svc: " << fault << '\n';
  return kFaultyInput;
}

FileRequest request_of(const Arguments& arguments, std::ostream& err,
                       std::vector<std::string>& faults) {
  FileRequest request;
  if (auto company = parse_rut(arguments.company)) {
    request.company = *company;
  } else {
    faults.push_back("--company: must be a RUT with its check digit, such as 99999001-0");
  }
  if (auto period = Period::parse(arguments.period)) {
    request.period = *period;
  } else {
    faults.push_back("--period: must be a month, such as 2026-06");
  }
  request.company_name = arguments.name;
  request.rcv = arguments.rcv;
  request.documents = arguments.documents;
  request.inputs = arguments.inputs;
  request.mapping = arguments.mapping;
  request.propuesta = arguments.propuesta;
  if (arguments.is_terminal) {
    request.progress = [&err](int64_t documents) {
      err << '\r' << documents << " documents" << std::flush;
    };
  }
  return request;
}

std::optional<FileResult> compute_from(const Arguments& arguments, std::ostream& err,
                                       std::vector<std::string>& faults) {
  FileRequest request = request_of(arguments, err, faults);
  if (!faults.empty()) return std::nullopt;
  auto result = compute_files(request, faults);
  bool has_said = arguments.is_terminal && result && result->documents >= 16'384;
  if (has_said) err << "\r\033[K";
  return result;
}

ExportFormat format_of(const std::string& path, const std::string& given,
                       std::vector<std::string>& faults) {
  std::string text = given;
  if (text.empty()) text = path.substr(std::min(path.rfind('.'), path.size() - 1) + 1);
  auto format = parse_format(text);
  if (!format) faults.push_back("\"" + text + "\" is no format: json, campos, csv or xml");
  return format.value_or(ExportFormat::json);
}

// A return as it was exported before, or computed now.
std::optional<Return> return_of(const Arguments& arguments, std::ostream& err,
                                std::vector<std::string>& faults) {
  if (arguments.from.empty()) {
    auto result = compute_from(arguments, err, faults);
    if (!result) return std::nullopt;
    return std::move(result->made);
  }
  ExportFormat format = format_of(arguments.from, arguments.from_format, faults);
  auto text = read_whole_file(arguments.from, faults);
  if (!text || !faults.empty()) return std::nullopt;
  Findings findings;
  auto made = read_return(*text, format, arguments.from, findings);
  if (!made) {
    faults.push_back(arguments.from + ": " + made.error().detail);
    return std::nullopt;
  }
  findings.finish();
  for (Finding& finding : findings.take()) made->findings.push_back(std::move(finding));
  return std::move(*made);
}

void print_findings(const std::vector<Finding>& findings, std::ostream& out) {
  for (const Finding& finding : findings) {
    out << severity_text(finding.severity) << ' ' << finding.code << "  " << finding.place.text()
        << ": " << finding.message;
    if (!finding.advice.empty() && finding.advice != "nothing") out << " → " << finding.advice;
    out << '\n';
  }
}

void print_return(const Return& made, std::ostream& out) {
  write_sheet(made, out);
  out << "\nIVA débito " << grouped(made.iva_debito) << ", IVA crédito "
      << grouped(made.iva_credito) << ", " << declaration_text(made.declaration) << ", vence "
      << made.due.text() << "\n\n";
  print_findings(made.findings, out);
}

int exit_code(const Return& made) { return made.has_errors() ? kErrorFindings : kDone; }

// Standard output, or the file that `--output` names, which appears whole or not at all.
int put_out(const Arguments& arguments, std::ostream& out, std::ostream& err,
            const std::function<void(std::ostream&)>& write) {
  if (arguments.output.empty()) {
    write(out);
    return kDone;
  }
  std::string draft = arguments.output + ".new";
  std::ofstream file(draft, std::ios::binary | std::ios::trunc);
  write(file);
  file.close();
  if (!file || std::rename(draft.c_str(), arguments.output.c_str()) != 0) {
    return refuse({arguments.output + ": cannot be written"}, err);
  }
  return kDone;
}

}  // namespace

int compute_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  auto result = compute_from(arguments, err, faults);
  if (!result) return refuse(faults, err);
  int written = put_out(arguments, out, err, [&](std::ostream& to) {
    if (arguments.json) {
      write_return(result->made, ExportFormat::json, to);
    } else {
      print_return(result->made, to);
    }
  });
  return written != kDone ? written : exit_code(result->made);
}

int import_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  auto result = compute_from(arguments, err, faults);
  if (!result) return refuse(faults, err);
  if (!arguments.json) {
    for (const FileCounts& file : result->files) {
      out << file.file << ": " << rcv_kind_text(file.counts.kind) << ", " << file.counts.rows
          << " rows, " << file.counts.documents << " documents, " << file.counts.rejected
          << " rejected, " << file.counts.copies << " copies\n";
    }
    print_findings(result->made.findings, out);
    return exit_code(result->made);
  }
  JsonWriter json(out);
  json.open('{');
  json.member("schema", 1);
  json.member("company", result->made.company.text());
  json.member("period", result->made.period.text());
  json.member("documents", result->documents);
  json.key("files");
  json.open('[');
  for (const FileCounts& file : result->files) {
    json.open('{');
    json.member("file", file.file);
    json.member("kind", rcv_kind_text(file.counts.kind));
    json.member("rows", file.counts.rows);
    json.member("documents", file.counts.documents);
    json.member("rejected", file.counts.rejected);
    json.member("copies", file.counts.copies);
    json.close('}');
  }
  json.close(']');
  write_findings(json, result->made.findings);
  json.close('}');
  out << '\n';
  return exit_code(result->made);
}

int validate_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  auto claimed = [&](const std::string& text, const char* option, Pesos standard) {
    if (text.empty()) return standard;
    auto amount = parse_pesos(text);
    if (!amount) faults.push_back(std::string(option) + ": must be whole pesos");
    return amount.value_or(standard);
  };
  auto made = return_of(arguments, err, faults);
  if (!made) return refuse(faults, err);
  Pesos debito = claimed(arguments.iva_debito, "--iva-debito", made->iva_debito);
  Pesos credito = claimed(arguments.iva_credito, "--iva-credito", made->iva_credito);
  if (!faults.empty()) return refuse(faults, err);
  Findings findings;
  if (!arguments.from.empty()) check_boxes(*made, findings);
  check_formulas(*made, findings);
  check_sums(*made, debito, credito, findings);
  findings.finish();
  for (Finding& finding : findings.take()) made->findings.push_back(std::move(finding));
  bool is_valid = !made->has_errors();
  if (is_valid && !is_closed(made->state)) made->state = ReturnState::validated;
  if (arguments.json) {
    write_return(*made, ExportFormat::json, out);
  } else {
    print_findings(made->findings, out);
    out << (is_valid ? "valid" : "not valid") << '\n';
  }
  return exit_code(*made);
}

int export_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  auto format = parse_format(arguments.format);
  if (!format) return refuse({"--format: must be json, campos, csv or xml"}, err);
  auto made = return_of(arguments, err, faults);
  if (!made) return refuse(faults, err);
  if (std::string why = why_not(*made, *format); !why.empty()) {
    err << "f29svc: not exported: " << why << '\n';
    return kErrorFindings;
  }
  int written =
      put_out(arguments, out, err, [&](std::ostream& to) { write_return(*made, *format, to); });
  return written != kDone ? written : exit_code(*made);
}

int reconcile_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  const FileRequest request = request_of(arguments, err, faults);
  if (arguments.rcv.empty()) faults.push_back("--rcv: the register's files are needed");
  if (arguments.documents.empty()) faults.push_back("--documents: the books are needed");
  if (!faults.empty()) return refuse(faults, err);
  const auto result = reconcile_files(request, faults);
  if (!result) return refuse(faults, err);
  const int code = result->has_errors ? kErrorFindings : kDone;
  const int written = put_out(arguments, out, err, [&](std::ostream& to) {
    if (!arguments.json) {
      write_reconciled_head(to);
      for (const Reconciled& one : result->report.documents()) write_reconciled_row(to, one);
      print_findings(result->findings, to);
      return;
    }
    JsonWriter json(to);
    json.open('{');
    json.member("schema", 1);
    json.member("company", request.company.text());
    json.member("period", request.period.text());
    json.key("documents");
    json.open('[');
    for (const Reconciled& one : result->report.documents()) {
      write_reconciled(json, one, request.period);
    }
    json.close(']');
    json.key("totals");
    write_totals(json, totals_of(result->report));
    write_ledger(json, result->ledger);
    write_findings(json, result->findings);
    json.close('}');
    to << '\n';
  });
  return written != kDone ? written : code;
}

int sheet_command(const Arguments& arguments, std::ostream& out, std::ostream& err) {
  std::vector<std::string> faults;
  auto made = return_of(arguments, err, faults);
  if (!made) return refuse(faults, err);
  int written = put_out(arguments, out, err, [&](std::ostream& to) { write_sheet(*made, to); });
  return written != kDone ? written : exit_code(*made);
}

}  // namespace f29
