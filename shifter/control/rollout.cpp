#include "shifter/control/rollout.h"

namespace control {

std::string_view text_of(RolloutState state) {
  switch (state) {
    case RolloutState::idle:
      return "idle";
    case RolloutState::preparing:
      return "preparing";
    case RolloutState::warming:
      return "warming";
    case RolloutState::canary:
      return "canary";
    case RolloutState::switched:
      return "switched";
    case RolloutState::draining:
      return "draining";
    case RolloutState::stopping:
      return "stopping";
    case RolloutState::holding:
      return "holding";
    case RolloutState::rolling_back:
      return "rolling_back";
  }
  return "idle";
}

std::string_view text_of(HoldReason reason) {
  switch (reason) {
    case HoldReason::none:
      return "none";
    case HoldReason::no_evidence:
      return "no_evidence";
    case HoldReason::paused:
      return "paused";
    case HoldReason::stable_unhealthy:
      return "stable_unhealthy";
    case HoldReason::stable_down:
      return "stable_down";
    case HoldReason::dependency:
      return "dependency";
    case HoldReason::no_return:
      return "no_return";
  }
  return "none";
}

std::string_view text_of(EndKind kind) {
  switch (kind) {
    case EndKind::none:
      return "none";
    case EndKind::done:
      return "done";
    case EndKind::rolled_back:
      return "rolled_back";
    case EndKind::aborted:
      return "aborted";
    case EndKind::failed:
      return "failed";
    case EndKind::stop_failed:
      return "stop_failed";
    case EndKind::stop_unknown:
      return "stop_unknown";
  }
  return "none";
}

std::string_view text_of(EndReason reason) {
  switch (reason) {
    case EndReason::none:
      return "none";
    case EndReason::error:
      return "error";
    case EndReason::slow:
      return "slow";
    case EndReason::rpc_error:
      return "rpc_error";
    case EndReason::hard_limit:
      return "hard_limit";
    case EndReason::canary_down:
      return "canary_down";
    case EndReason::no_evidence:
      return "no_evidence";
    case EndReason::max_hold:
      return "max_hold";
    case EndReason::operator_asked:
      return "operator";
    case EndReason::replaced:
      return "replaced";
    case EndReason::deploy:
      return "deploy";
    case EndReason::hook:
      return "hook";
  }
  return "none";
}

std::string_view text_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::canary:
      return "canary";
    case Purpose::switch_over:
      return "switch";
    case Purpose::rollback:
      return "rollback";
    case Purpose::scale:
      return "scale";
  }
  return "canary";
}

std::string_view text_of(Schema schema) {
  switch (schema) {
    case Schema::none:
      return "none";
    case Schema::expand:
      return "expand";
    case Schema::contract:
      return "contract";
  }
  return "none";
}

std::string_view text_of(OnNoEvidence what) {
  switch (what) {
    case OnNoEvidence::keep:
      return "keep";
    case OnNoEvidence::promote:
      return "promote";
    case OnNoEvidence::rollback:
      return "rollback";
  }
  return "keep";
}

int Rollout::share() const {
  switch (judged()) {
    case RolloutState::canary:
      return plan.steps[static_cast<size_t>(step)];
    case RolloutState::switched:
    case RolloutState::draining:
    case RolloutState::stopping:
      return 100;
    default:
      return 0;
  }
}

std::string text_of(const Rollout& rollout) {
  std::string text(text_of(rollout.state));
  if (rollout.state == RolloutState::canary) {
    text += "(" + std::to_string(rollout.share()) + ")";
  }
  if (rollout.state == RolloutState::holding) {
    text += "(" + std::string(text_of(rollout.hold)) + ")";
  }
  return text;
}

std::string end_text_of(const Rollout& rollout) {
  std::string text(text_of(rollout.end));
  if (rollout.end_reason != EndReason::none) {
    text += "(" + std::string(text_of(rollout.end_reason)) + ")";
  }
  return text;
}

}  // namespace control
