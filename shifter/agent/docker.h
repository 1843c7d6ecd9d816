// What the agent asks docker and compose, as configured commands within one action's time. Keeps
// the last lines that they printed.
#pragma once

#include <optional>
#include <string>

#include "proxy/base/result.h"
#include "shifter/agent/commands.h"
#include "shifter/agent/config.h"
#include "shifter/agent/workers.h"

namespace agent {

struct ContainerState {
  std::string status;  // running, exited, created, …
  std::string health;  // healthy, unhealthy, starting, none
  std::string image;   // id
};

struct ImageIdentity {
  std::string digest;  // repository@sha256:…, or the id of an image that was built here
  std::string id;      // sha256:…
};

class Docker {
 public:
  // `names` fill the commands' placeholders.
  Docker(const AgentConfig& config, Commands& commands, Names names, base::Millis deadline);

  base::Millis left() const;  // of the action's time
  bool is_late() const { return left().count() <= 0 || (!undoes_ && commands_.stops()); }
  // From here on time is counted anew, and the end of the agent does not stop it.
  void begin_undo();

  // Runs to its end; an error has its exit code and its last line. With a deadline of its own it is
  // a look, whose output is kept only where it fails.
  base::Result<std::string> run(const Words& words, const Names& more = {},
                                std::optional<base::Millis> deadline = std::nullopt);
  // The exit code of a check; an error: it gave none.
  base::Result<int> check(const Words& words, const Names& more = {});
  // With color, epoch and what else is given in its environment.
  ChildEnd run_hook(const Words& words, std::vector<std::pair<std::string, std::string>> more = {});

  // "" when the service has no container.
  base::Result<std::string> find_container();
  base::Result<ContainerState> inspect(const std::string& container);
  // Resolved once: from here on the digest is used. Pulls an image that is not on the machine. Of
  // several digests that of `named` (the image itself where it is empty) is taken.
  base::Result<ImageIdentity> resolve(const std::string& image, std::string named = {});
  base::Result<ProcessList> processes(const std::string& container);

  void wait() { commands_.wait(config_.poll); }
  Commands& commands() { return commands_; }
  std::vector<std::string> tail() const { return tail_.lines(); }

 private:
  void keep(const ChildEnd& end);
  ChildEnd run_words(const Words& words, const Names& more, base::Millis deadline,
                     std::vector<std::pair<std::string, std::string>> environment);

  const AgentConfig& config_;
  Commands& commands_;
  Names names_;
  base::Instant until_;
  bool undoes_ = false;
  Tail tail_;
};

}  // namespace agent
