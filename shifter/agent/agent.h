// The agent's life: says hello to the sidecar, takes one action at a time, writes down that it
// begins, does it, writes down how it ended, and tells. Listens on nothing.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/log.h"
#include "shifter/agent/admin_link.h"
#include "shifter/agent/capacity.h"
#include "shifter/agent/commands.h"
#include "shifter/agent/config.h"
#include "shifter/agent/journal.h"
#include "shifter/agent/performer.h"

namespace agent {

class Agent {
 public:
  // `stop_descriptor` is readable once the agent is asked to end.
  Agent(const AgentConfig& config, Journal journal, base::Log& log, std::string version,
        int stop_descriptor);
  ~Agent();

  void run();  // until it is asked to end

 private:
  class RealCommands;

  bool stops() const;
  void pause(base::Millis time);
  bool connect();  // hello, and what is open is told; false: not now
  bool settle(uint64_t id, int64_t asked_ms);
  void end_leftovers();  // of actions that a crash cut
  bool take_one();       // false: the connection is lost
  void act(const Task& task);
  bool tell(uint64_t id, const Outcome& outcome);
  void beat();  // while an action runs: the sidecar hears of us
  void refresh_figures();
  std::optional<std::string> ask(const std::string& line, base::Millis within);

  const AgentConfig& config_;
  Journal journal_;
  base::Log& log_;
  std::string version_;
  int stop_descriptor_;
  std::unique_ptr<RealCommands> commands_;
  AdminLink link_;
  int64_t session_ = 0;
  const Task* acting_ = nullptr;  // while it runs
  base::Instant beaten_{};
  Figures figures_;
  base::Instant figures_at_{};
  bool was_refused_ = false;
};

}  // namespace agent
