#include "shifter/cli/verbs.h"

#include <algorithm>

namespace cli {
namespace {

const std::vector<int> kLook = {kDone, kFailed, kUsage, kUnreachable, kRefused};
const std::vector<int> kChange = {kDone, kFailed, kUsage, kUnreachable, kConflict, kRefused};
const std::vector<int> kWaiting = {kDone,        kFailed,   kUsage,  kNotReached,
                                   kUnreachable, kConflict, kRefused};
const std::vector<int> kStatus = {kDone, kFailed, kUsage, kNotReached, kUnreachable, kRefused};

}  // namespace

const std::vector<VerbSpec>& verb_table() {
  static const std::vector<VerbSpec> table = {
      {"status", "", "what a person asks first (3: degraded)", kStatus},
      {"weights", "COLOR=N COLOR=N", "shares of new users", kChange},
      {"ready", "COLOR", "takes users again", kChange},
      {"maint", "COLOR [last=yes]", "out of service now; running work goes on", kChange},
      {"drain", "COLOR [deadline=20m] [wait=60s] [quiet=5m] [force=yes] [last=yes]",
       "no new users, then nobody (3: not empty yet)", kWaiting},
      {"hold", "on|off [max=200] [timeout=15s]", "new requests wait", kChange},
      {"inflight", "[COLOR]", "what is being answered, oldest first", kLook},
      {"connections", "", "connections of clients and to backends", kLook},
      {"routes", "", "routes in the order of matching", kLook},
      {"config", "", "every key with its value", kLook},
      {"audit", "", "the last changes", kLook},
      {"events", "follow", "a stream of what happens", kLook},
      {"reload", "", "reads the config file again", kChange},
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

std::string help_text() {
  std::string text =
      "shifter [--socket PATH] [--json] [--reason TEXT] [--if-epoch N] VERB [ARGUMENTS]\n\n";
  for (const VerbSpec& verb : verb_table()) {
    std::string line = "  " + std::string(verb.name);
    if (!verb.arguments.empty()) line += " " + std::string(verb.arguments);
    line += "\n      " + std::string(verb.does) + "; exits";
    for (int code : verb.codes) line += " " + std::to_string(code);
    text += line + "\n";
  }
  text +=
      "\nexit codes: 0 done, 1 failed, 2 usage, 3 wanted state not reached in time,\n"
      "4 daemon unreachable, 5 conflict, 6 refused by a rule, 130 interrupted\n";
  return text;
}

}  // namespace cli
