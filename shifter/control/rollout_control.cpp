#include "shifter/control/rollout_control.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "proxy/base/check.h"
#include "shifter/control/rollout_fleet.h"

namespace control {
namespace {

using base::Level;
using base::LogLine;

constexpr base::Millis kSaveAgain{1'000};

bool is_judged(const Rollout& rollout) {
  const RolloutState state = rollout.judged();
  return state == RolloutState::canary || state == RolloutState::switched;
}

}  // namespace

RolloutControl::RolloutControl(const base::Clock& clock, ControlLoop& control,
                               routing::DataPlane& plane, JudgeView& judge, Events& events,
                               Notifier& notifier)
    : clock_(clock),
      control_(control),
      plane_(plane),
      judge_(judge),
      events_(events),
      notifier_(notifier) {}

void RolloutControl::start() {
  SavedRollout& saved = control_.rollout();
  releases_.restore(saved.releases);
  Rollout& now = saved.current;
  if (now.is_idle()) return;
  const auto canary = control_.fleet().color_named(now.plan.canary_name);
  const auto stable = control_.fleet().color_named(now.plan.stable_name);
  if (!canary || (!stable && !now.plan.stable_name.empty())) {
    // The config does not know its colors any more: there is nothing left to move.
    const Rollout before = now;
    now.state = RolloutState::idle;
    now.end = EndKind::aborted;
    now.end_reason = EndReason::operator_asked;
    now.end_text = "a color of it left the configuration";
    end(before, saved, clock_.now());
    tell(before, {});
    return;
  }
  now.plan.canary = static_cast<routing::ColorIndex>(*canary);
  now.plan.stable = stable ? static_cast<routing::ColorIndex>(*stable) : routing::kNoColor;
  judge_.restore(saved.judge);
  // What has to last without a break begins anew; deadlines stay.
  if (is_judged(now) || now.state == RolloutState::warming) now.since = clock_.now();
  if (is_judged(now)) judge_.start_step(step_facts());
  events_.add(Level::info, "rollout_goes_on",
              LogLine()
                  .add("number", static_cast<int64_t>(now.number))
                  .add("state", text_of(now))
                  .add("share", now.share()));
}

ColorSight RolloutControl::sight_of(routing::ColorIndex color,
                                    const routing::Totals& totals) const {
  ColorSight sight;
  if (color >= control_.fleet().colors.size()) return sight;
  const ColorHealth& health = control_.health().color(color);
  sight.state = control_.fleet().colors[color].state;
  sight.up = health.up;
  sight.proven = !health.unproven;
  if (color < totals.colors.size()) sight.in_flight = in_flight_of(totals.colors[color]);
  return sight;
}

ActionSight RolloutControl::action_of(uint64_t id) const {
  const Action* action = id == 0 ? nullptr : control_.actions().find(id);
  if (action == nullptr) return ActionSight::none;
  switch (action->state) {
    case ActionState::pending:
      return ActionSight::pending;
    case ActionState::taken:
    case ActionState::started:
      return ActionSight::running;
    case ActionState::done:
      return ActionSight::done;
    case ActionState::failed:
      return ActionSight::failed;
    case ActionState::unknown:
      return ActionSight::unknown;
  }
  return ActionSight::unknown;
}

RolloutSight RolloutControl::sight() const {
  const Rollout& now = current();
  const routing::Totals totals = plane_.totals();
  RolloutSight sight;
  sight.now = clock_.now();
  sight.canary = sight_of(now.plan.canary, totals);
  sight.stable = sight_of(now.plan.stable, totals);
  sight.dependency_down = control_.health().dependency_down();
  sight.window_open = control_.config().rollout.window.is_open(clock_.wall());
  sight.has_agent = control_.actions().has_agent();
  sight.deploy = action_of(now.deploy_action);
  sight.hook = action_of(now.hook_action);
  sight.stop = action_of(now.stop_action);
  for (uint64_t id : {now.deploy_action, now.hook_action, now.stop_action}) {
    const Action* action = id == 0 ? nullptr : control_.actions().find(id);
    if (action != nullptr && action->state > ActionState::done) {
      sight.action_text = action->message;
      for (const std::string& line : action->tail) sight.action_text += "\n" + line;
    }
  }
  return sight;
}

StepFacts RolloutControl::step_facts() const {
  const Rollout& now = current();
  StepFacts facts;
  facts.epoch = now.epoch;
  facts.number = now.step + 1;
  facts.share = now.share();
  facts.canary = now.plan.canary;
  facts.stable = now.plan.stable;
  facts.bake = now.judged() == RolloutState::switched;
  facts.no_floors = !now.plan.floors;
  facts.started = now.since;
  facts.now = clock_.now();
  return facts;
}

void RolloutControl::tick() {
  if (current().is_idle()) {
    if (!begin_next()) look_for_live();
    return;
  }
  if (failed_ != base::Instant{} && clock_.now() - failed_ < kSaveAgain) return;
  learn_deploy();
  RolloutSight seen = sight();
  const base::Millis every = control_.config().rollout.look;
  if (is_judged(current()) && clock_.now() - looked_ >= every) {
    looked_ = clock_.now();
    seen.verdict = judge_.look(step_facts());
    seen.verdict->inputs = judge_.inputs(step_facts());
    SavedRollout& saved = control_.rollout();
    ++saved.counts.verdicts[static_cast<size_t>(seen.verdict->kind)];
    saved.current.verdict = *seen.verdict;
    saved.judge = judge_.save();  // on disk with the next save
  }
  if (auto step = control::look(current(), seen, control_.config().rollout)) {
    (void)carry_out(std::move(*step));
  }
}

// An action for the agent: its id, or 0.
uint64_t RolloutControl::do_ask(Ask what, Rollout& next) {
  const bool has_agent = control_.actions().has_agent();
  ActionAsk ask;
  const RolloutPlan& plan = next.plan;
  ask.color = plan.canary_name;
  ask.arguments["epoch"] = std::to_string(control_.fleet().epoch);
  switch (what) {
    case Ask::deploy:
      ask.kind = ActionKind::deploy;
      if (plan.workers > 0) ask.arguments["workers"] = std::to_string(plan.workers);
      if (plan.purpose == Purpose::scale) {
        // Users are moved without a judge: to what runs now, whatever is recorded of it.
        ask.arguments["like"] = plan.stable_name;
      } else if (!plan.image.empty()) {
        ask.arguments["image"] = plan.image;
      }
      ask.deadline = control_.config().rollout.prepare_max;
      return next.deploy_action = control_.actions().ask(std::move(ask));
    case Ask::stop:
      ask.kind = ActionKind::stop;
      ask.color = plan.stable_name;
      ask.deadline = control_.config().rollout.stop_max;
      return next.stop_action = control_.actions().ask(std::move(ask));
    case Ask::pre_canary:
    case Ask::post_switch:
      if (!has_agent) return 0;
      ask.kind = ActionKind::custom;
      ask.arguments["hook"] = what == Ask::pre_canary ? "pre_canary" : "post_switch";
      return next.hook_action = control_.actions().ask(std::move(ask));
    case Ask::none:
      break;
  }
  return 0;
}

// What was asked for and is not wanted any more. A stop outlives the rollout that ended well.
void RolloutControl::withdraw_asks(const Rollout& before, const Rollout& next) {
  const bool turned = next.state == RolloutState::rolling_back;
  if (!turned && !next.is_idle()) return;
  for (uint64_t id : {before.deploy_action, before.hook_action}) {
    if (id != 0) (void)control_.actions().withdraw(id, "the rollout ended");
  }
  if (turned && before.stop_action != 0) {
    (void)control_.actions().withdraw(before.stop_action, "the rollout went back");
  }
}

Answer<bool> RolloutControl::carry_out(RolloutStep step) {
  const Effects effects = step.effects;
  const Rollout before = current();
  SavedRollout next = saved();
  next.current = std::move(step.next);
  const uint64_t asked = do_ask(effects.ask, next.current);
  Fleet fleet = fleet_after(control_.fleet(), next.current.plan, effects, clock_.now(),
                            control_.config().drain);
  const bool moves = fleet.epoch != control_.fleet().epoch;
  if (effects.judge_step) next.current.epoch = fleet.epoch;
  next.current.share_max = std::max(next.current.share_max, next.current.share());
  const bool ends = next.current.is_idle() && !before.is_idle();
  const Releases releases_before = releases_;
  if (ends) end(before, next, clock_.now());

  SavedRollout old = std::exchange(control_.rollout(), std::move(next));
  bool is_saved = true;
  if (moves) {
    auto done = control_.change(std::move(fleet), effects.must_act, {});
    is_saved = done.has_value() && *done;
    if (!done) {
      if (asked != 0) (void)control_.actions().withdraw(asked, "it could not be saved");
      control_.rollout() = std::move(old);
      releases_ = releases_before;
      failed_ = clock_.now();
      return tl::unexpected(done.error());
    }
  } else {
    is_saved = control_.save_now();
  }
  failed_ = {};
  withdraw_asks(before, current());
  if (effects.judge_step) {
    looked_ = clock_.now();
    judge_.start_step(step_facts());
  }
  if (effects.judge_stop) judge_.stop();
  tell(before, effects);
  return is_saved;
}

// What the deploy found out, for the record: the digest behind a tag, the workers.
void RolloutControl::learn_deploy() {
  const Rollout& now = current();
  const Action* action =
      now.deploy_action == 0 ? nullptr : control_.actions().find(now.deploy_action);
  if (action == nullptr || action->state != ActionState::done) return;
  const auto value = [&](const char* key) {
    const auto at = action->result.find(key);
    return at == action->result.end() ? std::string() : at->second;
  };
  const std::string digest = value("digest").empty() ? value("image") : value("digest");
  const Release* release = releases_.find(now.plan.release);
  const int workers = std::atoi(value("workers").c_str());
  if (release == nullptr) return;
  const bool known =
      (digest.empty() || release->image == digest) && (workers <= 0 || release->workers == workers);
  if (known) return;
  releases_.learn(now.plan.release, digest, workers);
  control_.rollout().releases = releases_.saved();
}

std::string text_of(const SignalEvidence& signal) {
  char line[200];
  std::snprintf(
      line, sizeof line, "%.*s: %llu of %llu sessions against %llu of %llu, evidence %.3g of %.3g",
      static_cast<int>(text_of(signal.signal).size()), text_of(signal.signal).data(),
      static_cast<unsigned long long>(signal.canary_bad),
      static_cast<unsigned long long>(signal.canary_exposed),
      static_cast<unsigned long long>(signal.control_bad),
      static_cast<unsigned long long>(signal.control_exposed), signal.e_value, signal.limit);
  std::string text = line;
  if (!signal.enough && !signal.missing.empty()) text += ", missing " + signal.missing;
  return text;
}

}  // namespace control
