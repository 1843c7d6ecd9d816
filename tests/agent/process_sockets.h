// The sockets of a process, as the kernel lists them in /proc.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace agent_tests {

// Inode numbers.
inline std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    if (target.rfind("socket:[", 0) == 0) inodes.insert(target.substr(8, target.size() - 9));
  }
  return inodes;
}
// TCP in state 0A, Unix with the flag of accept().
inline int listening_sockets(pid_t pid) {
  const auto own = sockets_of(pid);
  const std::string net = "/proc/" + std::to_string(pid) + "/net/";
  int count = 0;
  for (const char* table : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream file(net + table);
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::vector<std::string> fields;
      for (std::string word; words >> word;) fields.push_back(word);
      if (fields.size() < 10 || own.count(fields[9]) == 0) continue;
      count += fields[3] == "0A" || std::string(table).rfind("udp", 0) == 0 ? 1 : 0;
    }
  }
  std::ifstream file(net + "unix");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string number, references, protocol, flags, type, state, inode;
    words >> number >> references >> protocol >> flags >> type >> state >> inode;
    if (own.count(inode) > 0 && flags == "00010000") ++count;
  }
  return count;
}
// Connections that it made to Unix sockets of others, as docker's is: their end here has no name,
// while what it accepted has that of its own socket.
inline int unix_connections(pid_t pid) {
  const auto own = sockets_of(pid);
  std::ifstream file("/proc/" + std::to_string(pid) + "/net/unix");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    count += fields.size() == 7 && own.count(fields[6]) > 0 ? 1 : 0;
  }
  return count;
}

}  // namespace agent_tests
