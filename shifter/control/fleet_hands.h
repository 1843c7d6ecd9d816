// The scaler's hands on the real fleet: a redeploy is a rollout under the rollouts' lock, a live
// change an action of the agent.
#pragma once

#include "shifter/control/control_loop.h"
#include "shifter/control/rollout_control.h"
#include "shifter/control/scale_hands.h"

namespace control {

class FleetHands final : public ScaleHands {
 public:
  // Both outlive this object.
  FleetHands(ControlLoop& control, RolloutControl& rollouts)
      : control_(control), rollouts_(rollouts) {}

  bool is_held() const override;
  std::optional<size_t> stable() const override;
  Answer<uint64_t> begin(const ScaleOrder& order) override;
  Seen look(policy::Apply apply, uint64_t id) const override;
  std::optional<uint64_t> forgotten() const override;

 private:
  Seen look_rollout(uint64_t number) const;
  Seen look_action(uint64_t id) const;

  ControlLoop& control_;
  RolloutControl& rollouts_;
};

}  // namespace control
