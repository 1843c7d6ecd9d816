// A child process: its output in a file, its end awaited, never left behind. And a folder that goes
// away with its owner.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/harness/deadline.h"

namespace harness {

// The folder of the programs under test.
std::string program(const std::string& name);

class TempFolder {
 public:
  // in_memory: where a sync costs nothing, if there is such a place.
  explicit TempFolder(bool in_memory = false);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::string read_text(const std::string& path);  // "" when there is no such file
void write_text(const std::string& path, const std::string& text);

class Process {
 public:
  // `output`: standard output and error. `environment`: NAME=VALUE beside the inherited ones.
  // `activated_socket`: becomes its descriptor 3, as a supervisor hands it over (LISTEN_FDS).
  Process(std::vector<std::string> arguments, std::string output,
          const std::vector<std::string>& environment = {}, int activated_socket = -1);
  ~Process();  // SIGKILL, unless it has ended
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);
  // The exit code, or 128 + signal; nothing when it still runs after `within`.
  std::optional<int> wait(Millis within);
  std::string output() const { return read_text(output_); }
  // Words of a sanitizer or of a broken invariant in its output; "" is good.
  std::string alarms() const;

 private:
  pid_t pid_ = -1;
  int pid_descriptor_ = -1;
  std::optional<int> code_;
  std::string output_;
};

// Runs a program to its end.
struct Finished {
  int code = -1;
  std::string output;
};
Finished run_program(std::vector<std::string> arguments, Millis within = Millis{20'000});

// Kilobytes of memory that the process holds now.
long resident_kib(pid_t pid);
long open_descriptors(pid_t pid);

}  // namespace harness
