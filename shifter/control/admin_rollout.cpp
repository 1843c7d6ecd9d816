#include "shifter/control/admin_rollout.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "shifter/control/rollout_views.h"
#include "shifter/control/views.h"

namespace control {
namespace {

using base::LogLine;

constexpr size_t kLabelMax = 100;
constexpr size_t kImageMax = 300;
// Replays of a policy.
constexpr int64_t kWorseMost = 30;  // times as many faults
constexpr int64_t kRunsMost = 2'000;
constexpr int kRunsATick = 20;  // some milliseconds
constexpr size_t kSimulationsMost = 4;
constexpr uint64_t kReplaySeed = 1;  // the same answer each time

Answer<std::string> text_argument(const Command& command, std::string_view key, size_t most) {
  std::string text = command.find(key).value_or("");
  if (text.size() > most) {
    return deny(AdminCode::usage, std::string(key),
                std::string(key) + " has at most " + std::to_string(most) + " bytes");
  }
  return text;
}

Answer<Schema> schema_of(const Command& command) {
  const std::string word = command.find("schema").value_or("none");
  for (Schema schema : {Schema::none, Schema::expand, Schema::contract}) {
    if (text_of(schema) == word) return schema;
  }
  return deny(AdminCode::usage, "schema",
              "schema is none, expand or contract, not \"" + word + "\"");
}

// For what is asked only with a reason.
Answer<void> need_reason(const Command& command, std::string_view why) {
  if (!command.find("reason").value_or("").empty()) return {};
  return deny(AdminCode::usage, "reason", std::string(why) + " needs reason=TEXT");
}

}  // namespace

Actor actor_of(uint32_t uid) {
  Actor actor;
  actor.uid = uid;
  actor.user = "uid " + std::to_string(uid);
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> names{};
  if (getpwuid_r(uid, &entry, names.data(), names.size(), &found) == 0 && found != nullptr) {
    actor.user = found->pw_name;
  }
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) actor.host = host.data();
  return actor;
}

bool AdminRollout::owns(Verb verb) {
  switch (verb) {
    case Verb::canary:
    case Verb::switch_over:
    case Verb::rollback:
    case Verb::pause:
    case Verb::resume:
    case Verb::promote:
    case Verb::abort:
    case Verb::lock:
    case Verb::unlock:
    case Verb::history:
    case Verb::explain:
    case Verb::simulate:
      return true;
    default:
      return false;
  }
}

Answer<void> AdminRollout::may_run(Verb verb, uint32_t uid) const {
  switch (verb) {
    case Verb::weights:
    case Verb::ready:
    case Verb::maint:
    case Verb::drain:
      return rollouts_.may_change(actor_of(uid));
    default:
      return {};
  }
}

Answer<void> AdminRollout::run(const Command& command, const std::shared_ptr<Reply>& reply) {
  switch (command.spec->verb) {
    case Verb::canary:
    case Verb::switch_over:
      return begin(command, reply);
    case Verb::rollback:
      // A running rollout goes back; else an earlier release is rolled out.
      if (!rollouts_.is_idle() && command.words.empty()) return turn_back(command, reply);
      return begin(command, reply);
    case Verb::abort:
      return turn_back(command, reply);
    case Verb::lock:
    case Verb::unlock:
      return lock(command, reply);
    case Verb::history: {
      std::string json = ok_json(control_);
      json.back() = ',';
      json += history_json(rollouts_.saved(), rollouts_.releases()).substr(1);
      reply->finish(std::move(json));
      return {};
    }
    case Verb::explain:
      return explain(command, reply);
    case Verb::simulate:
      return simulate(command, reply);
    default:
      return order(command, reply);
  }
}

