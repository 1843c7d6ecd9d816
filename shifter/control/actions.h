// What the control plane asks of the agent: a queue of actions with ids that are never used twice,
// each taken, started and ended at most once. Whoever asks keeps the id and looks at find() each
// tick. No sockets, no files: the state file keeps what saved() gives. Main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "shifter/control/admin_error.h"

namespace control {

enum class ActionKind : uint8_t {
  deploy,          // arguments: workers; image, digest, or like (a color); absent: as it is
  stop,            // waits for background work, then stops the color's service
  set_workers,     // edits the env file only; argument: workers
  signal_workers,  // live, by signals to the running master, env file in step; argument: workers
  custom,          // a configured command; argument: hook=pre_canary|post_switch|stop|notify
};
std::string_view text_of(ActionKind kind);

struct ActionAsk {
  ActionKind kind = ActionKind::deploy;
  std::string color;
  std::map<std::string, std::string> arguments;  // workers, image, digest, like, hook, epoch, …
  base::Millis deadline{300'000};                // counts from when the agent takes it
};

enum class ActionState : uint8_t {
  pending,  // nobody has it; stays so without an agent, until withdrawn
  taken,    // handed to the agent
  started,  // the agent wrote its id down and works
  done,
  failed,   // ended and was undone as far as it can be; the message says why
  unknown,  // begun, and nobody can say how it ended: look, it is never run again
};
std::string_view text_of(ActionState state);
constexpr bool is_over(ActionState state) { return state >= ActionState::done; }

struct Action {
  uint64_t id = 0;
  ActionAsk ask;
  ActionState state = ActionState::pending;
  std::string message;
  std::vector<std::string> tail;              // the last lines of output, at most 20
  std::map<std::string, std::string> result;  // workers (observed), digest, image, container, …
  base::WallTime asked{};                     // with the id: this action and no other, ever
  base::WallTime since{};                     // of this state, for people
  std::string hook;                           // as metrics name it: deploy, stop, pre_canary, …
  std::optional<base::Instant> ends;          // set when taken: past it nothing is waited for
};

// What the agent last said about its machine; absent: it did not say.
struct AgentFigures {
  std::optional<int> cpus;
  std::optional<int64_t> memory_bytes;
  std::optional<int64_t> memory_free_bytes;  // what could be used without swapping
  std::optional<int64_t> connections;        // to PostgreSQL, of all programs
  std::optional<int64_t> connections_max;
  std::map<std::string, int> workers;      // observed, by color
  std::map<std::string, int> env_workers;  // as the env file says, by color
  base::Instant seen{};
};

// What the state file keeps.
struct SavedActions {
  uint64_t last_id = 0;
  std::string journal;  // of the agent that had the open ones
  std::deque<Action> actions;
  std::map<std::string, int64_t> hook_failures;
};

struct AgentHello {
  std::string journal;  // names the agent's journal: another one knows nothing of earlier actions
  int64_t pid = 0;
  uint32_t uid = 0;
  std::string version;
};

struct ActionReport {
  uint64_t id = 0;
  ActionState state = ActionState::started;  // pending: it was never begun, may be given again
  std::string message;
  std::vector<std::string> tail;
  std::map<std::string, std::string> result;
};

class Actions {
 public:
  static constexpr size_t kKept = 64;        // with those that are over
  static constexpr size_t kPendingMax = 16;  // past it an ask fails at once
  static constexpr size_t kTailLines = 20;
  static constexpr base::Millis kGrace{150'000};   // past the deadline, for undoing and telling
  static constexpr base::Millis kSilence{60'000};  // of an agent; past it there is none

  explicit Actions(const base::Clock& clock) : clock_(clock) {}

  // The id of a new pending action.
  uint64_t ask(ActionAsk ask);
  // Null: never asked, or forgotten (the oldest that is over goes first).
  const Action* find(uint64_t id) const;
  // A pending action that nobody wants any more fails with this reason; false: it is too late.
  bool withdraw(uint64_t id, std::string_view why);
  const std::deque<Action>& list() const { return actions_; }  // oldest first

  // True while an agent speaks to us.
  bool has_agent() const;
  const AgentHello& agent() const { return agent_; }
  const AgentFigures& figures() const { return figures_; }
  const std::map<std::string, int64_t>& hook_failures() const { return hook_failures_; }

  // The agent's side. hello: the session, to be given with what follows; `conflict` while another
  // agent is there. open(): those that it must say something about before it takes more.
  Answer<uint64_t> hello(const AgentHello& hello, AgentFigures figures);
  std::vector<const Action*> open() const;
  Answer<void> heard(uint64_t session);  // `conflict`: another hello came later
  void set_figures(AgentFigures figures);
  void agent_left();  // its waiting connection closed
  // The next pending action, taken now; null: none, or one is under way. Must be saved before it
  // is handed out; give_back() where that failed.
  const Action* take();
  void give_back(uint64_t id);
  // Told twice is fine; an end is not changed by another, except `unknown`.
  Answer<void> report(const ActionReport& report);

  // Ends what is past its deadline. Once a tick.
  void tick();
  // Says why an action must not be handed out now (a color that serves is not stopped); it fails.
  void set_guard(std::function<std::optional<std::string>(const Action&)> guard);
  // Told of every change of a state.
  void set_on_change(std::function<void(const Action&)> told) { on_change_ = std::move(told); }

  // Something changed since saved() was last called.
  bool is_unsaved() const { return unsaved_; }
  SavedActions saved() const;
  void mark_saved() { unsaved_ = false; }
  void restore(SavedActions saved);

 private:
  Action* get(uint64_t id);
  void move(Action& action, ActionState to, std::string message);
  void forget_old();

  const base::Clock& clock_;
  std::deque<Action> actions_;
  uint64_t last_id_ = 0;
  std::string journal_;
  uint64_t session_ = 0;
  bool connected_ = false;
  base::Instant heard_{};
  AgentHello agent_;
  AgentFigures figures_;
  std::map<std::string, int64_t> hook_failures_;
  std::function<std::optional<std::string>(const Action&)> guard_;
  std::function<void(const Action&)> on_change_;
  bool unsaved_ = false;
};

}  // namespace control
