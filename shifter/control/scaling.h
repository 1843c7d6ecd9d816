// The autoscaler at work: gathers windows, asks decide() once a second, begins what is due through
// ScaleHands and keeps what came of it. Its state is saved with the fleet's. Main thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "shifter/control/autoscaler.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/scale_families.h"
#include "shifter/control/scale_hands.h"
#include "shifter/control/scale_windows.h"

namespace control {

class Scaling {
 public:
  // All of them outlive this object.
  Scaling(const base::Clock& clock, ControlLoop& control, routing::DataPlane& plane,
          Events& events, ScaleHands& hands);

  void start();  // after the control loop's
  void tick();

  const policy::Policy& policy() const { return policy_; }
  const ScaleState& state() const { return control_.scale(); }
  const ScaleDecision& decision() const { return decision_; }
  // A config read again: its policy is taken, or it was refused.
  void take_policy(const policy::Policy& policy);
  void policy_refused() { policy_failed_ = true; }

  // `scale`: what it would make of the state; the caller saves it. An error names the rule.
  Answer<ScaleState> ask_number(int number, base::Millis time, const std::string& reason) const;
  ScaleState ask_freeze(base::Millis time, const std::string& reason) const;
  ScaleState ask_auto() const { return set_automatic(state()); }
  // Decides with the state as it is now: after a command.
  void decide_now();

  std::string json() const;  // the section of `status`
  std::vector<std::string> degraded() const;  // reasons, in words
  void fill(ScaleMetrics& metrics) const;

 private:
  ScaleFacts facts() const;
  std::vector<size_t> live() const;
  std::optional<int> workers_of(size_t color) const;
  void keep(ScaleState next);
  void look_after_change();
  void end_change(const ScaleHands::Seen& seen);
  void tell(const ScaleDecision& before);
  void begin();

  const base::Clock& clock_;
  ControlLoop& control_;
  routing::DataPlane& plane_;
  Events& events_;
  ScaleHands& hands_;
  policy::Policy policy_;
  bool policy_failed_ = false;
  ScaleWindows windows_;
  ScaleDecision decision_;
  std::string decided_color_;
  base::Instant watching_since_{};
  base::Instant decided_{};
  base::Instant counted_{};
  base::Instant looked_{};
  bool was_held_ = false;
  std::array<int64_t, kScaleKinds.size()> decisions_{};  // by kind, one a window
  ScaleCounts counts_;
};

}  // namespace control
