// The beginning and the end of rollouts: their checks, the releases, the history, who is told.
#include <algorithm>
#include <utility>

#include "proxy/base/check.h"
#include "shifter/control/rollout_control.h"
#include "shifter/control/rollout_views.h"

namespace control {
namespace {

using base::Level;
using base::LogLine;

template <class Set, class Word, class Counts>
void count(const Set& set, Word word, Counts& counts) {
  const auto at = std::find(set.begin(), set.end(), word);
  if (at != set.end()) ++counts[static_cast<size_t>(at - set.begin())];
}

PastRollout past_of(const Rollout& before, const Rollout& ended) {
  PastRollout past;
  past.number = ended.number;
  past.purpose = ended.plan.purpose;
  past.canary = ended.plan.canary_name;
  past.stable = ended.plan.stable_name;
  past.release = ended.plan.release;
  past.way_back = ended.plan.way_back;
  past.steps = text_of_steps(ended.plan.steps);
  past.schema = ended.plan.schema;
  past.aa = ended.plan.aa;
  past.who = ended.plan.who;
  past.reason = ended.plan.reason;
  past.share = before.share_max;
  past.end = ended.end;
  past.end_reason = ended.end_reason;
  past.text = ended.end_text;
  past.verdict = ended.verdict;
  return past;
}

}  // namespace

// Into `saved`, which is about to be written. Its rollout is idle now.
void RolloutControl::end(const Rollout& before, SavedRollout& saved, base::Instant now) {
  const base::WallTime wall = clock_.wall();
  Rollout& ended = saved.current;
  PastRollout past = past_of(before, ended);
  past.ended = wall;
  past.began = wall - std::chrono::duration_cast<base::Millis>(now - ended.began);
  past.epoch = control_.fleet().epoch;

  const bool is_live = before.share() == 100 && ended.end != EndKind::rolled_back &&
                       ended.end != EndKind::aborted && ended.end != EndKind::failed;
  if (is_live) {
    const bool stopped = before.state == RolloutState::stopping;
    releases_.went_live(ended.plan.release, ended.plan.purpose == Purpose::rollback, stopped, wall);
  } else {
    releases_.came_back(ended.plan.release, before.share_max > 0, wall);
  }
  saved.releases = releases_.saved();
  count(kEndKinds, ended.end, saved.counts.ends);
  const bool is_back = ended.end == EndKind::rolled_back || ended.end == EndKind::aborted ||
                       ended.end == EndKind::failed;
  if (is_back) count(kTurnBackReasons, ended.end_reason, saved.counts.rollbacks);
  if (ended.plan.aa) {
    ++saved.counts.aa_ends;
    if (ended.end == EndKind::rolled_back) ++saved.counts.aa_rollbacks;
  }
  ++saved.counts.notices;
  saved.past.push_back(std::move(past));
  if (saved.past.size() > SavedRollout::kPastMax) saved.past.pop_front();
  if (saved.past.size() > SavedRollout::kInputsMax) {
    saved.past[saved.past.size() - 1 - SavedRollout::kInputsMax].verdict.inputs.clear();
  }
  saved.judge.clear();
}

// Events for those who follow, and a notice for an end or where a person is wanted.
void RolloutControl::tell(const Rollout& before, const Effects& effects) {
  const Rollout& now = current();
  if (now.state != before.state || now.step != before.step || now.hold != before.hold) {
    LogLine line;
    line.add("number", static_cast<int64_t>(now.number))
        .add("state", text_of(now))
        .add("color", now.plan.canary_name)
        .add("share", now.share())
        .add("epoch", static_cast<int64_t>(control_.fleet().epoch));
    if (now.end != EndKind::none) line.add("end", end_text_of(now)).add("text", now.end_text);
    events_.add(Level::info, "rollout", std::move(line));
  }
  if (!effects.page.empty()) tell_page(effects.page);
  if (!now.is_idle() || before.is_idle()) return;
  const PastRollout& past = saved().past.back();
  Notice notice;
  notice.kind = "end";
  notice.color = past.canary;
  notice.summary =
      "rollout " + std::to_string(past.number) + " of " + past.canary + ": " + end_text_of(now);
  notice.json = past_json(past);
  notifier_.notify(notice);
}

void RolloutControl::tell_page(const std::string& why) {
  const Rollout& now = current();
  LogLine line;
  line.add("number", static_cast<int64_t>(now.number)).add("state", text_of(now)).add("why", why);
  Notice notice{"page", now.plan.canary_name, "rollout " + std::to_string(now.number) + ": " + why,
                json_of(line)};
  events_.add(Level::error, "rollout_page",
              LogLine().add("number", static_cast<int64_t>(now.number)).add("why", why));
  notifier_.notify(notice);
}

// Idle: what serves without having been rolled out is recorded as it is found.
void RolloutControl::look_for_live() {
  std::optional<size_t> top;
  const Fleet& fleet = control_.fleet();
  for (size_t i = 0; i < fleet.colors.size(); ++i) {
    if (fleet.colors[i].weight == 0) continue;
    if (top) return;  // split by hand: who is live is not said by that
    top = i;
  }
  if (!top || fleet.colors[*top].state != ColorState::ready) return;
  if (!control_.health().color(*top).up) return;
  const std::string& color = fleet.colors[*top].name;
  const Release* live = releases_.live();
  if (live != nullptr && live->color == color) return;
  const Release* held = releases_.on_color(color);
  if (held != nullptr && held->state != ReleaseState::rolled_back) {
    releases_.went_live(held->number, false, false, clock_.wall());
  } else {
    releases_.found(color, clock_.wall());
  }
  control_.rollout().releases = releases_.saved();
  (void)control_.save_now();
  events_.add(
      Level::info, "release_found",
      LogLine().add("release", static_cast<int64_t>(releases_.live()->number)).add("color", color));
}

std::optional<Lock> RolloutControl::holder() const {
  const Rollout& now = current();
  if (now.is_idle()) return saved().lock;
  Lock lock;
  lock.who = now.plan.who;
  lock.reason = std::string(text_of(now.plan.purpose)) + " " + now.plan.canary_name;
  if (!now.plan.reason.empty()) lock.reason += ": " + now.plan.reason;
  lock.since = clock_.wall() - std::chrono::duration_cast<base::Millis>(clock_.now() - now.began);
  return lock;
}

Answer<void> RolloutControl::may_change(const Actor& who) const {
  const auto held = holder();
  if (!held || (is_idle() && held->who.uid == who.uid)) return {};
  const auto age = clock_.wall() - held->since;
  return deny(AdminCode::conflict, "lock",
              held->who.user + "@" + held->who.host + " holds the lock since " +
                  base::duration_text(base::Millis{age.count() / 1000 * 1000}) + " (" +
                  held->reason + ")");
}

Answer<void> RolloutControl::lock(const Actor& who, const std::string& reason) {
  if (auto free = may_change(who); !free) return free;
  const auto before = std::exchange(control_.rollout().lock, Lock{who, reason, clock_.wall()});
  if (control_.save_now()) return {};
  control_.rollout().lock = before;
  return deny(AdminCode::state_unwritable, {}, "the lock could not be saved; it is not held");
}

Answer<void> RolloutControl::unlock(const Actor& who, bool force) {
  const auto& held = saved().lock;
  if (!held) return deny(AdminCode::refused, {}, "nobody holds a lock");
  if (held->who.uid != who.uid && !force) {
    return deny(AdminCode::conflict, "lock",
                held->who.user + " holds the lock (" + held->reason + "); force=yes takes it away");
  }
  const auto before = std::exchange(control_.rollout().lock, std::nullopt);
  if (control_.save_now()) return {};
  control_.rollout().lock = before;
  return deny(AdminCode::state_unwritable, {}, "it could not be saved; the lock is still held");
}

BeginFacts RolloutControl::facts_of() const {
  BeginFacts facts{control_.fleet(),         {}, releases_, control_.actions().has_agent(), {},
                   control_.config().rollout};
  for (size_t i = 0; i < control_.fleet().colors.size(); ++i) {
    facts.up.push_back(control_.health().color(i).up);
  }
  facts.workers = control_.actions().figures().workers;
  return facts;
}

Answer<RolloutPlan> RolloutControl::plan_of(const BeginAsk& ask, std::string& text) const {
  if (auto free = may_change(ask.who); !free) return tl::unexpected(free.error());
  auto plan = plan_rollout(ask, facts_of());
  if (!plan || ask.purpose != Purpose::canary || plan->stable == routing::kNoColor) return plan;
  if (auto fault = judge_.stable_fault(plan->stable, clock_.now()); !fault.empty()) {
    return deny(AdminCode::refused, plan->stable_name,
                "stable_unhealthy: " + fault + "; equal to it would not be good");
  }
  const JudgeView::Power power = judge_.power(plan->stable, plan->steps);
  text = power.text;
  if (power.weak && power.recorded && !ask.accept_weak) {
    return deny(AdminCode::refused, "accept-weak",
                power.text + "; accept-weak=yes begins all the same");
  }
  return plan;
}

Answer<RolloutControl::Told> RolloutControl::try_plan(const BeginAsk& ask) const {
  Told told;
  auto plan = plan_of(ask, told.text);
  if (!plan) return tl::unexpected(plan.error());
  return told;
}

Answer<RolloutControl::Told> RolloutControl::begin(const BeginAsk& ask) {
  CHECK(is_idle() || !may_change(ask.who));
  Told told;
  auto plan = plan_of(ask, told.text);
  if (!plan) return tl::unexpected(plan.error());
  const Releases before = releases_;
  if (plan->release == 0 || releases_.on_color(plan->canary_name) == nullptr ||
      releases_.on_color(plan->canary_name)->number != plan->release) {
    Release release;
    release.color = plan->canary_name;
    release.image = plan->image;
    release.label = plan->label;
    release.workers = plan->workers;
    release.contract = plan->schema == Schema::contract;
    release.unjudged = plan->stable == routing::kNoColor;
    plan->release = releases_.add(std::move(release), clock_.wall());
  }
  const uint64_t number = saved().last_number + 1;
  RolloutStep step =
      begin_rollout(std::move(*plan), number, clock_.now(), control_.config().rollout);
  control_.rollout().releases = releases_.saved();
  control_.rollout().last_number = number;
  const Rollout was = std::exchange(control_.rollout().current, std::move(step.next));
  told.saved = control_.save_now();
  if (!told.saved && ask.purpose != Purpose::rollback) {  // a way back acts all the same
    control_.rollout().current = was;
    control_.rollout().last_number = number - 1;
    releases_ = before;
    control_.rollout().releases = before.saved();
    return deny(AdminCode::state_unwritable, {},
                "the rollout could not be saved; it did not begin");
  }
  judge_.stop();  // nothing of an earlier one is left
  // A stop that nobody has done yet would meet the new release.
  for (const Action& action : control_.actions().list()) {
    if (action.state == ActionState::pending && action.ask.kind == ActionKind::stop &&
        action.ask.color == current().plan.canary_name) {
      (void)control_.actions().withdraw(action.id, "the color is used again");
      break;
    }
  }
  tell(was, {});
  return told;
}

Answer<RolloutControl::Told> RolloutControl::replace(const BeginAsk& ask) {
  if (is_idle()) return begin(ask);
  const Rollout& now = current();
  if (now.plan.purpose != Purpose::canary || ask.color != now.plan.canary_name) {
    return tl::unexpected(may_change(ask.who).error());
  }
  TurnBackAsk back;
  back.reason = EndReason::replaced;
  back.text = "another release was asked for";
  auto step = ask_turn_back(now, back, sight());
  if (!step) return tl::unexpected(step.error());
  RolloutPlan plan = now.plan;  // of the same colors; what differs is asked for
  plan.steps = ask.steps.empty() ? control_.config().rollout.steps : ask.steps;
  plan.schema = ask.schema;
  plan.aa = ask.aa;
  plan.full = false;
  plan.deploy = control_.actions().has_agent() && ask.deploy;
  plan.image = ask.image;
  plan.label = ask.label;
  plan.who = ask.who;
  plan.reason = ask.reason;
  step->next.next = std::move(plan);
  auto is_saved = carry_out(std::move(*step));
  if (!is_saved) return tl::unexpected(is_saved.error());
  return Told{*is_saved, "the running canary goes back first"};
}

// After a replace: the other release's turn.
bool RolloutControl::begin_next() {
  if (!current().next) return false;
  const RolloutPlan plan = *std::exchange(control_.rollout().current.next, std::nullopt);
  BeginAsk ask;
  ask.purpose = plan.purpose;
  ask.color = plan.canary_name;
  ask.steps = plan.steps;
  ask.schema = plan.schema;
  ask.aa = plan.aa;
  ask.accept_weak = true;  // it was asked when the first one began
  ask.deploy = plan.deploy;
  ask.image = plan.image;
  ask.label = plan.label;
  ask.who = plan.who;
  ask.reason = plan.reason;
  if (auto told = begin(ask); !told) tell_page("it could not begin: " + told.error().message);
  return true;
}

Answer<RolloutControl::Told> RolloutControl::pause() {
  auto step = ask_pause(current(), sight(), control_.config().rollout);
  if (!step) return tl::unexpected(step.error());
  auto done = carry_out(std::move(*step));
  if (!done) return tl::unexpected(done.error());
  return Told{*done, {}};
}

Answer<RolloutControl::Told> RolloutControl::resume(bool accept) {
  auto step = ask_resume(current(), accept, sight(), control_.config().rollout);
  if (!step) return tl::unexpected(step.error());
  auto done = carry_out(std::move(*step));
  if (!done) return tl::unexpected(done.error());
  return Told{*done, {}};
}

Answer<RolloutControl::Told> RolloutControl::promote(bool full) {
  auto step = ask_promote(current(), full, sight(), control_.config().rollout);
  if (!step) return tl::unexpected(step.error());
  auto done = carry_out(std::move(*step));
  if (!done) return tl::unexpected(done.error());
  return Told{*done, {}};
}

Answer<RolloutControl::Told> RolloutControl::turn_back(const TurnBackAsk& ask) {
  auto step = ask_turn_back(current(), ask, sight());
  if (!step) return tl::unexpected(step.error());
  auto done = carry_out(std::move(*step));
  if (!done) return tl::unexpected(done.error());
  return Told{*done, {}};
}

bool RolloutControl::waits_for_window() const {
  return current().state == RolloutState::canary &&
         !control_.config().rollout.window.is_open(clock_.wall());
}

std::string RolloutControl::would_roll_back() const {
  const Rollout& now = current();
  if (!is_idle() && now.no_return) return "nothing: a contract was applied";
  const RolloutState judged = now.judged();
  if (judged != RolloutState::canary && judged != RolloutState::switched) return {};
  if (now.plan.stable == routing::kNoColor) return "nothing: there is no release to go back to";
  return "evidence at its limit, a hard limit, the canary down, abort";
}

}  // namespace control
