#include "shifter/control/rollout_plan.h"

#include <utility>

namespace control {
namespace {

std::string name_of(const Release& release) {
  std::string text = "release " + std::to_string(release.number);
  if (!release.label.empty()) text += " (" + release.label + ")";
  return text;
}

int workers_on(const BeginFacts& facts, const std::string& color) {
  const auto seen = facts.workers.find(color);
  if (seen != facts.workers.end() && seen->second > 0) return seen->second;
  const Release* release = facts.releases.on_color(color);
  return release == nullptr ? 0 : release->workers;
}

// Which release a rollback goes to.
Answer<const Release*> target_of(const BeginAsk& ask, const BeginFacts& facts) {
  const Release* target =
      ask.release ? facts.releases.find(*ask.release) : facts.releases.way_back();
  if (target == nullptr) {
    return refuse(ask.release ? "no release " + std::to_string(*ask.release) + " is recorded"
                              : "no release to go back to is recorded",
                  "RELEASE");
  }
  const Release* live = facts.releases.live();
  if (live == nullptr) return target;
  if (live->number == target->number) return refuse("already on " + name_of(*live));
  if (live->contract && !ask.old_code_breaks) {
    return refuse(name_of(*live) +
                      " applied a contract: older code cannot work with it; "
                      "old-code-breaks=yes reason=… goes back all the same",
                  "old-code-breaks");
  }
  return target;
}

// A rollback: to the color that holds the release, else an agent puts it on the one that is free.
Answer<void> aim_rollback(const BeginAsk& ask, const BeginFacts& facts, size_t live,
                          RolloutPlan& plan) {
  auto target = target_of(ask, facts);
  if (!target) return tl::unexpected(target.error());
  const Release& release = **target;
  const size_t other = 1 - live;
  const std::string& color = facts.fleet.colors[other].name;
  const Release* held = facts.releases.on_color(color);
  const bool is_there = held != nullptr && held->number == release.number;
  plan.canary = static_cast<routing::ColorIndex>(other);
  plan.release = release.number;
  plan.image = release.image;
  plan.label = release.label;
  // One out of service may have been stopped: what its probes said last is no proof that it runs.
  const bool is_stopped = facts.fleet.colors[other].state == ColorState::maint;
  plan.deploy = facts.has_agent && (!is_there || is_stopped || !facts.up[other]);
  if (!is_there && (!facts.has_agent || release.image.empty())) {
    return refuse(color + " does not hold " + name_of(release) + " now, and " +
                  (facts.has_agent ? "its image is not recorded" : "no agent could put it there"));
  }
  // A color that was just started gets its users in three moves.
  plan.steps =
      facts.up[other] && !plan.deploy ? std::vector<int>{100} : std::vector<int>{25, 50, 100};
  plan.step_min = facts.config.rollback_step;
  return {};
}

Answer<void> aim_color(const BeginAsk& ask, const BeginFacts& facts, std::optional<size_t> live,
                       RolloutPlan& plan) {
  std::optional<size_t> canary;
  if (ask.purpose == Purpose::scale) {
    if (live) canary = 1 - *live;
    const Release* release = facts.releases.live();
    if (release != nullptr) plan.image = release->image;
    plan.workers = ask.workers;
  } else {
    canary = facts.fleet.color_named(ask.color);
    if (!canary) {
      std::string known;
      for (const FleetColor& one : facts.fleet.colors) known += " " + one.name;
      return deny(AdminCode::usage, ask.color,
                  "no color is named " + ask.color + "; there is" + known);
    }
    plan.image = ask.image;
  }
  if (!canary) return refuse("no color is live");
  if (live && *canary == *live) {
    return refuse(facts.fleet.colors[*canary].name + " is live; the other color is the canary");
  }
  plan.canary = static_cast<routing::ColorIndex>(*canary);
  plan.label = ask.label;
  plan.deploy = facts.has_agent && ask.deploy;
  if (ask.purpose != Purpose::canary) {
    plan.steps = {100};
  } else {
    plan.steps = ask.steps.empty() ? facts.config.steps : ask.steps;
    plan.step_min = facts.config.step_min;
  }
  return {};
}

// May the color give up what it does now?
Answer<void> check_canary(const BeginFacts& facts, const RolloutPlan& plan) {
  const FleetColor& color = facts.fleet.colors[plan.canary];
  if (color.state == ColorState::ready && color.weight > 0) {
    return refuse(color.name + " has weight " + std::to_string(color.weight) +
                  ": it takes users; give the other color all of it first");
  }
  return {};
}

}  // namespace

std::optional<size_t> live_color(const Fleet& fleet, const Releases& releases) {
  if (const Release* live = releases.live()) return fleet.color_named(live->color);
  return std::nullopt;
}

Answer<RolloutPlan> plan_rollout(const BeginAsk& ask, const BeginFacts& facts) {
  if (facts.fleet.colors.size() != 2) return refuse("a rollout needs two colors");
  RolloutPlan plan;
  plan.purpose = ask.purpose;
  plan.schema = ask.schema;
  plan.floors = ask.purpose == Purpose::canary;
  plan.aa = ask.aa;
  plan.who = ask.who;
  plan.reason = ask.reason;
  plan.bake = ask.purpose == Purpose::scale ? facts.config.scale_bake : facts.config.bake;
  if (ask.no_bake) plan.bake = base::Millis{0};

  const std::optional<size_t> live = live_color(facts.fleet, facts.releases);
  if (ask.purpose == Purpose::rollback) {
    if (!live) return refuse("no release is live");
    if (auto aimed = aim_rollback(ask, facts, *live, plan); !aimed) {
      return tl::unexpected(aimed.error());
    }
  } else if (auto aimed = aim_color(ask, facts, live, plan); !aimed) {
    return tl::unexpected(aimed.error());
  }
  const size_t stable = 1 - size_t{plan.canary};
  const FleetColor& control = facts.fleet.colors[stable];
  const bool stable_serves = control.state == ColorState::ready && facts.up[stable];
  if (live || stable_serves) {
    // A rollback and a switch may have to leave a color that is down.
    const bool must_be_up = ask.purpose == Purpose::canary || ask.purpose == Purpose::scale;
    if (control.state != ColorState::ready) {
      return refuse(control.name + " is " + std::string(routing::text_of(control.state)) +
                    ": what is to be replaced must be ready");
    }
    if (must_be_up && !facts.up[stable]) {
      return refuse(control.name + " is down: there is nothing to compare with (switch)");
    }
    plan.stable = static_cast<routing::ColorIndex>(stable);
    plan.stable_name = control.name;
  } else {
    plan.steps = {100};  // nothing to compare with: the first deploy
  }
  plan.canary_name = facts.fleet.colors[plan.canary].name;
  if (auto fit = check_canary(facts, plan); !fit) return tl::unexpected(fit.error());
  if (plan.workers == 0 && plan.deploy && plan.stable != routing::kNoColor) {
    plan.workers = workers_on(facts, plan.stable_name);
  }
  if (plan.workers == 0) plan.workers = workers_on(facts, plan.canary_name);
  if (const Release* release = facts.releases.live()) plan.way_back = release->number;
  return plan;
}

}  // namespace control
