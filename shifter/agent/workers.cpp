#include "shifter/agent/workers.h"

#include <algorithm>
#include <sstream>

namespace agent {
namespace {

struct Row {
  int64_t pid = 0, parent = 0, cpu_seconds = 0;
  std::string command;
};

constexpr size_t kRowsMax = 4096;

std::vector<Row> read_rows(std::string_view text) {
  std::vector<Row> rows;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line) && rows.size() < kRowsMax;) {
    std::istringstream words(line);
    Row row;
    if (!(words >> row.pid >> row.parent >> row.cpu_seconds)) continue;
    std::getline(words, row.command);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<Row> children_of(const std::vector<Row>& rows, int64_t pid) {
  std::vector<Row> children;
  for (const Row& row : rows) {
    if (row.parent == pid && row.pid != pid) children.push_back(row);
  }
  return children;
}

}  // namespace

std::optional<ProcessList> read_processes(std::string_view text,
                                          const std::vector<std::string>& without, int other) {
  const std::vector<Row> rows = read_rows(text);
  const auto root = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
    return std::none_of(rows.begin(), rows.end(),
                        [&](const Row& one) { return one.pid == row.parent; });
  });
  if (root == rows.end()) return std::nullopt;
  ProcessList list;
  list.master = root->pid;
  std::vector<Row> children = children_of(rows, list.master);
  for (size_t depth = 0; depth < rows.size() && children.size() == 1; ++depth) {
    auto below = children_of(rows, children.front().pid);
    if (below.empty()) break;
    list.master = children.front().pid;
    children = std::move(below);
  }
  for (const Row& row : children) {
    const bool is_other = std::any_of(without.begin(), without.end(), [&](const auto& word) {
      return row.command.find(word) != std::string::npos;
    });
    if (!is_other) list.workers.push_back({row.pid, row.cpu_seconds});
  }
  // What looks alike was forked last: Odoo starts workers for requests first.
  std::sort(list.workers.begin(), list.workers.end(),
            [](const auto& a, const auto& b) { return a.pid < b.pid; });
  const size_t drop = std::min(list.workers.size(), static_cast<size_t>(std::max(other, 0)));
  list.workers.resize(list.workers.size() - drop);
  return list;
}

std::optional<int64_t> idle_worker(const ProcessList& before, const ProcessList& now) {
  std::optional<int64_t> youngest;
  for (const WorkerProcess& worker : now.workers) {
    const bool idle =
        std::any_of(before.workers.begin(), before.workers.end(), [&](const auto& one) {
          return one.pid == worker.pid && one.cpu_seconds == worker.cpu_seconds;
        });
    if (idle) youngest = worker.pid;
  }
  if (!youngest && !now.workers.empty()) youngest = now.workers.back().pid;
  return youngest;
}

}  // namespace agent
