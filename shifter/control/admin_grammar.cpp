#include "shifter/control/admin_grammar.h"

#include <algorithm>
#include <charconv>

#include "proxy/base/yaml.h"

namespace control {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Words of a line. Quotes keep spaces; inside them a backslash takes the next byte as it is.
Answer<std::vector<std::string>> tokens_of(std::string_view line) {
  std::vector<std::string> tokens;
  std::string token;
  bool in_token = false;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
      return deny(AdminCode::usage, {}, "a control character at byte " + std::to_string(i + 1));
    }
    if (quoted && c == '\\' && i + 1 < line.size()) {
      token += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
      in_token = true;
    } else if (!quoted && (c == ' ' || c == '\t')) {
      if (in_token) tokens.push_back(std::exchange(token, {}));
      in_token = false;
    } else {
      token += c;
      in_token = true;
    }
  }
  if (quoted) return deny(AdminCode::usage, {}, "a quote is not closed");
  if (in_token) tokens.push_back(std::move(token));
  return tokens;
}

std::string meant(std::string_view given, const std::vector<std::string>& words) {
  auto nearest = base::nearest_word(given, words);
  return nearest ? "; did you mean " + *nearest + "?" : std::string();
}

std::vector<std::string> keys_of(const CommandSpec& spec) {
  std::vector<std::string> keys = split(spec.keys);
  if (spec.changes) keys.insert(keys.end(), {"if-epoch", "reason"});
  return keys;
}

const CommandSpec* find_spec(std::string_view name) {
  for (const CommandSpec& spec : command_table()) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

tl::unexpected<AdminError> unknown_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const CommandSpec& spec : command_table()) names.emplace_back(spec.name);
  return deny(AdminCode::usage, "command",
              "no command is called " + name + meant(name, names) + " (help lists them)");
}

}  // namespace

const std::vector<CommandSpec>& command_table() {
  static const std::vector<CommandSpec> table = {
      {Verb::status, "status", "", "what a person asks first", 0, 0, "", false, false},
      {Verb::weights, "weights", "COLOR=N COLOR=N [if-epoch=N] [reason=TEXT]",
       "shares of new users; true on every worker when it answers", 0, 0, "", true, true},
      {Verb::ready, "ready", "COLOR [if-epoch=N] [reason=TEXT]", "takes users again", 1, 1, "",
       true, false},
      {Verb::maint, "maint", "COLOR [last=yes] [if-epoch=N] [reason=TEXT]",
       "out of service now; running work goes on", 1, 1, "last", true, false},
      {Verb::drain, "drain",
       "COLOR [deadline=20m] [wait=60s] [quiet=5m] [force=yes] [last=yes] [if-epoch=N] "
       "[reason=TEXT]",
       "no new users, then nobody; answers when empty or after wait", 1, 1,
       "deadline wait quiet force last", true, false},
      {Verb::hold, "hold", "on|off [max=200] [timeout=15s] [if-epoch=N] [reason=TEXT]",
       "new requests wait", 1, 1, "max timeout", true, false},
      {Verb::inflight, "inflight", "[COLOR]", "what is being answered, oldest first", 0, 1, "",
       false, false},
      {Verb::connections, "connections", "", "connections of clients and to backends", 0, 0, "",
       false, false},
      {Verb::routes, "routes", "", "routes in the order of matching", 0, 0, "", false, false},
      {Verb::config, "config", "", "every key with its value", 0, 0, "", false, false},
      {Verb::audit, "audit", "", "the last changes", 0, 0, "", false, false},
      {Verb::events, "events", "follow", "a stream, one object a line", 1, 1, "", false, false},
      {Verb::reload, "reload", "[if-epoch=N] [reason=TEXT]", "reads the config file again", 0, 0,
       "", true, false},
      {Verb::agent, "agent", "hello journal=NAME pid=N [version=TEXT] [FIGURES]",
       "an agent is there; answers its session and what it must tell about", 1, 1,
       "journal pid version cpus memory memory_free connections connections_max workers "
       "env_workers",
       false, false},
      {Verb::actions, "actions",
       "[take session=N [wait=30s] [FIGURES] | report ID session=N state=STATE [message=TEXT] "
       "[tail=LINES] [RESULTS]]",
       "what the agent is asked for; the agent takes and reports", 0, 2,
       "session wait state message tail digest image container background cpus memory "
       "memory_free connections connections_max workers env_workers",
       false, false},
      {Verb::canary, "canary",
       "COLOR [steps=5,10,25,50,100] [schema=none|expand|contract] [label=TEXT] [image=DIGEST] "
       "[deploy=no] [aa=yes] [replace=yes] [accept-weak=yes] [dry-run=yes] [if-epoch=N] "
       "[reason=TEXT]",
       "a rollout by steps, judged; answers when it has begun", 1, 1,
       "steps schema label image deploy aa replace accept-weak dry-run", true, false},
      {Verb::switch_over, "switch",
       "COLOR [schema=none|expand|contract] [label=TEXT] [image=DIGEST] [deploy=no] "
       "[bake=no reason=TEXT] [dry-run=yes] [if-epoch=N]",
       "a rollout of one step: health and warm-up, then everybody, bake, drain, stop", 1, 1,
       "schema label image deploy bake dry-run", true, false},
      {Verb::rollback, "rollback",
       "[RELEASE] [force=yes] [old-code-breaks=yes reason=TEXT] [dry-run=yes] [if-epoch=N]",
       "back to a recorded release; by default to the one before", 0, 1,
       "force old-code-breaks dry-run", true, false},
      {Verb::pause, "pause", "[if-epoch=N] [reason=TEXT]",
       "the rollout takes no step; harm still ends it", 0, 0, "", true, false},
      {Verb::resume, "resume", "[accept-no-evidence=yes reason=TEXT] [if-epoch=N]",
       "goes on after a pause, or without evidence", 0, 0, "accept-no-evidence", true, false},
      {Verb::promote, "promote", "[full=yes] [if-epoch=N] [reason=TEXT]",
       "the next step now; full: everybody now, then the bake", 0, 0, "full", true, false},
      {Verb::abort, "abort", "[force=yes] [old-code-breaks=yes reason=TEXT] [if-epoch=N]",
       "the running rollout ends, users go back; wins over all others", 0, 0,
       "force old-code-breaks", true, false},
      {Verb::scale, "scale", "N|auto|freeze [for=2h] [if-epoch=N] [reason=TEXT]",
       "a number of workers for a time, none of the scaler's changes, or by the policy", 1, 1,
       "for", true, false},
      {Verb::lock, "lock", "reason=TEXT [if-epoch=N]", "keeps others from changes and rollouts", 0,
       0, "", true, false},
      {Verb::unlock, "unlock", "[force=yes] [if-epoch=N] [reason=TEXT]", "gives the lock back", 0,
       0, "force", true, false},
      {Verb::history, "history", "", "rollouts that are over, and the recorded releases", 0, 0, "",
       false, false},
      {Verb::explain, "explain", "[EPOCH]", "the numbers behind a decision", 0, 1, "", false,
       false},
      {Verb::simulate, "simulate", "POLICY [color=COLOR] [worse=3] [runs=200]",
       "the last day's traffic through other steps, such as 5,25,100", 1, 1, "color worse runs",
       false, false},
      {Verb::help, "help", "", "this list", 0, 0, "", false, false},
  };
  return table;
}

