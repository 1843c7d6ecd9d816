// What the agent's machine can carry: CPUs, memory, connections to PostgreSQL. The readers are
// pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shifter/agent/commands.h"
#include "shifter/agent/config.h"

namespace agent {

struct Figures {
  std::optional<int> cpus;
  std::optional<int64_t> memory_bytes;
  std::optional<int64_t> memory_free_bytes;
  std::optional<int64_t> connections;
  std::optional<int64_t> connections_max;
  std::map<std::string, int> workers;      // observed, by color
  std::map<std::string, int> env_workers;  // of the env file

  // " cpus=4 memory=…": as the admin socket takes them.
  std::string words() const;
};

// MemTotal and MemAvailable of /proc/meminfo, in bytes.
void read_memory(std::string_view meminfo, Figures& figures);
// "USED MAX" or "USED"; anything else says nothing.
void read_connections(std::string_view output, Figures& figures);

// Asks the machine; what cannot be told is absent.
Figures look_at_machine(const AgentConfig& config, Commands& commands);

}  // namespace agent
