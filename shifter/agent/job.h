// One action under way: what was asked, where, and what was seen so far.
#pragma once

#include "shifter/agent/performer.h"

namespace agent {

struct Performer::Job {
  const Task& task;
  const ColorTarget& target;
  Docker docker;
  EnvFile env;
  std::map<std::string, std::string> result;

  Outcome end(End how, std::string message) {
    return {how, std::move(message), docker.tail(), result};
  }
  Outcome done(std::string message = {}) { return end(End::done, std::move(message)); }
  Outcome failed(std::string message) { return end(End::failed, std::move(message)); }
  std::string argument(const std::string& name) const {
    const auto at = task.arguments.find(name);
    return at == task.arguments.end() ? std::string() : at->second;
  }
};

inline tl::unexpected<base::Error> fault(std::string detail) {
  return base::fail(base::ErrorCode::refused, base::Side::backend, std::move(detail));
}

inline std::string observed_text(size_t observed, int wanted) {
  return "observed " + std::to_string(observed) + ", wanted " + std::to_string(wanted);
}

}  // namespace agent
