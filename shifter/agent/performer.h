// Does one action from its first to its last step and says how it ended. What fails is undone: the
// env file gets its old bytes, the service its old container. Blocks; one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "shifter/agent/commands.h"
#include "shifter/agent/config.h"
#include "shifter/agent/docker.h"
#include "shifter/agent/env_file.h"
#include "shifter/agent/journal.h"

namespace agent {

struct Task {
  uint64_t id = 0;
  int64_t asked_ms = 0;
  std::string kind;
  std::string color;
  std::map<std::string, std::string> arguments;
  base::Millis deadline{60'000};
};

class Performer {
 public:
  Performer(const AgentConfig& config, Commands& commands) : config_(config), commands_(commands) {}

  Outcome perform(const Task& task);
  // An action that was begun and has no end: what the color's container does now. Changes nothing.
  Outcome look(const std::string& color);

 private:
  struct Job;  // one action under way

  Outcome set_workers(Job& job);
  Outcome deploy(Job& job);
  Outcome stop(Job& job);
  Outcome signal_workers(Job& job);
  Outcome custom(Job& job);

  Names names_of(const Task& task) const;
  base::Result<std::optional<int>> wanted_workers(const Task& task) const;
  base::Result<ImageIdentity> image_of(Job& job, const std::string& color, const EnvText& env);
  // The steps of a deploy; an error is undone by deploy().
  base::Result<> wait_until_healthy(Job& job, const std::string& image_id);
  base::Result<> wait_for_workers(Job& job, int wanted);
  std::string undo(Job& job, const EnvFile::Change& change, const std::string& status_before);
  void wait_for_background(Job& job);
  base::Result<ProcessList> count_until(Job& job, const std::string& container, int wanted,
                                        base::Millis within);
  base::Result<> one_more(Job& job, const std::string& container, ProcessList& seen);
  base::Result<> one_less(Job& job, const std::string& container, ProcessList& seen);

  const AgentConfig& config_;
  Commands& commands_;
};

}  // namespace agent
