// Checks of the machine: the sidecar's own --check, disk and clock.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <sstream>

#include "shifter/cli/doctor.h"

extern char** environ;

namespace cli {
namespace {

constexpr int kCheckMs = 20'000;
constexpr size_t kOutputMax = 64 << 10;

// The sidecar beside this program, else whichever is on the path.
std::string sidecar_program() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length > 0) {
    std::string beside(path.data(), static_cast<size_t>(length));
    beside = beside.substr(0, beside.rfind('/') + 1) + "sidecar";
    if (::access(beside.c_str(), X_OK) == 0) return beside;
  }
  return "sidecar";
}

struct Ended {
  bool ran = false;
  int code = -1;
  std::string output;
};

// Reads until the other side closes, or for so long; what is more than the limit is dropped.
bool read_all(int descriptor, std::string& output) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kCheckMs);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd wanted{descriptor, POLLIN, 0};
    const int ready = ::poll(&wanted, 1, static_cast<int>(std::max<int64_t>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return false;
    std::array<char, 4096> bytes{};
    const ssize_t n = ::read(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    if (output.size() < kOutputMax) output.append(bytes.data(), static_cast<size_t>(n));
  }
}

Ended run_check(const std::string& program, const std::string& config) {
  Ended ended;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ended;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::string words[] = {program, "--config", config, "--check"};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  if (failed == 0) {
    ended.ran = read_all(ends[0], ended.output);
    if (!ended.ran) ::kill(child, SIGKILL);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  ::close(ends[0]);
  return ended;
}

}  // namespace

void check_config(const std::string& config, Diagnosis& diagnosis) {
  const Ended ended = run_check(sidecar_program(), config);
  if (!ended.ran || ended.code == 127) {
    diagnosis.not_checked.push_back({"config", config, "the program sidecar could not be run",
                                     "install it beside shifter, or on the path"});
    return;
  }
  diagnosis.checked.emplace_back("config");
  if (ended.code == 0) return;
  std::istringstream lines(ended.output);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) diagnosis.findings.push_back({"config", config, line, "mend this line"});
  }
}

void check_disk(const std::string& check, const std::string& path, int64_t free_min,
                Diagnosis& diagnosis) {
  struct statvfs seen {};
  if (::statvfs(path.c_str(), &seen) != 0) {
    diagnosis.findings.push_back({check, path, std::strerror(errno),
                                  "make the folder, or name another in the config"});
    return;
  }
  diagnosis.checked.push_back(check);
  const auto free = static_cast<int64_t>(seen.f_bavail) * static_cast<int64_t>(seen.f_frsize);
  if (free >= free_min) return;
  diagnosis.findings.push_back({check, path,
                                std::to_string(free >> 20) + " MiB are free, " +
                                    std::to_string(free_min >> 20) + " MiB should be",
                                "free some, or give it another disk"});
}

void check_clock(Diagnosis& diagnosis) {
  timex asked{};
  const int state = ::adjtimex(&asked);
  if (state < 0) {
    diagnosis.not_checked.push_back({"clock", "the system's clock", std::strerror(errno), ""});
    return;
  }
  diagnosis.checked.emplace_back("clock");
  if (state != TIME_ERROR && (asked.status & STA_UNSYNC) == 0) return;
  diagnosis.findings.push_back(
      {"clock", "the system's clock", "it is not set by a time service",
       "run chrony or systemd-timesyncd: cookies, logs and windows go by it"});
}

}  // namespace cli
