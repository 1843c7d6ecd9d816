// The command `scale N|auto|freeze [for=2h]`: how it is read. Whoever runs it saves what came out.
#pragma once

#include "proxy/base/log.h"
#include "shifter/control/admin_grammar.h"
#include "shifter/control/scaling.h"

namespace control {

struct ScaleAsk {
  ScaleState next;
  base::LogLine told;  // what the answer says of it
};

// A usage fault, or the rule that is against it: the policy's bounds, or the machine.
Answer<ScaleAsk> read_scale_command(const Command& command, const Scaling& scaling);

}  // namespace control
