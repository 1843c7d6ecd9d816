// Where the program reads and prints, and whether a person is there.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "shifter/cli/screen.h"

namespace cli {

struct Console {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  int in = 0;                // a descriptor
  bool has_person = false;   // in and err are a terminal: a question may be asked
  bool is_terminal = false;  // out is one
  bool colors = false;

  static Console of_process();  // honours NO_COLOR and TERM=dumb

  void print(std::string_view text) const;
  void complain(std::string_view text) const;  // "shifter: " is put before it
  ScreenSize size() const;
  // A line that a person typed; nothing at the end or after a signal.
  std::optional<std::string> ask(std::string_view question) const;
};

}  // namespace cli
