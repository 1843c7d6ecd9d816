// The agent's commands on the admin socket: `agent hello`, `actions take`, `actions report`; and
// `actions`, which shows the queue to people. Main thread.
#pragma once

#include <memory>
#include <optional>

#include "shifter/control/admin_grammar.h"
#include "shifter/control/admin_server.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/events.h"

namespace control {

class AdminAgent {
 public:
  AdminAgent(ControlLoop& control, Events& events);

  // An error, or it has answered or will.
  Answer<void> run(const Command& command, const std::shared_ptr<Reply>& reply);
  void tick();  // once a tick: a take that waits
  bool has_taker() const { return taker_.has_value(); }  // an agent waits for work
  // False: this uid may not say this command. Uids are of the config's two lists.
  static bool may(const AdminConfig& config, const Command& command, uint32_t uid);

 private:
  struct Taker {  // a take that has not been answered
    std::shared_ptr<Reply> reply;
    base::Instant until{};
  };
  Answer<void> hello(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> take(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> report(const Command& command, const std::shared_ptr<Reply>& reply);
  void answer_taker();
  void tell(const Action& action);

  ControlLoop& control_;
  Events& events_;
  std::optional<Taker> taker_;
};

// {"id":7,"kind":"deploy",…}: as `actions` shows one, and as the agent gets it.
std::string action_json(const Action& action);

}  // namespace control
