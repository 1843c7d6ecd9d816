// The operator's verbs and options, with the exit codes that each verb may end with. The daemon
// checks arguments; help, completion and the manual page are made from these tables, and scripts
// may rely on the codes.
#pragma once

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
  kWentBack = 7,       // the rollout ended in rollback or abort
  kInterrupted = 130,  // a wait was left; nothing is undone
};

// Who does it: the daemon (a look or a change), or this program alone.
enum class Where : unsigned char { look, change, here };
// What --wait waits for.
enum class WaitsFor : unsigned char {
  nothing,  // --wait is a usage fault
  daemon,   // the daemon waits: wait= on its line
  up,       // every color that is meant is up and ready
  maint,    // the color is empty
  healthy,  // nothing is degraded
  rollout,  // the rollout is over
};

struct VerbSpec {
  std::string_view name;
  std::string_view arguments;
  std::string_view does;
  std::vector<int> codes;
  Where where = Where::look;
  WaitsFor waits = WaitsFor::nothing;
  bool takes_colors = false;    // for completion: names of colors
  std::string_view words = {};  // for completion: other words and keys, separated by spaces
};

struct OptionSpec {
  std::string_view name;
  std::string_view value;  // "" for a flag; "[TIME]" may be left out
  std::string_view does;
};

const std::vector<VerbSpec>& verb_table();
const VerbSpec* find_verb(std::string_view name);
const std::vector<OptionSpec>& option_table();
std::string usage_text(const OptionSpec& option);  // "--wait[=TIME]", "--socket PATH"
struct CodeSpec {
  int code;
  std::string_view means;
};
const std::vector<CodeSpec>& code_table();
// "0 1 2 4 6"
std::string codes_text(const VerbSpec& verb);

// The exit code for an error that the daemon names.
int code_of(std::string_view error_code);
std::string help_text();
std::string help_text(const VerbSpec& verb);

}  // namespace cli