Answer<BeginAsk> AdminRollout::ask_of(const Command& command, uint32_t uid) const {
  BeginAsk ask;
  ask.who = actor_of(uid);
  ask.reason = command.find("reason").value_or("");
  const Verb verb = command.spec->verb;
  ask.purpose = verb == Verb::canary        ? Purpose::canary
                : verb == Verb::switch_over ? Purpose::switch_over
                                            : Purpose::rollback;
  if (ask.purpose != Purpose::rollback) {
    ask.color = command.words.front();
  } else if (!command.words.empty()) {
    Command number = command;
    number.keys = {{"RELEASE", command.words.front()}};
    auto release = number_of(number, "RELEASE", 1, INT64_MAX);
    if (!release) return tl::unexpected(release.error());
    ask.release = static_cast<uint64_t>(**release);
  }
  if (auto text = command.find("steps")) {
    ask.steps = parse_steps(*text);
    if (ask.steps.empty()) {
      return deny(AdminCode::usage, "steps",
                  "steps are rising percents such as 5,10,25,50,100, the last is 100");
    }
  }
  auto schema = schema_of(command);
  if (!schema) return tl::unexpected(schema.error());
  ask.schema = *schema;
  for (auto [key, flag] : {std::pair{"aa", &ask.aa}, std::pair{"accept-weak", &ask.accept_weak},
                           std::pair{"old-code-breaks", &ask.old_code_breaks}}) {
    auto read = flag_of(command, key);
    if (!read) return tl::unexpected(read.error());
    *flag = *read;
  }
  for (auto [key, flag] : {std::pair{"bake", &ask.no_bake}, std::pair{"deploy", &ask.deploy}}) {
    if (!command.find(key)) continue;
    auto read = flag_of(command, key);
    if (!read) return tl::unexpected(read.error());
    *flag = flag == &ask.no_bake ? !*read : *read;
  }
  auto image = text_argument(command, "image", kImageMax);
  if (!image) return tl::unexpected(image.error());
  auto label = text_argument(command, "label", kLabelMax);
  if (!label) return tl::unexpected(label.error());
  ask.image = *image;
  ask.label = *label;
  if (ask.no_bake) {
    if (auto given = need_reason(command, "bake=no"); !given) {
      return tl::unexpected(given.error());
    }
  }
  if (ask.old_code_breaks) {
    if (auto given = need_reason(command, "old-code-breaks=yes"); !given) {
      return tl::unexpected(given.error());
    }
  }
  return ask;
}

Answer<void> AdminRollout::begin(const Command& command, const std::shared_ptr<Reply>& reply) {
  auto ask = ask_of(command, reply->caller().uid);
  if (!ask) return tl::unexpected(ask.error());
  auto replace = flag_of(command, "replace");
  if (!replace) return tl::unexpected(replace.error());
  auto dry = flag_of(command, "dry-run");
  if (!dry) return tl::unexpected(dry.error());
  if (*dry) {
    auto told = rollouts_.try_plan(*ask);
    if (!told) return tl::unexpected(told.error());
    LogLine rest;
    rest.add("dry_run", true).add("text", told->text);
    reply->finish(ok_json(control_, std::move(rest)));
    return {};
  }
  auto told = *replace ? rollouts_.replace(*ask) : rollouts_.begin(*ask);
  if (!told) return tl::unexpected(told.error());
  answer(*told, reply);
  return {};
}

Answer<void> AdminRollout::turn_back(const Command& command, const std::shared_ptr<Reply>& reply) {
  TurnBackAsk back;
  const bool is_abort = command.spec->verb == Verb::abort;
  back.end = is_abort ? EndKind::aborted : EndKind::rolled_back;
  for (auto [key, flag] :
       {std::pair{"force", &back.force}, std::pair{"old-code-breaks", &back.old_code_breaks}}) {
    auto read = flag_of(command, key);
    if (!read) return tl::unexpected(read.error());
    *flag = *read;
  }
  if (back.old_code_breaks) {
    if (auto given = need_reason(command, "old-code-breaks=yes"); !given) return given;
  }
  const std::string reason = command.find("reason").value_or("");
  back.text = actor_of(reply->caller().uid).user + " said " + std::string(command.spec->name) +
              (reason.empty() ? "" : ": " + reason);
  auto told = rollouts_.turn_back(back);
  if (!told) return tl::unexpected(told.error());
  answer(*told, reply);
  return {};
}

Answer<void> AdminRollout::order(const Command& command, const std::shared_ptr<Reply>& reply) {
  const Verb verb = command.spec->verb;
  auto accept = flag_of(command, "accept-no-evidence");
  if (!accept) return tl::unexpected(accept.error());
  auto full = flag_of(command, "full");
  if (!full) return tl::unexpected(full.error());
  if (*accept) {
    if (auto given = need_reason(command, "accept-no-evidence=yes"); !given) return given;
  }
  auto told = verb == Verb::pause    ? rollouts_.pause()
              : verb == Verb::resume ? rollouts_.resume(*accept)
                                     : rollouts_.promote(*full);
  if (!told) return tl::unexpected(told.error());
  answer(*told, reply);
  return {};
}

Answer<void> AdminRollout::lock(const Command& command, const std::shared_ptr<Reply>& reply) {
  const Actor who = actor_of(reply->caller().uid);
  if (command.spec->verb == Verb::lock) {
    if (auto given = need_reason(command, "lock"); !given) return given;
    if (auto done = rollouts_.lock(who, *command.find("reason")); !done) return done;
  } else {
    auto force = flag_of(command, "force");
    if (!force) return tl::unexpected(force.error());
    if (auto done = rollouts_.unlock(who, *force); !done) return done;
  }
  LogLine rest;
  rest.add_raw("lock", lock_json(rollouts_, control_.wall()));
  reply->finish(ok_json(control_, std::move(rest)));
  return {};
}

