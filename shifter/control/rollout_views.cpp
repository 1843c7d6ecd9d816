#include "shifter/control/rollout_views.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "shifter/control/judgement.h"
#include "shifter/control/views.h"

namespace control {
namespace {

using base::LogLine;

int64_t seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

std::string time_text(base::WallTime at) {
  const std::time_t time = std::chrono::system_clock::to_time_t(at);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string signal_json(const SignalEvidence& signal) {
  LogLine line;
  line.add("signal", text_of(signal.signal))
      .add("canary_bad", static_cast<int64_t>(signal.canary_bad))
      .add("canary_exposed", static_cast<int64_t>(signal.canary_exposed))
      .add("control_bad", static_cast<int64_t>(signal.control_bad))
      .add("control_exposed", static_cast<int64_t>(signal.control_exposed))
      .add_raw("e_value", number_json(signal.e_value))
      .add_raw("limit", number_json(signal.limit))
      .add("enough", signal.enough)
      .add("missing", signal.missing);
  return json_of(line);
}

std::string actor_json(const Actor& who) {
  LogLine line;
  line.add("uid", static_cast<int64_t>(who.uid)).add("user", who.user).add("host", who.host);
  return json_of(line);
}

void add_plan(const RolloutPlan& plan, LogLine& line) {
  line.add("purpose", text_of(plan.purpose))
      .add("canary", plan.canary_name)
      .add("stable", plan.stable_name)
      .add("release", static_cast<int64_t>(plan.release))
      .add("way_back", static_cast<int64_t>(plan.way_back))
      .add("steps", text_of_steps(plan.steps))
      .add("schema", text_of(plan.schema))
      .add("aa", plan.aa)
      .add("who", plan.who.user + "@" + plan.who.host)
      .add("reason", plan.reason);
}

}  // namespace

std::string number_json(double value) {
  if (!std::isfinite(value)) return "null";
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string verdict_json(const Verdict& verdict) {
  std::vector<std::string> signals;
  for (const SignalEvidence& one : verdict.signals) signals.push_back(signal_json(one));
  LogLine line;
  line.add("kind", text_of(verdict.kind))
      .add("reason", text_of(verdict.reason))
      .add("text", verdict.text)
      .add_raw("signals", join_json(signals));
  return json_of(line);
}

std::string replay_json(const Verdict& stored) {
  const auto inputs = read_inputs(stored.inputs);
  if (!inputs) return "null";
  const std::string again = verdict_json(verdict_of(*inputs));
  LogLine line;
  line.add("same", again == verdict_json(stored))
      .add_raw("verdict", again)
      .add_raw("inputs", stored.inputs);
  return json_of(line);
}

std::string past_json(const PastRollout& past) {
  LogLine line;
  std::string end(text_of(past.end));
  if (past.end_reason != EndReason::none) end += "(" + std::string(text_of(past.end_reason)) + ")";
  line.add("number", static_cast<int64_t>(past.number))
      .add("purpose", text_of(past.purpose))
      .add("canary", past.canary)
      .add("stable", past.stable)
      .add("release", static_cast<int64_t>(past.release))
      .add("way_back", static_cast<int64_t>(past.way_back))
      .add("steps", past.steps)
      .add("schema", text_of(past.schema))
      .add("aa", past.aa)
      .add_raw("who", actor_json(past.who))
      .add("reason", past.reason)
      .add("began", time_text(past.began))
      .add("ended", time_text(past.ended))
      .add("took_s", (past.ended - past.began).count() / 1000)
      .add("epoch", static_cast<int64_t>(past.epoch))
      .add("share", past.share)
      .add("end", end)
      .add("text", past.text)
      .add_raw("verdict", verdict_json(past.verdict));
  return json_of(line);
}

std::string releases_json(const Releases& releases) {
  std::vector<std::string> objects;
  const Release* way_back = releases.way_back();
  for (const Release& one : releases.list()) {
    LogLine line;
    line.add("number", static_cast<int64_t>(one.number))
        .add("color", one.color)
        .add("image", one.image)
        .add("label", one.label)
        .add("workers", one.workers)
        .add("state", text_of(one.state))
        .add("unjudged", one.unjudged)
        .add("contract", one.contract)
        .add("since", time_text(one.since))
        .add("way_back", way_back != nullptr && way_back->number == one.number);
    objects.push_back(json_of(line));
  }
  return join_json(objects);
}

std::string history_json(const SavedRollout& saved, const Releases& releases) {
  std::vector<std::string> objects;
  for (const PastRollout& past : saved.past) objects.push_back(past_json(past));
  const RolloutCounts& counts = saved.counts;
  const double rate = counts.aa_ends == 0 ? 0
                                          : static_cast<double>(counts.aa_rollbacks) /
                                                static_cast<double>(counts.aa_ends);
  LogLine aa;
  aa.add("ends", counts.aa_ends)
      .add("rollbacks", counts.aa_rollbacks)
      .add_raw("false_alarm_rate", number_json(rate));
  LogLine line;
  line.add_raw("rollouts", join_json(objects))
      .add_raw("releases", releases_json(releases))
      .add_raw("aa", json_of(aa));
  return json_of(line);
}

std::string lock_json(const RolloutControl& rollouts, base::WallTime now) {
  const auto held = rollouts.holder();
  if (!held) return "null";
  LogLine line;
  line.add_raw("who", actor_json(held->who))
      .add("reason", held->reason)
      .add("age_s", seconds(now - held->since));
  return json_of(line);
}

std::string rollout_json(const RolloutControl& rollouts, base::Instant now) {
  const SavedRollout& saved = rollouts.saved();
  const Rollout& current = saved.current;
  LogLine line;
  if (current.is_idle()) {
    if (saved.past.empty()) return "null";
    const PastRollout& past = saved.past.back();
    std::string end(text_of(past.end));
    if (past.end_reason != EndReason::none) {
      end += "(" + std::string(text_of(past.end_reason)) + ")";
    }
    line.add("state", "idle")
        .add("number", static_cast<int64_t>(past.number))
        .add("canary", past.canary)
        .add("stable", past.stable)
        .add("end", end)
        .add("text", past.text)
        .add("ended", time_text(past.ended));
    return json_of(line);
  }
  line.add("state", text_of(current)).add("number", static_cast<int64_t>(current.number));
  add_plan(current.plan, line);
  line.add("step", current.step + 1)
      .add("share", current.share())
      .add("began_s", seconds(now - current.began))
      .add("since_s", seconds(now - current.since));
  if (current.deadline != base::Instant{}) {
    line.add("deadline_in_s", std::max<int64_t>(0, seconds(current.deadline - now)));
  }
  if (current.judged() == RolloutState::switched) {
    line.add("bake_left_s", std::max<int64_t>(0, seconds(current.bake_end - now)));
  }
  line.add("no_return", current.no_return)
      .add("waits_for_window", rollouts.waits_for_window())
      .add("would_roll_back", rollouts.would_roll_back())
      .add_raw("verdict", verdict_json(current.verdict));
  if (current.end != EndKind::none) {
    line.add("end", end_text_of(current)).add("text", current.end_text);
  }
  return json_of(line);
}

}  // namespace control
