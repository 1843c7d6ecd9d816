// The `shifter` command: arguments to one admin line, the answer to text and an exit code.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace cli {

struct Arguments {
  std::string socket = "/run/sidecar/admin.sock";
  bool json = false;
  bool help = false;
  std::string verb;
  std::string line;  // for the daemon
};
// An error is a usage fault, in words for people.
base::Result<Arguments> parse_arguments(const std::vector<std::string>& words);

// A value as the daemon's grammar reads it: quoted if it must be.
std::string quoted(const std::string& word);

int run(const std::vector<std::string>& words);

}  // namespace cli
