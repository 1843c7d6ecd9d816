// The scaler's section of the state file: cooldowns, back-off, an operator's mode, and the change
// under way. Moments are kept on both clocks, as those of drains.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "shifter/control/autoscaler.h"

namespace control {

struct TimeBase;

nlohmann::json write_scale(const ScaleState& state, const TimeBase& time);
// Throws std::exception where the shape is wrong.
ScaleState read_scale(const nlohmann::json& json, bool same_boot, const TimeBase& time);

}  // namespace control
