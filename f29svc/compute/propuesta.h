// The tax authority's proposal against ours: differences are named, ours stays.
#pragma once

#include "f29svc/domain/inputs.h"
#include "f29svc/domain/return.h"

namespace f29 {

void compare_boxes(const Return& ours, const Boxes& theirs, const Inputs& inputs,
                   Findings& findings);

}  // namespace f29
