// Runs rollouts: looks at the colors, the judge and the agent's actions once a tick, moves the
// state machine and carries its effects to the fleet, in one saved change. Holds the lock, the
// releases and the history. Main thread.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "shifter/control/actions.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/events.h"
#include "shifter/control/notifier.h"
#include "shifter/control/rollout_orders.h"
#include "shifter/control/rollout_plan.h"
#include "shifter/control/rollout_state.h"

namespace control {

class RolloutControl {
 public:
  // All of them outlive this object.
  RolloutControl(const base::Clock& clock, ControlLoop& control, routing::DataPlane& plane,
                 JudgeView& judge, Events& events, Notifier& notifier);

  // After the control loop has loaded its state and published it: weights first, then decisions.
  void start();
  void tick();

  const Rollout& current() const { return saved().current; }
  const SavedRollout& saved() const { return control_.rollout(); }
  const Releases& releases() const { return releases_; }
  bool is_idle() const { return current().is_idle(); }
  // What would move users back now, for people; empty if nothing could.
  std::string would_roll_back() const;
  bool waits_for_window() const;

  // Who keeps others out now: a rollout, or a lock.
  std::optional<Lock> holder() const;
  // A change of weights or states by hand: `conflict` during a rollout, and for all but the holder
  // of the lock.
  Answer<void> may_change(const Actor& who) const;
  Answer<void> lock(const Actor& who, const std::string& reason);
  Answer<void> unlock(const Actor& who, bool force);

  // What the answer of a command says.
  struct Told {
    bool saved = true;
    std::string text;  // for people; may be empty
  };
  Answer<Told> begin(const BeginAsk& ask);
  Answer<Told> replace(const BeginAsk& ask);  // ends the running canary, then begins
  Answer<Told> pause();
  Answer<Told> resume(bool accept);
  Answer<Told> promote(bool full);
  Answer<Told> turn_back(const TurnBackAsk& ask);
  // The plan that `begin` would carry out, with what the judge could find.
  Answer<Told> try_plan(const BeginAsk& ask) const;

 private:
  Answer<RolloutPlan> plan_of(const BeginAsk& ask, std::string& text) const;
  BeginFacts facts_of() const;
  RolloutSight sight() const;
  ColorSight sight_of(routing::ColorIndex color, const routing::Totals& totals) const;
  ActionSight action_of(uint64_t id) const;
  StepFacts step_facts() const;

  // Saved, published, judged, told. Nothing is done if it cannot be saved and need not act.
  Answer<bool> carry_out(RolloutStep step);
  uint64_t do_ask(Ask what, Rollout& next);
  void withdraw_asks(const Rollout& before, const Rollout& next);
  void end(const Rollout& before, SavedRollout& saved, base::Instant now);
  void tell(const Rollout& before, const Effects& effects);
  void tell_page(const std::string& why);
  bool begin_next();
  void look_for_live();
  void learn_deploy();

  const base::Clock& clock_;
  ControlLoop& control_;
  routing::DataPlane& plane_;
  JudgeView& judge_;
  Events& events_;
  Notifier& notifier_;
  Releases releases_;
  base::Instant looked_{};  // when the judge was asked last
  base::Instant failed_{};  // when a save failed last
};

// "error: 3 of 40 sessions against 2 of 380, evidence 12 of 66.7".
std::string text_of(const SignalEvidence& signal);

}  // namespace control
