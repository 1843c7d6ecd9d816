// The rollout in `status`, and the answers of the rollout verbs, as people read them. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

// What `status` says of rollouts.
struct RolloutView {
  bool known = false;  // there is or was one
  std::string state;   // "canary(10)", "holding(no_evidence)", "idle"
  int64_t number = 0;
  std::string canary, stable;
  std::string end;  // "rolled_back(error)"; empty while it runs
  std::string end_text;
  std::string purpose, steps;
  int64_t share = 0;
  int64_t since_s = 0;
  int64_t deadline_in_s = -1;  // -1: none
  bool waits_for_window = false;
  std::string verdict;  // its line
  std::string would_roll_back;
  std::vector<std::string> evidence;  // one line a signal
  std::string lock;                   // who holds it and why; empty: nobody

  bool is_idle() const { return state.empty() || state == "idle"; }
  bool went_back() const {
    return end.rfind("rolled_back", 0) == 0 || end.rfind("aborted", 0) == 0;
  }
};

RolloutView rollout_view(const nlohmann::ordered_json& status);
// Lines for the live view: step, evidence, and what would move users back.
std::vector<std::string> rollout_lines(const RolloutView& rollout);
// The text of canary, switch, rollback, pause, resume, promote, abort, lock, unlock, history,
// explain, simulate.
std::string rollout_text(std::string_view verb, const nlohmann::ordered_json& answer);
bool is_rollout_verb(std::string_view verb);

}  // namespace cli
