// What a move of a rollout does to the fleet: weights, states, cookies and redraw, in one value.
#pragma once

#include "shifter/control/config.h"
#include "shifter/control/fleet.h"
#include "shifter/control/rollout_look.h"

namespace control {

// The fleet after it, with an epoch of its own; the same fleet if nothing of it is meant.
// Needs: the plan's colors are colors of the fleet.
Fleet fleet_after(const Fleet& fleet, const RolloutPlan& plan, const Effects& effects,
                  base::Instant now, const DrainConfig& drain);

}  // namespace control
