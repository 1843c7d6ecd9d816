// The operator's verbs and the exit codes that each may end with. The daemon checks arguments; this
// table is what `shifter help` prints and what scripts may rely on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kNotReached = 3,   // the wanted state was not reached in time; status: degraded
  kUnreachable = 4,  // the daemon did not answer, or not to the end
  kConflict = 5,
  kRefused = 6,
};

struct VerbSpec {
  std::string_view name;
  std::string_view arguments;
  std::string_view does;
  std::vector<int> codes;
};

const std::vector<VerbSpec>& verb_table();
const VerbSpec* find_verb(std::string_view name);
// The exit code for an error that the daemon names.
int code_of(std::string_view error_code);
std::string help_text();

}  // namespace cli
