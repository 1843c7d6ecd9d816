// The control plane's half of an agent test: a real admin socket over a real control loop, on a
// thread of its own. The test asks for actions as the rollout does, and looks how they end.
#pragma once

#include <future>
#include <memory>
#include <thread>

#include "proxy/base/uv_loop.h"
#include "shifter/control/admin_commands.h"
#include "tests/integration/harness/deadline.h"
#include "tests/support/fake_data_plane.h"
#include "tests/unit/control/fixtures.h"

namespace agent_tests {

class ControlDesk {
 public:
  ControlDesk() { begin(); }
  ~ControlDesk() { end(); }

  std::string socket() const { return folder_.file("admin.sock"); }
  std::string state_file() const { return folder_.file("state.json"); }

  // Ends it and starts it again from its state file, as a restart of the sidecar does.
  void restart() {
    end();
    begin();
  }
  // The same without its state: ids begin anew.
  void lose_state() {
    end();
    std::remove(state_file().c_str());
    std::remove((state_file() + ".old").c_str());
    begin();
  }
  uint64_t ask(control::ActionAsk ask) {
    return on_loop([&] { return parts_->control.actions().ask(std::move(ask)); });
  }
  std::optional<control::Action> find(uint64_t id) {
    return on_loop([&]() -> std::optional<control::Action> {
      const control::Action* action = parts_->control.actions().find(id);
      return action == nullptr ? std::nullopt : std::optional(*action);
    });
  }
  bool has_agent() {
    return on_loop([&] { return parts_->control.actions().has_agent(); });
  }
  bool has_taker() {  // the agent waits for work
    return on_loop([&] { return parts_->commands->has_taker(); });
  }
  control::AgentFigures figures() {
    return on_loop([&] { return parts_->control.actions().figures(); });
  }
  void await_state(uint64_t id, control::ActionState state,
                   base::Millis within = base::Millis{30'000}) {
    harness::await(
        "state " + std::string(control::text_of(state)),
        [&] {
          const auto action = find(id);
          return action && action->state == state;
        },
        within);
  }
  // Asks and waits for the end.
  control::Action run(control::ActionAsk ask, base::Millis within = base::Millis{120'000}) {
    const uint64_t id = this->ask(std::move(ask));
    harness::await(
        "the end of action " + std::to_string(id),
        [&] { return control::is_over(find(id)->state); }, within);
    return *find(id);
  }

 private:
  struct Parts {
    explicit Parts(const control::TemporaryFolder& folder)
        : log(*base::Log::open(folder.file("log"))),
          events(*log),
          control(loop, plane, events, config_of(folder), control::two_colors(100, 0),
                  std::vector<base::Key>(1)),
          audit(*control::AuditLog::open(folder.file("audit"))),
          timer(loop.timers(), this, base::fires<&Parts::tick>) {
      CHECK(control.start().has_value());
      plane.apply();
      // Green is empty and out of service: it may be deployed and stopped.
      if (control.fleet().colors[1].state == control::ColorState::ready) {
        auto maint = control::ask_maint(control.fleet(), 1, true, control::all_up(), true);
        CHECK(maint && control.change(std::move(*maint), true, {}));
      }
      commands = std::make_unique<control::AdminCommands>(
          control, plane, events, *audit,
          control::AdminCommands::Hooks{
              [] { return control::ProcessView{}; },
              [] { return std::vector<std::pair<std::string, std::string>>{}; },
              [] { return control::AdminCommands::Reloaded{}; }});
      const auto& admin = control.config().admin;
      server = std::make_unique<control::AdminServer>(loop, admin.agent_uids, *commands);
      auto listener = loop.listen_unix(admin.socket, 0600, *server);
      CHECK(listener.has_value());
      server->serve(std::move(*listener));
      tick();
    }
    static control::ControlConfig config_of(const control::TemporaryFolder& folder) {
      control::ControlConfig config;
      config.state.file = folder.file("state.json");
      config.admin.socket = folder.file("admin.sock");
      config.admin.agent_uids = {static_cast<uint32_t>(::geteuid())};
      config.admin.allow_uids = config.admin.agent_uids;
      return config;
    }
    void tick() {
      plane.apply();
      control.tick();
      commands->tick();
      server->look_after_clients();
      timer.start(base::Millis{20});
    }

    base::UvLoop loop;
    support::FakeDataPlane plane;
    std::unique_ptr<base::Log> log;
    control::Events events;
    control::ControlLoop control;
    std::unique_ptr<control::AuditLog> audit;
    std::unique_ptr<control::AdminCommands> commands;
    std::unique_ptr<control::AdminServer> server;
    base::Timer timer;
  };

  void begin() {
    std::promise<void> ready;
    thread_ = std::thread([&] {
      parts_ = std::make_unique<Parts>(folder_);
      ready.set_value();
      parts_->loop.run();
      parts_.reset();
    });
    ready.get_future().wait();
  }
  void end() {
    parts_->loop.mailbox().post([this] { parts_->loop.stop(); });
    thread_.join();
  }
  template <class Work>
  auto on_loop(Work work) -> decltype(work()) {
    std::promise<decltype(work())> answer;
    parts_->loop.mailbox().post([&] { answer.set_value(work()); });
    return answer.get_future().get();
  }

  control::TemporaryFolder folder_;
  std::unique_ptr<Parts> parts_;  // lives on the thread
  std::thread thread_;
};

}  // namespace agent_tests
