#include "shifter/agent/capacity.h"

#include <sched.h>

#include <charconv>
#include <sstream>

#include "proxy/base/files.h"
#include "shifter/agent/docker.h"
#include "shifter/agent/env_file.h"

namespace agent {
namespace {

std::string counts_text(const std::map<std::string, int>& counts) {
  std::string text;
  for (const auto& [color, count] : counts) {
    text += (text.empty() ? "" : ",") + color + ":" + std::to_string(count);
  }
  return text;
}

template <class Number>
void add(std::string& words, const char* key, const std::optional<Number>& value) {
  if (value) words += std::string(" ") + key + "=" + std::to_string(*value);
}

// CPUs that this process may use; a container's limit of time is not among them.
std::optional<int> count_cpus() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return std::nullopt;
  return CPU_COUNT(&set);
}

std::optional<int> small_number(const std::string& text) {
  int value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || at != text.data() + text.size() || value < 0 || value > 9999) {
    return std::nullopt;
  }
  return value;
}

void count_workers(const AgentConfig& config, Commands& commands, Figures& figures) {
  auto text = EnvFile(config.env_file).read();
  for (const auto& [name, target] : config.colors) {
    if (text) {
      if (auto value = text->value(target.workers_key)) {
        if (auto number = small_number(*value)) figures.env_workers[name] = *number;
      }
    }
    if (config.commands.count.empty() || commands.stops()) continue;
    Docker docker(config, commands,
                  {{"color", name}, {"service", target.service}, {"project", config.project}},
                  config.look_deadline);
    auto container = docker.find_container();
    if (!container || container->empty()) continue;
    auto state = docker.inspect(*container);
    if (!state || state->status != "running") continue;
    auto seen = docker.processes(*container);
    if (seen) figures.workers[name] = static_cast<int>(seen->workers.size());
  }
}

}  // namespace

std::string Figures::words() const {
  std::string words;
  add(words, "cpus", cpus);
  add(words, "memory", memory_bytes);
  add(words, "memory_free", memory_free_bytes);
  add(words, "connections", connections);
  add(words, "connections_max", connections_max);
  if (!workers.empty()) words += " workers=" + counts_text(workers);
  if (!env_workers.empty()) words += " env_workers=" + counts_text(env_workers);
  return words;
}

void read_memory(std::string_view meminfo, Figures& figures) {
  std::istringstream lines{std::string(meminfo)};
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t kib = 0;
    if (!(words >> name >> kib) || kib < 0 || kib > (int64_t{1} << 40)) continue;
    if (name == "MemTotal:") figures.memory_bytes = kib * 1024;
    if (name == "MemAvailable:") figures.memory_free_bytes = kib * 1024;
  }
}

void read_connections(std::string_view output, Figures& figures) {
  std::istringstream words{std::string(output)};
  int64_t used = 0;
  if (!(words >> used) || used < 0) return;
  figures.connections = used;
  int64_t most = 0;
  if (words >> most && most > 0) figures.connections_max = most;
}

Figures look_at_machine(const AgentConfig& config, Commands& commands) {
  Figures figures;
  figures.cpus = count_cpus();
  if (auto meminfo = base::read_file("/proc/meminfo", 1 << 16)) read_memory(*meminfo, figures);
  if (!config.connections.empty() && !commands.stops()) {
    ChildAsk ask;
    ask.words = fill_in(config, config.connections, {{"project", config.project}});
    ask.folder = config.folder;
    ask.deadline = config.look_deadline;
    const ChildEnd end = commands.run(ask, /*undoes=*/false);
    if (end.good()) read_connections(end.output, figures);
  }
  count_workers(config, commands, figures);
  return figures;
}

}  // namespace agent
