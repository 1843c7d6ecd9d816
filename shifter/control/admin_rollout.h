// The rollout commands of the admin socket: canary, switch, rollback, pause, resume, promote,
// abort, lock, unlock, history, explain, simulate. Main thread.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "shifter/control/admin_grammar.h"
#include "shifter/control/admin_server.h"
#include "shifter/control/judge_replay.h"
#include "shifter/control/rollout_control.h"

namespace control {

class AdminRollout {
 public:
  // All of them outlive this object.
  AdminRollout(ControlLoop& control, RolloutControl& rollouts, const TrafficRecord& record)
      : control_(control), rollouts_(rollouts), record_(record) {}

  // True for the verbs of this class.
  static bool owns(Verb verb);
  // An error, or it has answered or will: a change answers once it is true on every worker.
  Answer<void> run(const Command& command, const std::shared_ptr<Reply>& reply);
  // May this verb of others be said now? weights, ready, maint and drain: not during a rollout,
  // and not while somebody else holds the lock.
  Answer<void> may_run(Verb verb, uint32_t uid) const;
  // Goes on with what `simulate` began. Once a tick.
  void tick();

 private:
  // A replay that goes on a little each tick, so that nothing else waits for it.
  struct Simulation {
    std::string color;
    std::string policy;
    int runs = 0;
    Replayer replayer;
    std::shared_ptr<Reply> reply;
  };

  Answer<void> begin(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> order(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> turn_back(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> lock(const Command& command, const std::shared_ptr<Reply>& reply);
  Answer<void> explain(const Command& command, const std::shared_ptr<Reply>& reply) const;
  Answer<void> simulate(const Command& command, const std::shared_ptr<Reply>& reply);
  void answer(const Simulation& simulation) const;
  Answer<BeginAsk> ask_of(const Command& command, uint32_t uid) const;
  void answer(const RolloutControl::Told& told, const std::shared_ptr<Reply>& reply);

  ControlLoop& control_;
  RolloutControl& rollouts_;
  const TrafficRecord& record_;
  std::list<Simulation> simulations_;
};

// Who has this uid on this machine.
Actor actor_of(uint32_t uid);

}  // namespace control
