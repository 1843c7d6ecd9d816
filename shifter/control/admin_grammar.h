// The language of the admin socket: one line, words and key=value arguments, checked against one
// table. A value with spaces is quoted: reason="night deploy".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "shifter/control/admin_error.h"

namespace control {

enum class Verb : uint8_t {
  status,
  weights,
  ready,
  maint,
  drain,
  hold,
  inflight,
  connections,
  routes,
  config,
  audit,
  events,
  reload,
  canary,
  switch_over,
  rollback,
  pause,
  resume,
  promote,
  abort,
  scale,
  lock,
  unlock,
  history,
  explain,
  simulate,
  agent,
  actions,
  help,
};

struct CommandSpec {
  Verb verb;
  std::string_view name;
  std::string_view arguments;  // as `help` prints them
  std::string_view does;
  int words_min = 0;  // words without "=" after the verb
  int words_max = 0;
  std::string_view keys;         // allowed keys, separated by spaces
  bool changes = false;          // audited; takes if-epoch and reason
  bool keys_are_colors = false;  // any other key is the name of a color
};

const std::vector<CommandSpec>& command_table();

struct Command {
  const CommandSpec* spec = nullptr;
  std::string line;
  std::vector<std::string> words;                         // without the verb
  std::vector<std::pair<std::string, std::string>> keys;  // in order
  std::optional<std::string> find(std::string_view key) const;
};

inline constexpr size_t kCommandBytesMax = 8 << 10;

// An unknown verb or key is an error that names the nearest known one; so is a line of more than
// kCommandBytesMax.
Answer<Command> parse_command(std::string_view line);

// Typed arguments. Absent: nothing.
Answer<std::optional<base::Millis>> duration_of(const Command& command, std::string_view key,
                                                base::Millis least, base::Millis most);
Answer<std::optional<int64_t>> number_of(const Command& command, std::string_view key,
                                         int64_t least, int64_t most);
Answer<bool> flag_of(const Command& command, std::string_view key);  // yes or no; absent is no

}  // namespace control
