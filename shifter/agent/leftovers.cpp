#include "shifter/agent/leftovers.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <set>

#include "proxy/base/files.h"
#include "shifter/agent/child.h"

namespace agent {
namespace {

constexpr size_t kEnvironmentMax = 4 << 20;
constexpr int kLookAgainMs = 50;

bool has_mark(pid_t pid, const std::string& mark) {
  // Not ours to read: not ours to end.
  auto text = base::read_file("/proc/" + std::to_string(pid) + "/environ", kEnvironmentMax);
  if (!text) return false;
  const std::string whole = std::string(1, '\0') + *text;
  return whole.find(std::string(1, '\0') + mark + std::string(1, '\0')) != std::string::npos;
}

struct Found {
  std::set<pid_t> groups;
  size_t processes = 0;
};

Found find(const std::string& mark) {
  Found found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
    if (pid <= 1 || pid == ::getpid() || !has_mark(pid, mark)) continue;
    const pid_t group = ::getpgid(pid);
    if (group <= 1 || group == ::getpgrp()) continue;
    found.groups.insert(group);
    ++found.processes;
  }
  return found;
}

}  // namespace

size_t end_leftovers(const std::string& mark) {
  Found left = find(mark);
  const size_t count = left.processes;
  for (pid_t group : left.groups) ::kill(-group, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kKillAfter;
  while (left.processes > 0 && std::chrono::steady_clock::now() < until) {
    ::poll(nullptr, 0, kLookAgainMs);
    left = find(mark);
  }
  for (pid_t group : left.groups) ::kill(-group, SIGKILL);
  return count;
}

}  // namespace agent
