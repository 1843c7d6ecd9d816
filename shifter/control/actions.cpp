#include "shifter/control/actions.h"

#include <algorithm>
#include <utility>

namespace control {
namespace {

// Whose failures are counted: the kind, or the name of the configured command.
std::string hook_of(const ActionAsk& ask) {
  if (ask.kind != ActionKind::custom) return std::string(text_of(ask.kind));
  const auto named = ask.arguments.find("hook");
  return named == ask.arguments.end() ? "custom" : named->second;
}

}  // namespace

std::string_view text_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::deploy:
      return "deploy";
    case ActionKind::stop:
      return "stop";
    case ActionKind::set_workers:
      return "set_workers";
    case ActionKind::signal_workers:
      return "signal_workers";
    case ActionKind::custom:
      return "custom";
  }
  return "custom";
}

std::string_view text_of(ActionState state) {
  switch (state) {
    case ActionState::pending:
      return "pending";
    case ActionState::taken:
      return "taken";
    case ActionState::started:
      return "started";
    case ActionState::done:
      return "done";
    case ActionState::failed:
      return "failed";
    case ActionState::unknown:
      return "unknown";
  }
  return "unknown";
}

uint64_t Actions::ask(ActionAsk ask) {
  const auto pending = std::count_if(actions_.begin(), actions_.end(), [](const Action& one) {
    return one.state == ActionState::pending;
  });
  Action action;
  action.id = ++last_id_;
  action.hook = hook_of(ask);
  action.ask = std::move(ask);
  action.asked = action.since = clock_.wall();
  actions_.push_back(std::move(action));
  forget_old();
  if (pending >= static_cast<std::ptrdiff_t>(kPendingMax)) {
    move(actions_.back(), ActionState::failed, "too many actions wait for an agent");
  } else {
    unsaved_ = true;
    if (on_change_) on_change_(actions_.back());
  }
  return last_id_;
}

const Action* Actions::find(uint64_t id) const { return const_cast<Actions*>(this)->get(id); }

Action* Actions::get(uint64_t id) {
  for (Action& action : actions_) {
    if (action.id == id) return &action;
  }
  return nullptr;
}

bool Actions::withdraw(uint64_t id, std::string_view why) {
  Action* action = get(id);
  if (action == nullptr || action->state != ActionState::pending) return false;
  move(*action, ActionState::failed, std::string(why));
  return true;
}

bool Actions::has_agent() const { return connected_ && clock_.now() - heard_ < kSilence; }

Answer<uint64_t> Actions::hello(const AgentHello& hello, AgentFigures figures) {
  if (has_agent() && hello.journal != agent_.journal) {
    return deny(AdminCode::conflict, "agent",
                "an agent is there already (pid " + std::to_string(agent_.pid) + ")");
  }
  if (hello.journal != journal_) {
    // What an earlier agent did is in a journal that this one does not have.
    for (Action& action : actions_) {
      if (action.state != ActionState::taken && action.state != ActionState::started) continue;
      move(action, ActionState::unknown, "the agent that had it is gone, and its journal too");
    }
    journal_ = hello.journal;
    unsaved_ = true;
  }
  agent_ = hello;
  connected_ = true;
  heard_ = clock_.now();
  set_figures(std::move(figures));
  return ++session_;
}

std::vector<const Action*> Actions::open() const {
  std::vector<const Action*> open;
  for (const Action& action : actions_) {
    if (action.state == ActionState::taken || action.state == ActionState::started) {
      open.push_back(&action);
    }
  }
  return open;
}

Answer<void> Actions::heard(uint64_t session) {
  if (session == 0 || session != session_) {
    return deny(AdminCode::conflict, "session", "say agent hello first: this session is over");
  }
  connected_ = true;
  heard_ = clock_.now();
  return {};
}

void Actions::set_figures(AgentFigures figures) {
  figures_ = std::move(figures);
  figures_.seen = clock_.now();
}

void Actions::agent_left() { connected_ = false; }

const Action* Actions::take() {
  if (!open().empty()) return nullptr;  // one at a time
  for (Action& action : actions_) {
    if (action.state != ActionState::pending) continue;
    if (guard_) {
      if (auto why = guard_(action)) {
        move(action, ActionState::failed, std::move(*why));
        continue;
      }
    }
    action.ends = clock_.now() + action.ask.deadline;
    move(action, ActionState::taken, {});
    return &action;
  }
  return nullptr;
}

void Actions::give_back(uint64_t id) {
  Action* action = get(id);
  if (action == nullptr || action->state != ActionState::taken) return;
  action->ends.reset();
  move(*action, ActionState::pending, {});
}

Answer<void> Actions::report(const ActionReport& report) {
  Action* action = get(report.id);
  if (action == nullptr) {
    return deny(AdminCode::not_found, "id", "no action has the id " + std::to_string(report.id));
  }
  if (action->state == ActionState::pending) {
    return deny(AdminCode::refused, "id",
                "action " + std::to_string(report.id) + " was not taken by anybody");
  }
  const bool is_final = action->state == ActionState::done || action->state == ActionState::failed;
  if (is_final || action->state == report.state) return {};
  if (report.state == ActionState::pending) {
    // The agent's journal does not have it, so it was not begun; but only if nobody said it was.
    if (action->state == ActionState::taken) give_back(report.id);
    if (action->state == ActionState::started) {
      move(*action, ActionState::unknown, "it was started, and the agent does not know of it");
    }
    return {};
  }
  if (action->state == ActionState::unknown && !is_over(report.state)) return {};
  if (report.state == ActionState::taken) return {};
  action->tail = report.tail;
  if (action->tail.size() > kTailLines) {
    action->tail.erase(action->tail.begin(), action->tail.end() - kTailLines);
  }
  action->result = report.result;
  move(*action, report.state, report.message);
  return {};
}

void Actions::tick() {
  for (Action& action : actions_) {
    if (is_over(action.state) || !action.ends) continue;
    if (clock_.now() < *action.ends + kGrace) continue;
    move(action, ActionState::unknown, "no end was reported within its deadline");
  }
}

void Actions::set_guard(std::function<std::optional<std::string>(const Action&)> guard) {
  guard_ = std::move(guard);
}

SavedActions Actions::saved() const { return {last_id_, journal_, actions_, hook_failures_}; }

void Actions::restore(SavedActions saved) {
  last_id_ = saved.last_id;
  journal_ = std::move(saved.journal);
  actions_ = std::move(saved.actions);
  hook_failures_ = std::move(saved.hook_failures);
  for (Action& action : actions_) action.hook = hook_of(action.ask);
  unsaved_ = false;
}

void Actions::move(Action& action, ActionState to, std::string message) {
  const ActionState from = std::exchange(action.state, to);
  action.message = std::move(message);
  action.since = clock_.wall();
  // What fails before it was begun is no failure of the hook; `unknown` is one, once.
  const bool counts = action.ends && from != ActionState::unknown;
  if ((to == ActionState::failed || to == ActionState::unknown) && counts) {
    ++hook_failures_[action.hook];
  }
  unsaved_ = true;
  if (on_change_) on_change_(action);
}

// The oldest that are over; what is open stays, and there are few of those.
void Actions::forget_old() {
  while (actions_.size() > kKept) {
    const auto old = std::find_if(actions_.begin(), actions_.end(),
                                  [](const Action& one) { return is_over(one.state); });
    if (old == actions_.end()) return;
    actions_.erase(old);
  }
}

}  // namespace control
