// Runs one step of a case: writes its files into a folder of its own, computes, and compares.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "f29svc/cli/files.h"

namespace f29 {

struct StepOutcome {
  std::vector<std::string> faults;  // then nothing was computed
  std::optional<FileResult> result;
  int exit_code() const;
};

// A folder that goes away with its owner.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string put(const std::string& name, const std::string& bytes) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// The files of a step, written into the folder.
FileRequest request_of(const nlohmann::json& step, const TempFolder& folder);
StepOutcome run_step(const nlohmann::json& step);
// What differs from the step's literal expectations, one line each. Empty: passed.
std::vector<std::string> differences(const nlohmann::json& step, const StepOutcome& outcome);

// A step with `reconciled`: rows that must stand in the report with these members; `rows` says how
// many there are, `reconcile_findings` what is said. One line for each difference.
std::vector<std::string> reconcile_differences(const nlohmann::json& step);

// Register files from short rows: {"type":33,"use":"Del Giro","rut":…,"folio":…,"net":…}.
std::string purchase_csv(const nlohmann::json& rows, const std::string& section);
std::string sale_csv(const nlohmann::json& rows);
std::string summary_csv(const nlohmann::json& rows);

}  // namespace f29
