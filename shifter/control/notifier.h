// Tells somebody outside: how a rollout ended, or that a person is wanted. An interface, so that
// the control plane's tests need no network.
#pragma once

#include <cstdint>
#include <string>

namespace control {

struct Notice {
  std::string kind;     // "end" or "page"
  std::string color;    // of the canary
  std::string summary;  // one line for people
  std::string json;     // the whole of it, one object
};

class Notifier {
 public:
  virtual ~Notifier() = default;
  // Never waits. Once for every end.
  virtual void notify(const Notice& notice) = 0;
  virtual int64_t failures() const = 0;
};

}  // namespace control
