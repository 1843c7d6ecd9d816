#include "f29svc/cli/files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "f29svc/compute/inputs_yaml.h"
#include "f29svc/compute/propuesta.h"
#include "f29svc/exports/exports.h"
#include "f29svc/sources/json_documents.h"
#include "proxy/base/yaml.h"

namespace f29 {
namespace {

namespace fs = std::filesystem;
constexpr uintmax_t kJsonMost = uintmax_t{256} << 20;
constexpr size_t kFilesMost = 1000;

void take_faults(const base::YamlFile& file, std::vector<std::string>& faults) {
  for (const base::ConfigFault& fault : file.faults()) faults.push_back(fault.text());
}

Inputs inputs_of(const FileRequest& request, std::vector<std::string>& faults) {
  if (request.inputs.empty()) return {};
  base::YamlFile file = base::YamlFile::from_path(request.inputs);
  Inputs inputs = read_inputs(file.top(), request.period);
  take_faults(file, faults);
  return inputs;
}

void read_mapping(const FileRequest& request, Mapping& mapping, std::vector<Date>& holidays,
                  std::vector<std::string>& faults) {
  if (request.mapping.empty()) return;
  base::YamlFile file = base::YamlFile::from_path(request.mapping);
  {
    base::Section top = file.top();
    mapping.read(top.section("mapping"));
    std::vector<std::string> days;
    top.read("holidays", days);
    for (const std::string& day : days) {
      auto date = parse_iso_date(day);
      if (date) holidays.push_back(*date);
      if (!date) top.fault("holidays", "must be days, yyyy-mm-dd");
    }
  }
  take_faults(file, faults);
}

// A file stands for itself, a folder for its RCV_*.csv, by name.
std::vector<std::string> files_of(const FileRequest& request, std::vector<std::string>& faults) {
  std::vector<std::string> files;
  for (const std::string& path : request.rcv) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
      std::string name = entry.path().filename().string();
      bool is_ours = name.starts_with("RCV_") && name.ends_with(".csv");
      if (is_ours && entry.is_regular_file(error)) found.push_back(entry.path().string());
    }
    if (error) faults.push_back(path + ": " + error.message());
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  if (files.size() > kFilesMost) faults.push_back("--rcv: more than 1000 files");
  for (const std::string& file : files) {
    auto name = read_rcv_name(file);
    if (!name) continue;
    if (name->company != request.company) {
      faults.push_back(file + ": is of company " + name->company.text() + ", not " +
                       request.company.text());
    }
    if (name->period != request.period) {
      faults.push_back(file + ": is of period " + name->period.text() + ", not " +
                       request.period.text());
    }
  }
  return files;
}

Side side_of(RcvKind kind) {
  return kind == RcvKind::sale || kind == RcvKind::summary_sale ? Side::sale : Side::purchase;
}

// Where documents go that are read.
struct Target {
  std::function<uint16_t(const std::string& name)> add_file;
  DocumentSink take;
  DocumentSink take_left_out;  // books of a side with a register; none: only counted
  Findings& findings;
};

// Reads the files of one computation, or of one reconciliation.
class Run {
 public:
  Run(const FileRequest& request, const Inputs& inputs, Target target,
      std::vector<std::string>& faults)
      : request_(request), inputs_(inputs), target_(std::move(target)), faults_(faults) {}

  void read_all(const std::vector<std::string>& files) {
    if (!request_.rcv.empty() && files.empty()) {
      target_.findings.add("no_rcv_files", Severity::warning, {request_.rcv[0], 0, 0, {}},
                           "no RCV_*.csv here", "check the folder");
    }
    for (const std::string& file : files) read_rcv_file(file);
    read_documents();
  }

  void read_rcv_file(const std::string& path) {
    auto source = FileSource::open(path);
    if (!source) {
      faults_.push_back(source.error().detail);
      return;
    }
    RcvOptions options;
    options.company = request_.company;
    options.period = request_.period;
    options.lenient = inputs_.settings.lenient;
    options.name = path;
    options.file = target_.add_file(path);
    auto counts = read_rcv(
        **source, options, seen_, [this](const Document& document) { take(document); },
        target_.findings);
    if (!counts) {
      faults_.push_back(path + ": " + counts.error().detail);
      return;
    }
    auto name = read_rcv_name(path);
    if (name && name->kind != counts->kind) {
      target_.findings.add("name_and_header_differ", Severity::warning, {path, 0, 0, {}},
                           "the header is of " + std::string(rcv_kind_text(counts->kind)) +
                               "; the name says " + std::string(rcv_kind_text(name->kind)),
                           "check the file; the header holds");
    }
    has_rcv_[static_cast<size_t>(side_of(counts->kind))] = true;
    result_.files.push_back({path, *counts});
  }