Answer<void> AdminRollout::explain(const Command& command,
                                   const std::shared_ptr<Reply>& reply) const {
  const SavedRollout& saved = rollouts_.saved();
  std::string subject;
  const Verdict* verdict = &saved.current.verdict;
  if (command.words.empty()) {
    const bool is_over = rollouts_.is_idle() && !saved.past.empty();
    subject = is_over ? past_json(saved.past.back()) : rollout_json(rollouts_, control_.now());
    if (is_over) verdict = &saved.past.back().verdict;
  } else {
    Command number = command;
    number.keys = {{"EPOCH", command.words.front()}};
    auto epoch = number_of(number, "EPOCH", 0, INT64_MAX);
    if (!epoch) return tl::unexpected(epoch.error());
    // The rollout to which that epoch belongs: the first that ended at or after it.
    for (const PastRollout& past : saved.past) {
      if (past.epoch >= static_cast<uint64_t>(**epoch)) {
        subject = past_json(past);
        verdict = &past.verdict;
        break;
      }
    }
    if (subject.empty() && !rollouts_.is_idle()) subject = rollout_json(rollouts_, control_.now());
  }
  if (subject.empty() || subject == "null") {
    return deny(AdminCode::not_found, "EPOCH", "no rollout is recorded for that");
  }
  LogLine rest;
  rest.add_raw("rollout", subject).add_raw("replay", replay_json(*verdict));
  reply->finish(ok_json(control_, std::move(rest)));
  return {};
}

Answer<void> AdminRollout::simulate(const Command& command, const std::shared_ptr<Reply>& reply) {
  const std::string& policy = command.words.front();
  const std::vector<int> steps = parse_steps(policy);
  if (steps.empty()) {
    return deny(AdminCode::usage, "POLICY",
                "a policy is steps: rising percents such as 5,10,25,50,100, the last is 100");
  }
  const Fleet& fleet = control_.fleet();
  std::optional<size_t> color = live_color(fleet, rollouts_.releases());
  if (const auto named = command.find("color")) {
    color = fleet.color_named(*named);
    if (!color) return deny(AdminCode::not_found, "color", "no color is called " + *named);
  }
  if (!color) return deny(AdminCode::refused, "color", "no color is live; color=COLOR names one");
  auto worse = number_of(command, "worse", 1, kWorseMost);
  if (!worse) return tl::unexpected(worse.error());
  auto runs = number_of(command, "runs", 1, kRunsMost);
  if (!runs) return tl::unexpected(runs.error());
  if (record_.last_day(static_cast<routing::ColorIndex>(*color)).sessions <= 0) {
    return deny(AdminCode::refused, "color",
                "no traffic of " + fleet.colors[*color].name + " is recorded yet");
  }
  if (simulations_.size() >= kSimulationsMost) {
    return deny(AdminCode::busy, {}, "others are simulating; ask again");
  }
  Replayer replayer(record_, static_cast<routing::ColorIndex>(*color), steps,
                    static_cast<double>(worse->value_or(3)), kReplaySeed);
  simulations_.push_back({fleet.colors[*color].name, text_of_steps(steps),
                          static_cast<int>(runs->value_or(200)), std::move(replayer), reply});
  return {};
}

void AdminRollout::tick() {
  for (auto at = simulations_.begin(); at != simulations_.end();) {
    const int left = at->runs - at->replayer.result().runs;
    if (left > 0 && !at->reply->is_gone()) at->replayer.run(std::min(left, kRunsATick));
    const bool is_over = at->replayer.result().runs >= at->runs;
    if (is_over) answer(*at);
    at = is_over || at->reply->is_gone() ? simulations_.erase(at) : std::next(at);
  }
}

void AdminRollout::answer(const Simulation& simulation) const {
  const Replay& replay = simulation.replayer.result();
  std::vector<std::string> steps;
  for (const ReplayedStep& step : replay.steps) {
    LogLine line;
    line.add("share", step.share)
        .add_raw("hours", number_json(step.hours))
        .add_raw("sessions", number_json(step.sessions))
        .add("reached", step.is_reached);
    steps.push_back(json_of(line));
  }
  LogLine rest;
  rest.add("color", simulation.color)
      .add("policy", simulation.policy)
      .add_raw("recorded_hours", number_json(replay.recorded_hours))
      .add_raw("steps", join_json(steps))
      .add("runs", replay.runs)
      .add("false_rollbacks", replay.false_rollbacks)
      .add_raw("worse", number_json(replay.worse))
      .add("found", replay.found)
      .add("text", text_of(replay));
  simulation.reply->finish(ok_json(control_, std::move(rest)));
}

void AdminRollout::answer(const RolloutControl::Told& told, const std::shared_ptr<Reply>& reply) {
  control_.when_true_everywhere([this, told, reply] {
    LogLine rest;
    rest.add("saved", told.saved)
        .add("number", static_cast<int64_t>(rollouts_.current().number))
        .add("text", told.text)
        .add_raw("rollout", rollout_json(rollouts_, control_.now()));
    reply->finish(ok_json(control_, std::move(rest)));
  });
}

}  // namespace control
