// How the agent touches the world: commands and time. Tests bring their own.
#pragma once

#include "proxy/base/clock.h"
#include "shifter/agent/child.h"

namespace agent {

class Commands {
 public:
  virtual ~Commands() = default;
  // undoes: also when the agent was asked to end.
  virtual ChildEnd run(const ChildAsk& ask, bool undoes) = 0;
  virtual void wait(base::Millis time) = 0;
  virtual base::Instant now() const = 0;
  virtual bool stops() const = 0;  // the agent was asked to end: begin nothing more
};

}  // namespace agent
