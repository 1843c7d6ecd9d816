#include "shifter/cli/verbs.h"

#include <algorithm>

namespace cli {
namespace {

// 5 is nothing that a look can meet; 130 is whoever waits for an answer and is interrupted.
const std::vector<int> kLook = {kDone, kFailed, kUsage, kUnreachable, kRefused, kInterrupted};
const std::vector<int> kChange = {kDone,     kFailed,  kUsage,      kUnreachable,
                                  kConflict, kRefused, kInterrupted};
const std::vector<int> kWaiting = {kDone,        kFailed,   kUsage,   kNotReached,
                                   kUnreachable, kConflict, kRefused, kInterrupted};
const std::vector<int> kStatus = {kDone,        kFailed,  kUsage,      kNotReached,
                                  kUnreachable, kRefused, kInterrupted};
const std::vector<int> kRollout = {kDone,     kFailed,  kUsage,    kNotReached, kUnreachable,
                                   kConflict, kRefused, kWentBack, kInterrupted};
// A stream has no good end of its own: it is left.
const std::vector<int> kStream = {kFailed, kUsage, kUnreachable, kRefused, kInterrupted};
const std::vector<int> kHere = {kDone, kUsage};
const std::vector<int> kAgent = {kDone, kFailed, kUsage};

}  // namespace

const std::vector<VerbSpec>& verb_table() {
  static const std::vector<VerbSpec> table = {
      {"status", "", "what a person asks first (3: degraded)", kStatus, Where::look,
       WaitsFor::healthy},
      {"watch", "", "status and events as they change; one line an event into a pipe", kStream},
      {"weights", "COLOR=N COLOR=N", "shares of new users", kWaiting, Where::change, WaitsFor::up,
       true},
      {"ready", "COLOR", "takes users again", kWaiting, Where::change, WaitsFor::up, true},
      {"maint", "COLOR [last=yes]", "out of service now; running work goes on", kWaiting,
       Where::change, WaitsFor::maint, true, "last=yes"},
      {"drain", "COLOR [deadline=20m] [wait=60s] [quiet=5m] [force=yes] [last=yes]",
       "no new users, then nobody (3: not empty yet)", kWaiting, Where::change, WaitsFor::daemon,
       true, "deadline= wait= quiet= force=yes last=yes"},
      {"hold", "on|off [max=200] [timeout=15s]", "new requests wait", kChange, Where::change,
       WaitsFor::nothing, false, "on off max= timeout="},
      {"scale", "N|auto|freeze [for=2h]",
       "a number of workers for a time, no changes, or by the policy", kChange, Where::change,
       WaitsFor::nothing, false, "auto freeze for="},
      {"canary",
       "COLOR [steps=5,10,25,50,100] [schema=none|expand|contract] [label=TEXT] [image=DIGEST] "
       "[deploy=no] [aa=yes] [replace=yes] [accept-weak=yes]",
       "a rollout by steps, judged (7: it went back)", kRollout, Where::change, WaitsFor::rollout,
       true, "steps= schema= label= image= deploy=no aa=yes replace=yes accept-weak=yes"},
      {"switch",
       "COLOR [schema=none|expand|contract] [label=TEXT] [image=DIGEST] [deploy=no] [bake=no]",
       "a rollout of one step: health, warm-up, everybody, bake, drain, stop", kRollout,
       Where::change, WaitsFor::rollout, true, "schema= label= image= deploy=no bake=no"},
      {"rollback", "[RELEASE] [force=yes] [old-code-breaks=yes]",
       "back to a recorded release; by default to the one before", kRollout, Where::change,
       WaitsFor::rollout, false, "force=yes old-code-breaks=yes"},
      {"pause", "", "the rollout takes no step; harm still ends it", kChange, Where::change},
      {"resume", "[accept-no-evidence=yes]", "goes on after a pause, or without evidence", kRollout,
       Where::change, WaitsFor::rollout, false, "accept-no-evidence=yes"},
      {"promote", "[full=yes]", "the next step now; full: everybody now, then the bake", kRollout,
       Where::change, WaitsFor::rollout, false, "full=yes"},
      {"abort", "[force=yes] [old-code-breaks=yes]",
       "the running rollout ends, users go back; wins over all others", kRollout, Where::change,
       WaitsFor::rollout, false, "force=yes old-code-breaks=yes"},
      {"lock", "", "keeps others from changes and rollouts; needs --reason", kChange,
       Where::change},
      {"unlock", "[force=yes]", "gives the lock back", kChange, Where::change, WaitsFor::nothing,
       false, "force=yes"},
      {"history", "", "rollouts that are over, and the recorded releases", kLook},
      {"explain", "[EPOCH]", "the numbers behind a decision", kLook},
      {"simulate", "POLICY [color=COLOR] [worse=3] [runs=200]",
       "the last day's traffic through other steps, such as 5,25,100", kLook, Where::look,
       WaitsFor::nothing, false, "color= worse= runs="},
      {"inflight", "[COLOR]", "what is being answered, oldest first", kLook, Where::look,
       WaitsFor::nothing, true},
      {"connections", "", "connections of clients and to backends", kLook},
      {"routes", "", "routes in the order of matching", kLook},
      {"config", "", "every key with its value", kLook},
      {"audit", "", "the last changes", kLook},
      {"actions", "", "what the agent was asked for and how it ended", kLook},
      {"events", "follow", "a stream of what happens", kStream, Where::look, WaitsFor::nothing,
       false, "follow"},
      {"reload", "", "reads the config file again", kChange, Where::change},
      {"agent", "--config FILE [--check]", "runs the agent until it is asked to end", kAgent,
       Where::here},
      {"doctor",
       "[config=FILE] [compose=FILE] [policy=FILE]",
       "looks for what goes wrong quietly and says what to do (3: something was found)",
       {kDone, kUsage, kNotReached},
       Where::here,
       WaitsFor::nothing,
       false,
       "config= compose= policy="},
      {"policy", "check FILE", "reads a scaling policy and prints every fault (2)", kHere,
       Where::here, WaitsFor::nothing, false, "check"},
      {"help", "[VERB]", "this list, or one verb", kHere, Where::here},
      {"completion", "bash|zsh", "completion for a shell, to be sourced", kHere, Where::here,
       WaitsFor::nothing, false, "bash zsh"},
      {"man", "", "the manual page, in roff", kHere, Where::here},
  };
  return table;
}

const std::vector<OptionSpec>& option_table() {
  static const std::vector<OptionSpec> table = {
      {"--socket", "PATH", "the daemon's admin socket (default /run/sidecar/admin.sock)"},
      {"--json", "", "the daemon's answer as it came, one object a line (docs/schema)"},
      {"--wait", "[TIME]", "stay until what was asked for is so; 3 if it is not in TIME (60s)"},
      {"--wait-lock", "[TIME]", "stay until nobody else holds the lock, then do it (10m)"},
      {"--dry-run", "", "print what would change, change nothing"},
      {"--reason", "TEXT", "why; kept in the audit log"},
      {"--if-epoch", "N", "only if nothing changed since epoch N, else 5"},
      {"--confirm", "COLOR", "answers the question that a dangerous change asks"},
      {"--no-input", "", "never ask; a dangerous change without --confirm ends with 2"},
      {"--no-color", "", "no colors on a terminal (as the variable NO_COLOR)"},
      {"--help", "", "the verbs, or the verb that is named"},
  };
  return table;
}

const std::vector<CodeSpec>& code_table() {
  static const std::vector<CodeSpec> table = {
      {kDone, "done"},
      {kFailed, "failed"},
      {kUsage, "usage, or a question was not answered"},
      {kNotReached, "the wanted state was not reached in time; status: degraded"},
      {kUnreachable, "the daemon is unreachable or its answer is not known"},
      {kConflict, "conflict: another operator acted"},
      {kRefused, "refused by a rule, whoever asks"},
      {kWentBack, "the rollout ended in rollback or abort"},
      {kInterrupted, "interrupted: a wait is left, nothing is undone"},
  };
  return table;
}

const VerbSpec* find_verb(std::string_view name) {
  const auto& table = verb_table();
  auto at = std::find_if(table.begin(), table.end(),
                         [&](const VerbSpec& verb) { return verb.name == name; });
  return at == table.end() ? nullptr : &*at;
}

int code_of(std::string_view error_code) {
  if (error_code == "usage") return kUsage;
  if (error_code == "conflict") return kConflict;
  if (error_code == "refused" || error_code == "forbidden") return kRefused;
  return kFailed;
}

std::string codes_text(const VerbSpec& verb) {
  std::string text;
  for (int code : verb.codes) text += (text.empty() ? "" : " ") + std::to_string(code);
  return text;
}

std::string usage_text(const OptionSpec& option) {
  std::string text(option.name);
  if (option.value.empty()) return text;
  if (option.value.front() == '[') return text + "[=" + std::string(option.value.substr(1));
  return text + " " + std::string(option.value);
}

std::string help_text(const VerbSpec& verb) {
  std::string line = "  " + std::string(verb.name);
  if (!verb.arguments.empty()) line += " " + std::string(verb.arguments);
  return line + "\n      " + std::string(verb.does) + "; exits " + codes_text(verb) + "\n";
}

std::string help_text() {
  std::string text = "shifter [OPTIONS] VERB [ARGUMENTS]\n\n";
  for (const VerbSpec& verb : verb_table()) text += help_text(verb);
  text += "\noptions:\n";
  for (const OptionSpec& option : option_table()) {
    std::string name = "  " + usage_text(option);
    name.resize(std::max<size_t>(name.size() + 1, 20), ' ');
    text += name + std::string(option.does) + "\n";
  }
  text += "\nexit codes:\n";
  for (const CodeSpec& one : code_table()) {
    std::string code = "  " + std::to_string(one.code);
    code.resize(7, ' ');
    text += code + std::string(one.means) + "\n";
  }
  return text;
}

}  // namespace cli
