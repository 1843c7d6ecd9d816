#include "shifter/control/admin_commands.h"

#include <algorithm>
#include <chrono>

#include "shifter/control/admin_scale.h"

namespace control {
namespace {

using base::Level;
using base::LogLine;

constexpr base::Millis kDay{86'400'000};
constexpr base::Millis kCutGrace{10'000};  // for what was cut to be gone
constexpr size_t kListed = 100;            // exchanges in one answer

}  // namespace

struct AdminCommands::Call {
  Command command;
  std::shared_ptr<Reply> reply;
};

struct AdminCommands::Waiter {
  Verb verb = Verb::drain;
  size_t color = 0;
  std::shared_ptr<Reply> reply;
  base::Instant until{};
  bool force = false;
  bool saved = true;
  bool cut = false;      // what was left was cut; waits for it to be gone
  bool listing = false;  // the list of what is left is being made
  bool answered = false;
};

AdminCommands::AdminCommands(ControlLoop& control, routing::DataPlane& plane, Events& events,
                             AuditLog& audit, Hooks hooks)
    : control_(control),
      plane_(plane),
      events_(events),
      audit_(audit),
      hooks_(std::move(hooks)),
      agent_(control, events) {}

AdminCommands::~AdminCommands() = default;

void AdminCommands::run(std::string_view line, std::shared_ptr<Reply> reply) {
  ++commands_;
  auto command = parse_command(line);
  if (!command) {
    ++refused_;
    return reply->finish(error_json(command.error()));
  }
  const Call call{std::move(*command), std::move(reply)};
  const uint32_t uid = call.reply->caller().uid;
  if (!AdminAgent::may(control_.config().admin, call.command, uid)) {
    ++refused_;
    return call.reply->finish(
        error_json({AdminCode::forbidden, "uid " + std::to_string(uid) + " may not say this", {}}));
  }
  // The agent's reports change what is saved.
  const Verb verb = call.command.spec->verb;
  const bool changes = call.command.spec->changes || verb == Verb::agent || verb == Verb::actions;
  if (moved_ || (frozen_ && changes)) {
    ++refused_;
    return call.reply->finish(
        error_json({AdminCode::moved, "another process takes over; ask again", {}}));
  }
  if (call.command.spec->changes) return change(call);
  look(call);
}

void AdminCommands::send_away() {
  moved_ = true;
  for (Waiter& waiter : waiters_) {
    if (std::exchange(waiter.answered, true)) continue;
    waiter.reply->finish(
        error_json({AdminCode::moved, "another process has taken over; it goes on there", "wait"}));
  }
}

void AdminCommands::look(const Call& call) {
  const Verb verb = call.command.spec->verb;
  const bool is_rollout = AdminRollout::owns(verb);
  if (verb == Verb::inflight || verb == Verb::agent || verb == Verb::actions || is_rollout) {
    auto done = verb == Verb::inflight ? inflight(call)
                : is_rollout           ? rollout(call)
                                       : agent_.run(call.command, call.reply);
    if (!done) {
      ++refused_;
      call.reply->finish(error_json(done.error()));
    }
    return;
  }
  if (verb == Verb::events) {
    if (call.command.words.front() == "follow") return events_.follow(call.reply);
    ++refused_;
    return call.reply->finish(
        error_json({AdminCode::usage, "usage: events follow", call.command.words.front()}));
  }
  if (verb == Verb::status) {  // what is shown is what is routed by, not what will be
    return control_.when_true_everywhere([this, reply = call.reply] {
      reply->finish(status_json(control_, plane_.totals(), hooks_.process()));
    });
  }
  std::string json;
  if (verb == Verb::routes) json = routes_json(control_, plane_.totals());
  if (verb == Verb::connections) json = connections_json(control_, plane_.totals());
  if (verb == Verb::config) json = config_json(control_, hooks_.describe_config());
  if (verb == Verb::help) json = help_json(control_);
  if (verb == Verb::audit) {
    const std::vector<std::string> kept(audit_.kept().begin(), audit_.kept().end());
    json = ok_json(control_, LogLine().add_raw("entries", join_json(kept)));
  }
  call.reply->finish(std::move(json));
}

void AdminCommands::change(const Call& call) {
  const std::string before = text_of(control_.fleet());
  const auto act = [&]() -> Answer<void> {
    if (refuses_changes_) {
      return deny(AdminCode::shutting_down, {}, "this process is shutting down");
    }
    auto epoch = number_of(call.command, "if-epoch", 0, INT64_MAX);
    if (!epoch) return tl::unexpected(epoch.error());
    if (*epoch && static_cast<uint64_t>(**epoch) != control_.fleet().epoch) {
      return deny(AdminCode::conflict, "if-epoch",
                  "the epoch is " + std::to_string(control_.fleet().epoch) + " now, not " +
                      std::to_string(**epoch));
    }
    if (AdminRollout::owns(call.command.spec->verb)) return rollout(call);
    if (hooks_.rollouts != nullptr) {
      auto may = hooks_.rollouts->may_run(call.command.spec->verb, call.reply->caller().uid);
      if (!may) return may;
    }
    switch (call.command.spec->verb) {
      case Verb::weights:
        return weights(call);
      case Verb::ready:
        return ready(call);
      case Verb::maint:
        return maint(call);
      case Verb::drain:
        return drain(call);
      case Verb::hold:
        return hold(call);
      case Verb::scale:
        return scale(call);
      default:
        return reload(call);
    }
  };
  auto done = act();
  audit(call, before, done ? std::string_view("done") : text_of(done.error().code));
  if (done) return;
  ++refused_;
  call.reply->finish(error_json(done.error()));
}

Answer<void> AdminCommands::rollout(const Call& call) {
  if (hooks_.rollouts == nullptr) {
    return deny(AdminCode::refused, {}, "this process runs no rollouts");
  }
  return hooks_.rollouts->run(call.command, call.reply);
}

Answer<void> AdminCommands::weights(const Call& call) {
  std::vector<std::pair<std::string, std::string>> weights;
  for (const auto& [key, value] : call.command.keys) {
    if (key != "if-epoch" && key != "reason") weights.emplace_back(key, value);
  }
  auto next = set_weights(control_.fleet(), weights);
  if (!next) return tl::unexpected(next.error());
  LogLine rest;
  LogLine shown;
  for (const FleetColor& color : next->colors) shown.add(color.name, color.weight);
  rest.add_raw("weights", json_of(shown));
  return commit(call, std::move(*next), /*must_act=*/false, std::move(rest));
}

Answer<void> AdminCommands::ready(const Call& call) {
  auto color = color_of(call);
  if (!color) return tl::unexpected(color.error());
  auto next = set_ready(control_.fleet(), *color);
  if (!next) return tl::unexpected(next.error());
  LogLine rest;
  rest.add("color", next->colors[*color].name).add("state", "ready");
  return commit(call, std::move(*next), /*must_act=*/false, std::move(rest));
}

Answer<void> AdminCommands::maint(const Call& call) {
  auto color = color_of(call);
  if (!color) return tl::unexpected(color.error());
  auto last = flag_of(call.command, "last");
  if (!last) return tl::unexpected(last.error());
  auto next = ask_maint(control_.fleet(), *color, *last, control_.is_up(),
                        control_.routing().fallback_allow);
  if (!next) return tl::unexpected(next.error());
  auto saved = control_.change(std::move(*next), /*must_act=*/true, {});
  if (!saved) return tl::unexpected(saved.error());
  wait_for(call, *color, base::Millis{0}, /*force=*/false, *saved);
  return {};
}

Answer<void> AdminCommands::drain(const Call& call) {
  auto color = color_of(call);
  if (!color) return tl::unexpected(color.error());
  const DrainConfig& defaults = control_.config().drain;
  DrainAsk ask;
  ask.deadline_default = defaults.deadline;
  ask.quiet_default = defaults.quiet;
  auto deadline = duration_of(call.command, "deadline", base::Millis{0}, kDay);
  if (!deadline) return tl::unexpected(deadline.error());
  auto quiet = duration_of(call.command, "quiet", base::Millis{0}, kDay);
  if (!quiet) return tl::unexpected(quiet.error());
  auto wait = duration_of(call.command, "wait", base::Millis{0}, kDay);
  if (!wait) return tl::unexpected(wait.error());
  auto force = flag_of(call.command, "force");
  if (!force) return tl::unexpected(force.error());
  auto last = flag_of(call.command, "last");
  if (!last) return tl::unexpected(last.error());
  ask.deadline = *deadline;
  ask.quiet = *quiet;
  ask.last = *last;
  auto next = ask_drain(control_.fleet(), *color, ask, control_.now(), control_.is_up(),
                        control_.routing().fallback_allow);
  if (!next) return tl::unexpected(next.error());
  bool saved = control_.is_saved();
  if (next->epoch != control_.fleet().epoch) {
    auto done = control_.change(std::move(*next), /*must_act=*/true, {});
    if (!done) return tl::unexpected(done.error());
    saved = *done;
  }
  wait_for(call, *color, wait->value_or(defaults.wait), *force, saved);
  return {};
}

Answer<void> AdminCommands::hold(const Call& call) {
  const std::string& word = call.command.words.front();
  if (word != "on" && word != "off") {
    return deny(AdminCode::usage, word, "usage: hold on|off [max=200] [timeout=15s]");
  }
  auto max = number_of(call.command, "max", 0, 100'000);
  if (!max) return tl::unexpected(max.error());
  auto timeout = duration_of(call.command, "timeout", base::Millis{1}, base::Millis{600'000});
  if (!timeout) return tl::unexpected(timeout.error());
  const routing::HoldConfig& defaults = control_.routing().hold;
  FleetHold hold;
  hold.on = word == "on";
  hold.max = static_cast<int>(max->value_or(defaults.max));
  hold.timeout = timeout->value_or(defaults.timeout);
  LogLine rest;
  rest.add("hold", hold.on).add("max", hold.max);
  rest.add("timeout", base::duration_text(hold.timeout));
  return commit(call, set_hold(control_.fleet(), hold), /*must_act=*/true, std::move(rest));
}

Answer<void> AdminCommands::reload(const Call& call) {
  const Reloaded reloaded = hooks_.reload();
  if (!reloaded.faults.empty()) {
    std::string message = "nothing was taken";
    for (const std::string& fault : reloaded.faults) message += "; " + fault;
    return deny(AdminCode::bad_config, {}, message);
  }
  Fleet next = control_.fleet();
  ++next.epoch;
  LogLine rest;
  rest.add_raw("needs_restart", array_json(reloaded.needs_restart));
  return commit(call, std::move(next), /*must_act=*/false, std::move(rest), reloaded.take);
}

// An intention: saved with the fleet, so that it holds over a restart.
Answer<void> AdminCommands::scale(const Call& call) {
  if (scaling_ == nullptr) return deny(AdminCode::refused, {}, "this process has no scaler");
  auto ask = read_scale_command(call.command, *scaling_);
  if (!ask) return tl::unexpected(ask.error());
  ScaleState before = std::exchange(control_.scale(), std::move(ask->next));
  Fleet next = control_.fleet();
  ++next.epoch;
  auto done = commit(call, std::move(next), /*must_act=*/false, std::move(ask->told));
  if (!done) {
    control_.scale() = std::move(before);
    return done;
  }
  scaling_->decide_now();
  return {};
}

Answer<void> AdminCommands::inflight(const Call& call) {
  routing::ColorIndex color = routing::kNoColor;
  if (!call.command.words.empty()) {
    auto named = color_of(call);
    if (!named) return tl::unexpected(named.error());
    color = static_cast<routing::ColorIndex>(*named);
  }
  plane_.list(color, kListed,
              [this, reply = call.reply](std::vector<routing::InFlightEntry> entries) {
                LogLine rest;
                rest.add("count", static_cast<int64_t>(entries.size()))
                    .add_raw("entries", entries_json(control_, entries));
                reply->finish(ok_json(control_, std::move(rest)));
              });
  return {};
}

Answer<size_t> AdminCommands::color_of(const Call& call) const {
  const std::string& name = call.command.words.front();
  auto color = control_.fleet().color_named(name);
  if (color) return *color;
  std::string known;
  for (const FleetColor& one : control_.fleet().colors) known += " " + one.name;
  return deny(AdminCode::usage, name, "no color is named " + name + "; there is" + known);
}

Answer<void> AdminCommands::commit(const Call& call, Fleet next, bool must_act, LogLine rest,
                                   const std::function<void()>& take) {
  // The flag is known only after the change, and the answer comes after that.
  auto saved = std::make_shared<bool>(false);
  const uint64_t epoch = next.epoch;
  auto answer = [this, reply = call.reply, rest = std::move(rest), saved, epoch]() mutable {
    LogLine line;
    line.add("ok", true).add("epoch", static_cast<int64_t>(epoch)).add("saved", *saved);
    if (auto words = warnings(); !words.empty()) line.add_raw("warnings", array_json(words));
    std::string json = json_of(line);
    if (std::string more = json_of(rest); more.size() > 2) {
      json.back() = ',';
      json += more.substr(1);
    }
    reply->finish(std::move(json));
  };
  auto done = control_.change(std::move(next), must_act, std::move(answer), take);
  if (!done) return tl::unexpected(done.error());
  *saved = *done;
  return {};
}

void AdminCommands::wait_for(const Call& call, size_t color, base::Millis wait, bool force,
                             bool saved) {
  Waiter waiter;
  waiter.verb = call.command.spec->verb;
  waiter.color = color;
  waiter.reply = call.reply;
  waiter.until = control_.now() + wait;
  waiter.force = force;
  waiter.saved = saved;
  waiters_.push_back(std::move(waiter));
}

void AdminCommands::tick() {
  agent_.tick();
  if (hooks_.rollouts != nullptr) hooks_.rollouts->tick();
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    at = is_over(*at) ? waiters_.erase(at) : std::next(at);
  }
}

bool AdminCommands::is_over(Waiter& waiter) {
  if (waiter.answered || waiter.reply->is_gone()) return true;
  if (waiter.listing) return false;
  const FleetColor& color = control_.fleet().colors[waiter.color];
  if (color.state == ColorState::maint) {
    LogLine rest;
    rest.add("color", color.name)
        .add("state", routing::text_of(color.state))
        .add("empty", true)
        .add("cut", waiter.cut)
        .add("saved", waiter.saved);
    waiter.reply->finish(ok_json(control_, std::move(rest)));
    return true;
  }
  if (color.state == ColorState::ready) {
    waiter.reply->finish(
        error_json({AdminCode::conflict, color.name + " was made ready meanwhile", color.name}));
    return true;
  }
  const bool closing_known = control_.closing_seen(waiter.color);
  // maint answers once nobody is sent there any more; an empty color is told as `maint` first.
  const bool may_answer = waiter.verb != Verb::maint || closing_known;
  if (control_.now() < waiter.until || !may_answer) return false;
  if (waiter.force && !waiter.cut) {
    if (color.state == ColorState::draining) {
      control_.end_drain(waiter.color);
    } else if (closing_known) {
      plane_.cut(static_cast<routing::ColorIndex>(waiter.color));
      waiter.cut = true;
      waiter.until = control_.now() + kCutGrace;
    }
    return false;
  }
  answer_left(waiter);
  return false;
}

void AdminCommands::answer_left(Waiter& waiter) {
  waiter.listing = true;
  plane_.list(static_cast<routing::ColorIndex>(waiter.color), kListed,
              [this, color = waiter.color, saved = waiter.saved, cut = waiter.cut,
               reply = waiter.reply](std::vector<routing::InFlightEntry> entries) {
                const Fleet& fleet = control_.fleet();
                LogLine rest;
                rest.add("color", fleet.colors[color].name)
                    .add("state", routing::text_of(fleet.colors[color].state))
                    .add("empty", fleet.colors[color].state == ColorState::maint)
                    .add("cut", cut)
                    .add("saved", saved)
                    .add_raw("in_flight",
                             in_flight_json(plane_.totals(), color, fleet.colors.size()))
                    .add_raw("left", entries_json(control_, entries));
                reply->finish(ok_json(control_, std::move(rest)));
                for (Waiter& one : waiters_) one.answered = one.answered || one.reply == reply;
              });
}

void AdminCommands::audit(const Call& call, const std::string& before, std::string_view result) {
  const std::string after = text_of(control_.fleet());
  const std::string reason = call.command.find("reason").value_or("");
  AuditEntry entry;
  entry.caller = call.reply->caller();
  entry.command = call.command.line;
  entry.reason = reason;
  entry.before = before;
  entry.after = after;
  entry.result = result;
  entry.epoch = control_.fleet().epoch;
  audit_.add(entry);
  LogLine line;
  line.add("command", entry.command)
      .add("uid", static_cast<int64_t>(entry.caller.uid))
      .add("result", result)
      .add("epoch", static_cast<int64_t>(entry.epoch));
  events_.add(Level::info, "command", std::move(line));
}

// Weights that do not do what they say, because of a state or of health.
std::vector<std::string> AdminCommands::warnings() const {
  std::vector<std::string> words;
  for (size_t i = 0; i < control_.fleet().colors.size(); ++i) {
    const FleetColor& color = control_.fleet().colors[i];
    if (color.weight == 0) continue;
    if (color.state != ColorState::ready) {
      words.push_back(color.name + " has weight but is " +
                      std::string(routing::text_of(color.state)));
    } else if (!control_.health().color(i).up) {
      words.push_back(color.name + " has weight but is " + text_of(control_.health().color(i)));
    }
  }
  return words;
}

}  // namespace control
