// The same work on files that the service does on its store: read, compute, check. Faults of what
// was given (a file that cannot be read, a wrong key) stop everything; findings do not.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "f29svc/compute/compute.h"
#include "f29svc/reconcile/report.h"
#include "f29svc/sources/rcv.h"

namespace f29 {

struct FileRequest {
  Rut company;
  std::string company_name;  // optional, for exports
  Period period;
  std::vector<std::string> rcv;  // files, or folders of which RCV_*.csv is read
  std::string documents;         // JSON list of moves; adds nothing to a side that has an RCV
  std::string inputs;            // inputs.yaml
  std::string mapping;           // YAML with `mapping:` and `holidays:`
  std::string propuesta;         // campos JSON, only compared
  bool keep_provenance = true;
  std::function<void(int64_t documents)> progress;  // called now and then
};

struct FileCounts {
  std::string file;
  RcvCounts counts;
};

struct FileResult {
  Return made;
  std::vector<FileCounts> files;
  int64_t documents = 0;
};

// Empty: `faults` says why, one line each.
std::optional<FileResult> compute_files(const FileRequest& request,
                                        std::vector<std::string>& faults);

struct ReconcileResult {
  ReconcileReport report;
  std::optional<LedgerCheck> ledger;
  std::vector<Finding> findings;  // of reading and of what differs
  bool has_errors = false;
};

// Books (`documents`) against registers. Box 504 is computed only where the inputs say what the
// ledger has.
std::optional<ReconcileResult> reconcile_files(const FileRequest& request,
                                               std::vector<std::string>& faults);

std::optional<std::string> read_whole_file(const std::string& path,
                                           std::vector<std::string>& faults);

}  // namespace f29
