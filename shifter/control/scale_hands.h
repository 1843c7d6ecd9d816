// How the autoscaler's decision becomes a change: a rollout of the live release onto the cold
// color, or an action of the agent. Behind an interface, so that deciding knows neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "shifter/control/admin_error.h"
#include "shifter/policy/policy.h"

namespace control {

struct ScaleOrder {
  policy::Apply apply = policy::Apply::redeploy;
  size_t color = 0;  // that serves now
  int from = 0;
  int to = 0;
  std::string reason;
};

class ScaleHands {
 public:
  virtual ~ScaleHands() = default;

  // Somebody else changes the fleet, or locked it.
  virtual bool is_held() const = 0;
  // During any rollout, ours included: the color whose users are moved.
  virtual std::optional<size_t> stable() const = 0;

  // The id by which look() finds it. An error: not now; nothing has begun.
  virtual Answer<uint64_t> begin(const ScaleOrder& order) = 0;
  enum class State : uint8_t { running, done, failed };
  struct Seen {
    State state = State::failed;
    std::string text;  // why it failed
  };
  virtual Seen look(policy::Apply apply, uint64_t id) const = 0;
  // A change of ours that runs, though we do not remember it: this process ended in between.
  virtual std::optional<uint64_t> forgotten() const = 0;
};

}  // namespace control