std::optional<std::string> Command::find(std::string_view key) const {
  for (const auto& [name, value] : keys) {
    if (name == key) return value;
  }
  return std::nullopt;
}

Answer<Command> parse_command(std::string_view line) {
  if (line.size() > kCommandBytesMax) {
    return deny(AdminCode::usage, "command", "a command has at most 8 KiB");
  }
  auto tokens = tokens_of(line);
  if (!tokens) return tl::unexpected(tokens.error());
  if (tokens->empty()) return deny(AdminCode::usage, "command", "an empty line (help lists them)");
  Command command;
  command.line = std::string(line);
  command.spec = find_spec(tokens->front());
  if (command.spec == nullptr) return unknown_verb(tokens->front());
  const CommandSpec& spec = *command.spec;
  const std::vector<std::string> known = keys_of(spec);
  for (size_t i = 1; i < tokens->size(); ++i) {
    const std::string& token = (*tokens)[i];
    const size_t equals = token.find('=');
    if (equals == std::string::npos) {
      command.words.push_back(token);
      continue;
    }
    std::string key = token.substr(0, equals);
    if (!spec.keys_are_colors && std::find(known.begin(), known.end(), key) == known.end()) {
      return deny(AdminCode::usage, key, "unknown argument " + key + meant(key, known));
    }
    // Colors are checked, and found twice, by whoever knows them.
    if (!spec.keys_are_colors && command.find(key)) {
      return deny(AdminCode::usage, key, key + " is given twice");
    }
    command.keys.emplace_back(std::move(key), token.substr(equals + 1));
  }
  const int words = static_cast<int>(command.words.size());
  if (words < spec.words_min || words > spec.words_max) {
    const std::string field = words > spec.words_max ? command.words.back() : "arguments";
    return deny(AdminCode::usage, field,
                "usage: " + std::string(spec.name) + " " + std::string(spec.arguments));
  }
  return command;
}

Answer<std::optional<base::Millis>> duration_of(const Command& command, std::string_view key,
                                                base::Millis least, base::Millis most) {
  auto text = command.find(key);
  if (!text) return std::nullopt;
  auto value = base::parse_duration(*text);
  if (!value || *value < least || *value > most) {
    return deny(AdminCode::usage, std::string(key),
                std::string(key) + " is a time from " + base::duration_text(least) + " to " +
                    base::duration_text(most) + ", not \"" + *text + "\"");
  }
  return value;
}

Answer<std::optional<int64_t>> number_of(const Command& command, std::string_view key,
                                         int64_t least, int64_t most) {
  auto text = command.find(key);
  if (!text) return std::nullopt;
  int64_t value = 0;
  const char* end = text->data() + text->size();
  auto [at, error] = std::from_chars(text->data(), end, value);
  if (text->empty() || error != std::errc() || at != end || value < least || value > most) {
    return deny(AdminCode::usage, std::string(key),
                std::string(key) + " is a number from " + std::to_string(least) + " to " +
                    std::to_string(most) + ", not \"" + *text + "\"");
  }
  return value;
}

Answer<bool> flag_of(const Command& command, std::string_view key) {
  auto text = command.find(key);
  if (!text || *text == "no") return false;
  if (*text == "yes") return true;
  return deny(AdminCode::usage, std::string(key), std::string(key) + " is yes or no");
}

}  // namespace control
