// The words of the command line: a verb, options of this program, and the line for the daemon.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "shifter/cli/verbs.h"

namespace cli {

inline constexpr base::Millis kWaitDefault{60'000};

struct Arguments {
  std::string socket = "/run/sidecar/admin.sock";
  bool json = false;
  bool help = false;
  bool wait_lock = false;
  base::Millis wait_lock_time{600'000};
  bool dry_run = false;
  bool no_input = false;
  bool no_color = false;
  bool wait = false;
  base::Millis wait_time = kWaitDefault;
  std::optional<std::string> confirm;
  std::optional<std::string> if_epoch;
  const VerbSpec* verb = nullptr;  // null: help of all
  std::vector<std::string> words;  // after the verb, without "="
  std::vector<std::pair<std::string, std::string>> keys;
  std::string line;  // for the daemon

  std::optional<std::string> key(std::string_view name) const;
};

// An error is a usage fault, in words for people.
base::Result<Arguments> parse_arguments(const std::vector<std::string>& words);

// A value as the daemon's grammar reads it: quoted if it must be.
std::string quoted(const std::string& word);

}  // namespace cli
