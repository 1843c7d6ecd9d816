// A line of the admin socket: any bytes give a command or an error that names itself.
#include "shifter/control/admin_grammar.h"
#include "tests/fuzz/targets.h"

int admin_line_one(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto command = control::parse_command(line);
  if (!command) {
    if (text_of(command.error().code).empty()) fuzz_fault("an error without a code");
    if (command.error().message.empty()) fuzz_fault("an error without words");
    const std::string json = control::error_json(command.error());
    if (!json.ends_with("}}") || json.find('\n') != std::string::npos)
      fuzz_fault("no line of JSON");
    return 0;
  }
  if (size > control::kCommandBytesMax) fuzz_fault("longer than a command may be");
  const control::CommandSpec* spec = command->spec;
  if (spec == nullptr) fuzz_fault("a command of no verb");
  const auto words = static_cast<int>(command->words.size());
  if (words < spec->words_min || words > spec->words_max) fuzz_fault("too few words or too many");
  // Typed arguments never throw.
  for (const auto& [key, value] : command->keys) {
    (void)control::duration_of(*command, key, base::Millis{0}, base::Millis{86'400'000});
    (void)control::number_of(*command, key, 0, 1'000'000);
    (void)control::flag_of(*command, key);
  }
  return 0;
}
