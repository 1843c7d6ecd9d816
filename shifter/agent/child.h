// One command as a child of its own process group: never through a shell, with a deadline, its
// output's last lines kept. At the deadline the whole group gets TERM, and KILL 5 s later.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/clock.h"

namespace agent {

inline constexpr base::Millis kKillAfter{5'000};

struct ChildAsk {
  std::vector<std::string> words;  // the program and its arguments
  base::Millis deadline{60'000};
  std::string folder;                                            // to run in; empty: ours
  std::vector<std::pair<std::string, std::string>> environment;  // beside ours
};

struct ChildEnd {
  enum class Why { exited, signalled, deadline, stopped, not_started };
  Why why = Why::exited;
  int code = 0;                   // exit code, or number of the signal
  std::string output;             // standard output, the first 64 KiB
  std::vector<std::string> tail;  // last 20 lines of both, each at most 200 bytes
  std::string error;              // not_started: why
  bool good() const { return why == Why::exited && code == 0; }
  std::string text() const;  // "exit code 1", "ended by its deadline of 30s", …
  base::Millis deadline{0};
};

// The last lines of what comes in pieces.
class Tail {
 public:
  static constexpr size_t kLines = 20;
  static constexpr size_t kLineBytes = 200;
  void add(std::string_view piece);
  std::vector<std::string> lines() const;

 private:
  std::deque<std::string> lines_;
  std::string last_;
};

// Waits for its end. `beat` is called several times a second meanwhile; when it says false the
// child is ended as at the deadline.
ChildEnd run_child(const ChildAsk& ask, const std::function<bool()>& beat);

}  // namespace agent
