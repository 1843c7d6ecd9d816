#include "shifter/control/fleet_hands.h"

#include <unistd.h>

#include <utility>

namespace control {
namespace {

// A rollout that ends so has moved the users: what became of the old color is another matter.
bool has_moved(EndKind end) {
  return end == EndKind::done || end == EndKind::stop_failed || end == EndKind::stop_unknown;
}

}  // namespace

bool FleetHands::is_held() const {
  if (!rollouts_.is_idle()) return rollouts_.current().plan.purpose != Purpose::scale;
  return rollouts_.holder().has_value();
}

std::optional<size_t> FleetHands::stable() const {
  const Rollout& now = rollouts_.current();
  if (now.is_idle() || now.plan.stable >= control_.fleet().colors.size()) return std::nullopt;
  return now.plan.stable;
}

Answer<uint64_t> FleetHands::begin(const ScaleOrder& order) {
  if (order.apply == policy::Apply::live) {
    ActionAsk ask;
    ask.kind = ActionKind::signal_workers;
    ask.color = control_.fleet().colors[order.color].name;
    ask.arguments["workers"] = std::to_string(order.to);
    ask.arguments["epoch"] = std::to_string(control_.fleet().epoch);
    return control_.actions().ask(std::move(ask));
  }
  BeginAsk ask;
  ask.purpose = Purpose::scale;
  ask.workers = order.to;
  ask.who.uid = static_cast<uint32_t>(geteuid());
  ask.who.user = "scaler";
  ask.reason = order.reason;
  auto told = rollouts_.begin(ask);
  if (!told) return tl::unexpected(told.error());
  return rollouts_.current().number;
}

ScaleHands::Seen FleetHands::look(policy::Apply apply, uint64_t id) const {
  return apply == policy::Apply::live ? look_action(id) : look_rollout(id);
}

ScaleHands::Seen FleetHands::look_rollout(uint64_t number) const {
  const Rollout& now = rollouts_.current();
  if (now.number == number && !now.is_idle()) return {State::running, {}};
  const auto& past = rollouts_.saved().past;
  for (auto one = past.rbegin(); one != past.rend(); ++one) {
    if (one->number != number) continue;
    if (has_moved(one->end)) return {State::done, {}};
    return {State::failed, std::string(text_of(one->end)) + ": " + one->text};
  }
  return {State::failed, "nothing is known of rollout " + std::to_string(number)};
}

ScaleHands::Seen FleetHands::look_action(uint64_t id) const {
  const Action* action = control_.actions().find(id);
  if (action == nullptr) return {State::failed, "nothing is known of action " + std::to_string(id)};
  if (!is_over(action->state)) return {State::running, {}};
  if (action->state == ActionState::done) return {State::done, {}};
  return {State::failed, std::string(text_of(action->state)) + ": " + action->message};
}

std::optional<uint64_t> FleetHands::forgotten() const {
  const Rollout& now = rollouts_.current();
  if (now.is_idle() || now.plan.purpose != Purpose::scale) return std::nullopt;
  return now.number;
}

}  // namespace control
