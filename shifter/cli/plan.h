// What a change would do (--dry-run). Pure: arguments and a look at the fleet.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shifter/cli/guard.h"

namespace cli {

struct PlanLine {
  std::string what, current, wanted;
};
struct Plan {
  std::vector<PlanLine> lines;
  std::optional<Guard> guard;
  std::string refusal;  // by a rule of the daemon, whoever asks; "" if none is known
};
// An error is a usage fault: a name or a value that the daemon would not take.
base::Result<Plan> plan_of(const Arguments& arguments, const Snapshot& seen);
std::string plan_text(const Plan& plan, const Snapshot& seen);
std::string plan_json(const Plan& plan, const Arguments& arguments, const Snapshot& seen);

}  // namespace cli
