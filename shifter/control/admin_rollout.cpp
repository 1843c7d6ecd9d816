#include "shifter/control/admin_rollout.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "shifter/control/rollout_views.h"
#include "shifter/control/views.h"

namespace control {
namespace {

using base::LogLine;

constexpr size_t kLabelMax = 100;
constexpr size_t kImageMax = 300;

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
  if (command.words.empty()) {
    subject = rollouts_.is_idle() && !saved.past.empty() ? past_json(saved.past.back())
                                                         : rollout_json(rollouts_, control_.now());
  } else {
    Command number = command;
    number.keys = {{"EPOCH", command.words.front()}};
    auto epoch = number_of(number, "EPOCH", 0, INT64_MAX);
    if (!epoch) return tl::unexpected(epoch.error());
    // The rollout to which that epoch belongs: the first that ended at or after it.
    for (const PastRollout& past : saved.past) {
      if (past.epoch >= static_cast<uint64_t>(**epoch)) {
        subject = past_json(past);
        break;
      }
    }
    if (subject.empty() && !rollouts_.is_idle()) subject = rollout_json(rollouts_, control_.now());
  }
  if (subject.empty() || subject == "null") {
    return deny(AdminCode::not_found, "EPOCH", "no rollout is recorded for that");
  }
  LogLine rest;
  rest.add_raw("rollout", subject);
  reply->finish(ok_json(control_, std::move(rest)));
  return {};
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
