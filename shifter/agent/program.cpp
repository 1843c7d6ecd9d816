#include "shifter/agent/program.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "proxy/base/log.h"
#include "shifter/agent/agent.h"
#include "shifter/agent/config.h"

namespace agent {
namespace {

constexpr const char* kUsage =
    "usage: shifter agent --config FILE [--check]\n"
    "  takes actions from the sidecar: env file, docker-compose, hooks\n";

int stop_pipe[2] = {-1, -1};

extern "C" void on_stop_signal(int) {
  const char byte = 1;
  (void)!::write(stop_pipe[1], &byte, 1);
}

bool catch_signals() {
  if (::pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return false;
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  ::sigemptyset(&action.sa_mask);
  for (int number : {SIGTERM, SIGINT}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return true;
}

int complain(const std::string& text, int code) {
  std::fprintf(stderr, "shifter agent: %s\n", text.c_str());
  return code;
}

}  // namespace

int run(const std::vector<std::string>& words) {
  std::string path;
  bool check = false;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--config" && i + 1 < words.size()) {
      path = words[++i];
    } else if (words[i].rfind("--config=", 0) == 0) {
      path = words[i].substr(9);
    } else if (words[i] == "--check") {
      check = true;
    } else if (words[i] == "--help" || words[i] == "-h") {
      std::fputs(kUsage, stdout);
      return 0;
    } else {
      return complain("unknown argument " + words[i] + "\n" + kUsage, 2);
    }
  }
  if (path.empty()) return complain(std::string("a config is needed\n") + kUsage, 2);
  base::YamlFile file = base::YamlFile::from_path(path);
  AgentConfig config;
  {
    base::Section top = file.top();
    config = read_agent_config(top);
  }
  if (const auto faults = file.faults(); !faults.empty()) {
    for (const base::ConfigFault& one : faults) std::fprintf(stderr, "%s\n", one.text().c_str());
    return 2;
  }
  if (check) return 0;
  auto log = base::Log::open("stderr");
  if (!log) return complain(log.error().detail, 1);
  auto journal = Journal::open(config.journal);
  if (!journal) return complain(journal.error().detail, 1);
  if (!catch_signals()) return complain("pipe", 1);
  Agent(config, std::move(*journal), **log, AGENT_VERSION, stop_pipe[0]).run();
  return 0;
}

}  // namespace agent
