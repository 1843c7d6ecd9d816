// The actions' section of the state file. Deadlines are kept on both clocks, as those of drains.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "shifter/control/actions.h"
#include "shifter/control/state_file.h"

namespace control {

nlohmann::json write_actions(const SavedActions& actions, const TimeBase& time);
// Throws std::exception where the shape is wrong.
SavedActions read_actions(const nlohmann::json& json, bool same_boot, const TimeBase& time);

}  // namespace control