  void read_documents() {
    if (request_.documents.empty()) return;
    auto text = read_whole_file(request_.documents, faults_);
    if (!text) return;
    JsonOptions options;
    options.company = request_.company;
    options.period = request_.period;
    options.lenient = inputs_.settings.lenient;
    options.name = request_.documents;
    options.file = target_.add_file(request_.documents);
    int64_t left_out = 0;
    auto sink = [&](const Document& document) {
      if (has_rcv_[static_cast<size_t>(document.side)]) {
        if (target_.take_left_out) {
          target_.take_left_out(document);
        } else {
          ++left_out;
        }
      } else {
        take(document);
      }
    };
    auto delivered = read_json_documents(*text, options, sink, target_.findings);
    if (!delivered) faults_.push_back(request_.documents + ": " + delivered.error().detail);
    if (left_out == 0) return;
    target_.findings.add(
        "documents_not_added", Severity::note, {request_.documents, 0, 0, {}},
        std::to_string(left_out) + " documents add nothing: their side has a register file",
        "nothing; reconcile compares them");
  }

  FileResult& result() { return result_; }

 private:
  void take(const Document& document) {
    target_.take(document);
    if (++result_.documents % 16'384 == 0 && request_.progress) {
      request_.progress(result_.documents);
    }
  }

  const FileRequest& request_;
  const Inputs& inputs_;
  Target target_;
  std::vector<std::string>& faults_;
  DocumentIndex seen_;
  bool has_rcv_[2] = {false, false};
  FileResult result_;
};

void compare_propuesta(const FileRequest& request, const Inputs& inputs, Return& made,
                       std::vector<std::string>& faults) {
  if (request.propuesta.empty()) return;
  auto text = read_whole_file(request.propuesta, faults);
  if (!text) return;
  Findings findings;
  auto theirs = read_boxes(*text, request.propuesta, findings);
  if (!theirs) {
    faults.push_back(request.propuesta + ": " + theirs.error().detail);
    return;
  }
  compare_boxes(made, *theirs, inputs, findings);
  findings.finish();
  for (Finding& finding : findings.take()) made.findings.push_back(std::move(finding));
}

}  // namespace

std::optional<std::string> read_whole_file(const std::string& path,
                                           std::vector<std::string>& faults) {
  std::error_code error;
  uintmax_t size = fs::file_size(path, error);
  if (!error && size > kJsonMost) {
    faults.push_back(path + ": larger than 256 MiB");
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  if (error || !in.is_open() || in.bad()) {
    faults.push_back(path + ": cannot be read" + (error ? ": " + error.message() : ""));
    return std::nullopt;
  }
  return std::move(bytes).str();
}

std::optional<FileResult> compute_files(const FileRequest& request,
                                        std::vector<std::string>& faults) {
  Mapping mapping;
  ComputeOptions options;
  options.company = request.company;
  options.period = request.period;
  options.keep_provenance = request.keep_provenance;
  read_mapping(request, mapping, options.holidays, faults);
  Inputs inputs = inputs_of(request, faults);
  std::vector<std::string> files = files_of(request, faults);
  if (!faults.empty()) return std::nullopt;

  Computation computation(options, mapping, inputs);
  Run run(request, inputs,
          {[&](const std::string& name) { return computation.add_file(name); },
           [&](const Document& document) { computation.add(document); },
           {},
           computation.findings()},
          faults);
  run.read_all(files);
  if (!faults.empty()) return std::nullopt;
  auto made = computation.finish();
  if (!made) {
    faults.push_back((request.inputs.empty() ? std::string("inputs") : request.inputs) + ": " +
                     made.error().detail);
    return std::nullopt;
  }
  made->name = request.company_name;
  compare_propuesta(request, inputs, *made, faults);
  if (!faults.empty()) return std::nullopt;
  FileResult result = std::move(run.result());
  result.made = std::move(*made);
  return result;
}

std::optional<ReconcileResult> reconcile_files(const FileRequest& request,
                                               std::vector<std::string>& faults) {
  const Inputs inputs = inputs_of(request, faults);
  const std::vector<std::string> files = files_of(request, faults);
  if (!faults.empty()) return std::nullopt;
  Findings findings;
  Reconciler reconciler(request.period, inputs.settings.tolerance);
  const auto take = [&](const Document& document) { reconciler.add(document); };
  uint16_t file_count = 0;
  Run run(request, inputs, {[&](const std::string&) { return file_count++; }, take, take, findings},
          faults);
  run.read_all(files);
  if (!faults.empty()) return std::nullopt;
  for (const Addition& addition : inputs.additions) {
    reconciler.add(document_of(addition, request.company));
  }
  ReconcileResult result;
  if (inputs.ledger_remanente) {
    const auto made = compute_files(request, faults);
    if (!made) return std::nullopt;
    result.ledger = {*inputs.ledger_remanente, Pesos{amount_in(made->made.boxes, 504)}};
  }
  result.report = reconciler.run();
  report_findings(result.report, result.ledger, findings);
  result.has_errors = findings.errors() > 0;
  findings.finish();
  result.findings = findings.take();
  return result;
}

}  // namespace f29
