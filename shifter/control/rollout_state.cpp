#include "shifter/control/rollout_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "shifter/control/state_file.h"

namespace control {
namespace {

using Json = nlohmann::json;
using base::Instant;

constexpr std::array kSchemas = {Schema::none, Schema::expand, Schema::contract};
constexpr std::array kPurposes = {Purpose::canary, Purpose::switch_over, Purpose::rollback,
                                  Purpose::scale};
constexpr std::array kReleaseStates = {ReleaseState::rolling,     ReleaseState::live,
                                       ReleaseState::standing_by, ReleaseState::stopped,
                                       ReleaseState::rolled_back, ReleaseState::failed};
constexpr std::array kKinds = {Verdict::Kind::good, Verdict::Kind::worse, Verdict::Kind::not_enough,
                               Verdict::Kind::stable_unhealthy, Verdict::Kind::hard_limit};
constexpr std::array kReasonsRead = {Reason::none,
                                     Reason::error,
                                     Reason::slow,
                                     Reason::rpc_error,
                                     Reason::hard_limit,
                                     Reason::no_evidence,
                                     Reason::stable_unhealthy};
constexpr std::array kSignalsRead = {Signal::error, Signal::slow, Signal::rpc_error};

// Throws what is no word of the set.
template <class Set>
auto word(const Json& json, const Set& set) {
  const auto text = json.get<std::string>();
  for (const auto& one : set) {
    if (text_of(one) == text) return one;
  }
  throw std::runtime_error("an unknown word: " + text.substr(0, 40));
}

// `none` is no member of the sets for labels.
HoldReason read_hold(const Json& json) {
  return json.get<std::string>() == "none" ? HoldReason::none : word(json, kHoldReasons);
}
EndKind read_end(const Json& json) {
  return json.get<std::string>() == "none" ? EndKind::none : word(json, kEndKinds);
}
EndReason read_end_reason(const Json& json) {
  return json.get<std::string>() == "none" ? EndReason::none : word(json, kTurnBackReasons);
}

int64_t millis(Instant at) {
  return std::chrono::duration_cast<base::Millis>(at.time_since_epoch()).count();
}

// On both clocks, as the state file does it everywhere.
Json moment(Instant at, const TimeBase& time) {
  if (at == Instant{}) return nullptr;
  const auto ahead = std::chrono::duration_cast<base::Millis>(at - time.now);
  return {{"mono_ms", millis(at)}, {"wall_ms", (time.wall + ahead).time_since_epoch().count()}};
}

struct Reader {
  bool same_boot;
  const TimeBase& time;
  Instant moment(const Json& json) const {
    if (json.is_null()) return {};
    if (same_boot) return Instant{base::Millis{json.at("mono_ms").get<int64_t>()}};
    const base::WallTime wall{base::Millis{json.at("wall_ms").get<int64_t>()}};
    return time.now + (wall - time.wall);
  }
  // Never further away than it was when it was set.
  Instant deadline(const Json& json, base::Millis most) const {
    const Instant at = moment(json);
    return same_boot || at == Instant{} ? at : std::min(at, time.now + most);
  }
};

Json write_actor(const Actor& who) {
  return {{"uid", who.uid}, {"user", who.user}, {"host", who.host}};
}
Actor read_actor(const Json& json) {
  return {json.at("uid").get<uint32_t>(), json.at("user").get<std::string>(),
          json.at("host").get<std::string>()};
}

Json write_verdict(const Verdict& verdict) {
  Json signals = Json::array();
  for (const SignalEvidence& one : verdict.signals) {
    signals.push_back({{"signal", text_of(one.signal)},
                       {"canary_bad", one.canary_bad},
                       {"control_bad", one.control_bad},
                       {"canary_exposed", one.canary_exposed},
                       {"control_exposed", one.control_exposed},
                       {"e_value", std::min(one.e_value, 1e300)},
                       {"limit", std::min(one.limit, 1e300)},
                       {"enough", one.enough},
                       {"missing", one.missing}});
  }
  return {{"kind", text_of(verdict.kind)},
          {"reason", text_of(verdict.reason)},
          {"text", verdict.text},
          {"inputs", verdict.inputs},
          {"signals", signals}};
}
Verdict read_verdict(const Json& json) {
  Verdict verdict;
  verdict.kind = word(json.at("kind"), kKinds);
  verdict.reason = word(json.at("reason"), kReasonsRead);
  verdict.text = json.at("text").get<std::string>();
  verdict.inputs = json.value("inputs", "");
  for (const Json& one : json.at("signals")) {
    SignalEvidence signal;
    signal.signal = word(one.at("signal"), kSignalsRead);
    signal.canary_bad = one.at("canary_bad").get<uint64_t>();
    signal.control_bad = one.at("control_bad").get<uint64_t>();
    signal.canary_exposed = one.at("canary_exposed").get<uint64_t>();
    signal.control_exposed = one.at("control_exposed").get<uint64_t>();
    signal.e_value = one.at("e_value").get<double>();
    signal.limit = one.at("limit").get<double>();
    signal.enough = one.at("enough").get<bool>();
    signal.missing = one.at("missing").get<std::string>();
    verdict.signals.push_back(std::move(signal));
    if (verdict.signals.size() == kSignals) break;
  }
  return verdict;
}

Json write_plan(const RolloutPlan& plan) {
  return {{"purpose", text_of(plan.purpose)},
          {"canary", plan.canary_name},
          {"stable", plan.stable_name},
          {"release", plan.release},
          {"way_back", plan.way_back},
          {"steps", plan.steps},
          {"step_min_ms", plan.step_min.count()},
          {"bake_ms", plan.bake.count()},
          {"schema", text_of(plan.schema)},
          {"floors", plan.floors},
          {"full", plan.full},
          {"aa", plan.aa},
          {"deploy", plan.deploy},
          {"workers", plan.workers},
          {"image", plan.image},
          {"label", plan.label},
          {"who", write_actor(plan.who)},
          {"reason", plan.reason}};
}
RolloutPlan read_plan(const Json& json) {
  RolloutPlan plan;
  plan.purpose = word(json.at("purpose"), kPurposes);
  plan.canary_name = json.at("canary").get<std::string>();
  plan.stable_name = json.at("stable").get<std::string>();
  plan.release = json.at("release").get<uint64_t>();
  plan.way_back = json.at("way_back").get<uint64_t>();
  plan.steps = json.at("steps").get<std::vector<int>>();
  plan.step_min = base::Millis{json.at("step_min_ms").get<int64_t>()};
  plan.bake = base::Millis{json.at("bake_ms").get<int64_t>()};
  plan.schema = word(json.at("schema"), kSchemas);
  plan.floors = json.at("floors").get<bool>();
  plan.full = json.at("full").get<bool>();
  plan.aa = json.at("aa").get<bool>();
  plan.deploy = json.at("deploy").get<bool>();
  plan.workers = json.at("workers").get<int>();
  plan.image = json.at("image").get<std::string>();
  plan.label = json.at("label").get<std::string>();
  plan.who = read_actor(json.at("who"));
  plan.reason = json.at("reason").get<std::string>();
  if (plan.steps.empty() || plan.steps.back() != 100) throw std::runtime_error("steps");
  return plan;
}

Json write_current(const Rollout& now, const TimeBase& time) {
  if (now.is_idle() && !now.next) return nullptr;
  Json json = {{"state", text_of(now.state)},
               {"plan", write_plan(now.plan)},
               {"number", now.number},
               {"step", now.step},
               {"epoch", now.epoch},
               {"began", moment(now.began, time)},
               {"since", moment(now.since, time)},
               {"deadline", moment(now.deadline, time)},
               {"left_ms", millis(now.deadline) - millis(time.now)},
               {"hold", text_of(now.hold)},
               {"held", text_of(now.held)},
               {"held_since", moment(now.held_since, time)},
               {"bake_end", moment(now.bake_end, time)},
               {"no_return", now.no_return},
               {"deploy_action", now.deploy_action},
               {"hook_action", now.hook_action},
               {"stop_action", now.stop_action},
               {"hook_told", now.hook_told},
               {"end", text_of(now.end)},
               {"end_reason", text_of(now.end_reason)},
               {"end_text", now.end_text},
               {"verdict", write_verdict(now.verdict)},
               {"share_max", now.share_max}};
  if (now.next) json["next"] = write_plan(*now.next);
  return json;
}
Rollout read_current(const Json& json, const Reader& reader) {
  Rollout now;
  if (json.is_null()) return now;
  now.state = word(json.at("state"), kRolloutStates);
  now.plan = read_plan(json.at("plan"));
  now.number = json.at("number").get<uint64_t>();
  now.step = json.at("step").get<int>();
  if (now.step < 0 || static_cast<size_t>(now.step) >= now.plan.steps.size()) {
    throw std::runtime_error("step");
  }
  now.epoch = json.at("epoch").get<uint64_t>();
  now.began = reader.moment(json.at("began"));
  now.since = reader.moment(json.at("since"));
  const base::Millis left{std::max<int64_t>(0, json.at("left_ms").get<int64_t>())};
  now.deadline = reader.deadline(json.at("deadline"), left);
  now.hold = read_hold(json.at("hold"));
  now.held = word(json.at("held"), kRolloutStates);
  now.held_since = reader.moment(json.at("held_since"));
  now.bake_end = reader.deadline(json.at("bake_end"), now.plan.bake);
  now.no_return = json.at("no_return").get<bool>();
  now.deploy_action = json.at("deploy_action").get<uint64_t>();
  now.hook_action = json.at("hook_action").get<uint64_t>();
  now.stop_action = json.at("stop_action").get<uint64_t>();
  now.hook_told = json.at("hook_told").get<bool>();
  now.end = read_end(json.at("end"));
  now.end_reason = read_end_reason(json.at("end_reason"));
  now.end_text = json.at("end_text").get<std::string>();
  now.verdict = read_verdict(json.at("verdict"));
  now.share_max = json.at("share_max").get<int>();
  if (json.contains("next")) now.next = read_plan(json.at("next"));
  const bool holds = now.state == RolloutState::holding;
  const bool held_well = now.held == RolloutState::canary || now.held == RolloutState::switched;
  if (holds && (!held_well || now.hold == HoldReason::none)) throw std::runtime_error("held");
  return now;
}

Json write_past(const PastRollout& past) {
  return {{"number", past.number},
          {"purpose", text_of(past.purpose)},
          {"canary", past.canary},
          {"stable", past.stable},
          {"release", past.release},
          {"way_back", past.way_back},
          {"steps", past.steps},
          {"schema", text_of(past.schema)},
          {"aa", past.aa},
          {"who", write_actor(past.who)},
          {"reason", past.reason},
          {"began_ms", past.began.time_since_epoch().count()},
          {"ended_ms", past.ended.time_since_epoch().count()},
          {"epoch", past.epoch},
          {"share", past.share},
          {"end", text_of(past.end)},
          {"end_reason", text_of(past.end_reason)},
          {"text", past.text},
          {"verdict", write_verdict(past.verdict)}};
}
PastRollout read_past(const Json& json) {
  PastRollout past;
  past.number = json.at("number").get<uint64_t>();
  past.purpose = word(json.at("purpose"), kPurposes);
  past.canary = json.at("canary").get<std::string>();
  past.stable = json.at("stable").get<std::string>();
  past.release = json.at("release").get<uint64_t>();
  past.way_back = json.at("way_back").get<uint64_t>();
  past.steps = json.at("steps").get<std::string>();
  past.schema = word(json.at("schema"), kSchemas);
  past.aa = json.at("aa").get<bool>();
  past.who = read_actor(json.at("who"));
  past.reason = json.at("reason").get<std::string>();
  past.began = base::WallTime{base::Millis{json.at("began_ms").get<int64_t>()}};
  past.ended = base::WallTime{base::Millis{json.at("ended_ms").get<int64_t>()}};
  past.epoch = json.at("epoch").get<uint64_t>();
  past.share = json.at("share").get<int>();
  past.end = read_end(json.at("end"));
  past.end_reason = read_end_reason(json.at("end_reason"));
  past.text = json.at("text").get<std::string>();
  past.verdict = read_verdict(json.at("verdict"));
  return past;
}

Json write_releases(const Releases::Saved& releases) {
  Json list = Json::array();
  for (const Release& one : releases.list) {
    list.push_back({{"number", one.number},
                    {"color", one.color},
                    {"image", one.image},
                    {"label", one.label},
                    {"workers", one.workers},
                    {"state", text_of(one.state)},
                    {"unjudged", one.unjudged},
                    {"contract", one.contract},
                    {"since_ms", one.since.time_since_epoch().count()}});
  }
  return {{"list", list},
          {"last", releases.last},
          {"live", releases.live},
          {"way_back", releases.way_back}};
}
Releases::Saved read_releases(const Json& json) {
  Releases::Saved releases;
  for (const Json& one : json.at("list")) {
    Release release;
    release.number = one.at("number").get<uint64_t>();
    release.color = one.at("color").get<std::string>();
    release.image = one.at("image").get<std::string>();
    release.label = one.at("label").get<std::string>();
    release.workers = one.at("workers").get<int>();
    release.state = word(one.at("state"), kReleaseStates);
    release.unjudged = one.at("unjudged").get<bool>();
    release.contract = one.at("contract").get<bool>();
    release.since = base::WallTime{base::Millis{one.at("since_ms").get<int64_t>()}};
    releases.list.push_back(std::move(release));
  }
  releases.last = json.at("last").get<uint64_t>();
  releases.live = json.at("live").get<uint64_t>();
  releases.way_back = json.at("way_back").get<uint64_t>();
  return releases;
}

// Counts are kept by name: a set that grows keeps them.
template <class Set>
Json write_counts(const Set& set, std::span<const int64_t> counts) {
  Json json = Json::object();
  for (size_t i = 0; i < set.size(); ++i) json[std::string(text_of(set[i]))] = counts[i];
  return json;
}
template <class Set>
void read_counts(const Json& json, const Set& set, std::span<int64_t> counts) {
  for (size_t i = 0; i < set.size(); ++i) {
    counts[i] = json.value(std::string(text_of(set[i])), int64_t{0});
  }
}

}  // namespace

nlohmann::json write_rollout(const SavedRollout& rollout, const TimeBase& time) {
  const RolloutCounts& counts = rollout.counts;
  Json json = {{"current", write_current(rollout.current, time)},
               {"last_number", rollout.last_number},
               {"releases", write_releases(rollout.releases)},
               {"lock", nullptr},
               {"past", Json::array()},
               {"rollbacks", write_counts(kTurnBackReasons, counts.rollbacks)},
               {"ends", write_counts(kEndKinds, counts.ends)},
               {"verdicts", write_counts(kKinds, counts.verdicts)},
               {"notices", counts.notices},
               {"notice_failures", counts.notice_failures},
               {"aa_ends", counts.aa_ends},
               {"aa_rollbacks", counts.aa_rollbacks},
               {"judge", rollout.judge}};
  if (rollout.lock) {
    json["lock"] = {{"who", write_actor(rollout.lock->who)},
                    {"reason", rollout.lock->reason},
                    {"since_ms", rollout.lock->since.time_since_epoch().count()}};
  }
  for (const PastRollout& past : rollout.past) json["past"].push_back(write_past(past));
  return json;
}

SavedRollout read_rollout(const nlohmann::json& json, bool same_boot, const TimeBase& time) {
  SavedRollout rollout;
  rollout.current = read_current(json.at("current"), {same_boot, time});
  rollout.last_number = json.at("last_number").get<uint64_t>();
  rollout.releases = read_releases(json.at("releases"));
  if (const Json& lock = json.at("lock"); !lock.is_null()) {
    rollout.lock = Lock{read_actor(lock.at("who")), lock.at("reason").get<std::string>(),
                        base::WallTime{base::Millis{lock.at("since_ms").get<int64_t>()}}};
  }
  for (const Json& past : json.at("past")) {
    if (rollout.past.size() < SavedRollout::kPastMax) rollout.past.push_back(read_past(past));
  }
  read_counts(json.at("rollbacks"), kTurnBackReasons, rollout.counts.rollbacks);
  read_counts(json.at("ends"), kEndKinds, rollout.counts.ends);
  read_counts(json.at("verdicts"), kKinds, rollout.counts.verdicts);
  rollout.counts.notices = json.at("notices").get<int64_t>();
  rollout.counts.notice_failures = json.at("notice_failures").get<int64_t>();
  rollout.counts.aa_ends = json.at("aa_ends").get<int64_t>();
  rollout.counts.aa_rollbacks = json.at("aa_rollbacks").get<int64_t>();
  rollout.judge = json.at("judge").get<std::string>();
  return rollout;
}

}  // namespace control
