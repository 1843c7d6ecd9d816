// Odoo's processes in a container, as `docker top` lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agent {

struct WorkerProcess {
  int64_t pid = 0;
  int64_t cpu_seconds = 0;
};

struct ProcessList {
  int64_t master = 0;  // 0: not told
  std::vector<WorkerProcess> workers;
};

// Reads columns pid, ppid, cpu seconds, command line; a header and other lines are passed over.
// The master is the root of the tree (below wrappers that have one child only); workers are its
// children whose command line has none of `without`, less `other`.
// Nothing: no process is listed.
std::optional<ProcessList> read_processes(std::string_view text,
                                          const std::vector<std::string>& without, int other);

// The one to be asked to leave: whose CPU time did not grow since `before`; of these the youngest.
std::optional<int64_t> idle_worker(const ProcessList& before, const ProcessList& now);

}  // namespace agent
