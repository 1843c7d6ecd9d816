// What each command does: arguments to a new fleet or a look, then the answer, which for some
// waits. Main thread.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shifter/control/admin_agent.h"
#include "shifter/control/admin_grammar.h"
#include "shifter/control/admin_rollout.h"
#include "shifter/control/admin_server.h"
#include "shifter/control/audit_log.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/views.h"

namespace control {

class Scaling;

class AdminCommands final : public CommandRunner {
 public:
  // A config that was read again: its faults, or what needs a restart and how the rest is taken.
  struct Reloaded {
    std::vector<std::string> faults;
    std::vector<std::string> needs_restart;
    std::function<void()> take;
  };
  struct Hooks {
    std::function<ProcessView()> process;
    std::function<std::vector<std::pair<std::string, std::string>>()> describe_config;
    std::function<Reloaded()> reload;
    AdminRollout* rollouts = nullptr;  // null: their commands are refused
  };

  AdminCommands(ControlLoop& control, routing::DataPlane& plane, Events& events, AuditLog& audit,
                Hooks hooks);
  ~AdminCommands();

  void run(std::string_view line, std::shared_ptr<Reply> reply) override;
  void set_scaling(Scaling* scaling) { scaling_ = scaling; }  // null: `scale` is refused
  // Looks at the commands that wait. Once a tick.
  void tick();
  bool has_taker() const { return agent_.has_taker(); }  // an agent waits for work
  void refuse_changes() { refuses_changes_ = true; }  // the process ends
  // Another process takes over: what changes anything is answered `moved`, until it is taken back.
  void freeze(bool on) { frozen_ = on; }
  // It has: those who wait are sent there, and who comes from now on.
  void send_away();

  int64_t commands() const { return commands_; }
  int64_t refused() const { return refused_; }

 private:
  struct Call;    // one command and whoever sent it
  struct Waiter;  // a drain or maint that has not been answered

  void look(const Call& call);
  void change(const Call& call);
  // Each of them returns an error or has answered, or will.
  Answer<void> rollout(const Call& call);
  Answer<void> weights(const Call& call);
  Answer<void> ready(const Call& call);
  Answer<void> maint(const Call& call);
  Answer<void> drain(const Call& call);
  Answer<void> hold(const Call& call);
  Answer<void> reload(const Call& call);
  Answer<void> scale(const Call& call);
  Answer<void> inflight(const Call& call);

  Answer<size_t> color_of(const Call& call) const;
  // Saved and published, audited; answers once it is applied everywhere.
  Answer<void> commit(const Call& call, Fleet next, bool must_act, base::LogLine rest,
                      const std::function<void()>& take = {});
  void wait_for(const Call& call, size_t color, base::Millis wait, bool force, bool saved);
  bool is_over(Waiter& waiter);  // true: answered
  void answer_left(Waiter& waiter);
  void audit(const Call& call, const std::string& before, std::string_view result);
  std::vector<std::string> warnings() const;

  ControlLoop& control_;
  routing::DataPlane& plane_;
  Events& events_;
  AuditLog& audit_;
  Hooks hooks_;
  AdminAgent agent_;
  Scaling* scaling_ = nullptr;
  std::list<Waiter> waiters_;
  bool refuses_changes_ = false;
  bool frozen_ = false;
  bool moved_ = false;
  int64_t commands_ = 0;
  int64_t refused_ = 0;
};

}  // namespace control
