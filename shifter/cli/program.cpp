#include "shifter/cli/program.h"

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "shifter/cli/admin_connection.h"
#include "shifter/cli/arguments.h"
#include "shifter/cli/completion.h"
#include "shifter/cli/doctor.h"
#include "shifter/cli/event_line.h"
#include "shifter/cli/guard.h"
#include "shifter/cli/interrupt.h"
#include "shifter/cli/plan.h"
#include "shifter/cli/render.h"
#include "shifter/cli/rollout_view.h"
#include "shifter/cli/watch.h"
#include "shifter/policy/policy.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookAgain{200};
constexpr std::chrono::milliseconds kLookForLock{1'000};
constexpr std::chrono::milliseconds kFollowMax{10'000};  // to the process that takes over
constexpr std::chrono::milliseconds kFollowAgain{50};

bool is_error(const std::string& answer) { return answer.rfind("{\"ok\":false", 0) == 0; }

// One run of one verb.
class Session {
 public:
  Session(const Arguments& arguments, const Console& console, AdminConnection connection)
      : arguments_(arguments),
        console_(console),
        connection_(std::make_unique<AdminConnection>(std::move(connection))) {}

  int look() {
    if (arguments_.wait) return wait_until_reached(/*is_look=*/true);
    auto answer = ask(arguments_.line);
    return answer ? show(*answer) : code_;
  }

  int follow() {
    if (auto sent = connection_->send(arguments_.line); !sent) return left(sent.error());
    for (;;) {
      auto line = connection_->receive();
      if (!line) return left(line.error());
      if (is_error(*line)) return show(*line);
      console_.print((arguments_.json ? *line : event_line(*line)) + "\n");
    }
  }

  int change() {
    auto seen = status();
    if (!seen) return code_;
    if (seen->schema > kSchema) {
      console_.complain("the daemon speaks schema " + std::to_string(seen->schema) +
                        ", this program " + std::to_string(kSchema) + ": it may look, not change");
      return kRefused;
    }
    const bool asks_daemon = is_rollout_verb(arguments_.verb->name);
    if (arguments_.dry_run && !asks_daemon) return plan(*seen);
    std::string line = arguments_.line;
    if (auto guard = guard_of(arguments_, *seen); guard && !arguments_.dry_run) {
      if (int code = confirm(*guard); code != kDone) return code;
      // What was confirmed is what was seen: if anything changed since, the daemon says so.
      if (!arguments_.if_epoch) line += " if-epoch=" + std::to_string(seen->epoch);
    }
    auto answer = arguments_.wait_lock ? ask_until_unlocked(line) : ask(line);
    if (!answer) return code_;
    const int code = show(*answer);
    const bool waits =
        arguments_.wait && !arguments_.dry_run && arguments_.verb->waits != WaitsFor::daemon;
    return code == kDone && waits ? wait_until_reached(/*is_look=*/false) : code;
  }

 private:
  // The end of a connection, or of our patience.
  int left(const base::Error& error) {
    if (connection_->interrupted()) return code_ = kInterrupted;
    console_.complain(error.detail);
    return code_ = kUnreachable;
  }

  // Nothing: code_ says why. Where another process takes over meanwhile, it is asked instead.
  std::optional<std::string> ask(std::string line) {
    const auto until = Clock::now() + kFollowMax;
    for (;;) {
      if (auto sent = connection_->send(line); !sent) return left(sent.error()), std::nullopt;
      auto answer = connection_->receive();
      if (!answer) return left(answer.error()), std::nullopt;
      const bool has_moved =
          is_error(*answer) && answer->find("\"code\":\"moved\"") != std::string::npos;
      if (!has_moved || Clock::now() >= until) return *std::move(answer);
      // A drain that was begun goes on there; a second deadline is not meant.
      if (answer->find("\"field\":\"wait\"") != std::string::npos) line = wait_again();
      if (wait_readable({}, kFollowAgain) == Woken::interrupted) {
        code_ = kInterrupted;
        return std::nullopt;
      }
      auto again = AdminConnection::open(arguments_.socket);
      if (!again) return left(again.error()), std::nullopt;
      connection_ = std::make_unique<AdminConnection>(*std::move(again));
    }
  }

  std::string wait_again() const {
    std::string line(arguments_.verb->name);
    if (!arguments_.words.empty()) line += " " + arguments_.words.front();
    if (const auto wait = arguments_.key("wait")) line += " wait=" + *wait;
    return line;
  }

  // As ask, again and again while somebody else holds the lock.
  std::optional<std::string> ask_until_unlocked(const std::string& line) {
    const auto until = Clock::now() + arguments_.wait_lock_time;
    for (;;) {
      auto answer = ask(line);
      const bool is_locked = answer && is_error(*answer) &&
                             answer->find("\"code\":\"conflict\"") != std::string::npos &&
                             answer->find("\"field\":\"lock\"") != std::string::npos;
      const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      if (!is_locked || left_ms.count() <= 0) return answer;
      if (wait_readable({}, std::min(left_ms, kLookForLock)) == Woken::interrupted) {
        code_ = kInterrupted;
        return std::nullopt;
      }
    }
  }

  // How the rollout ended, as a code: what was asked for is 0.
  int rollout_end(const RolloutView& rollout) {
    console_.complain("rollout " + std::to_string(rollout.number) + " of " + rollout.canary + ": " +
                      rollout.end + (rollout.end_text.empty() ? "" : ": " + rollout.end_text));
    const std::string_view verb = arguments_.verb->name;
    const bool is_wanted = rollout.end == "done" ||
                           (verb == "abort" && rollout.end.rfind("aborted", 0) == 0) ||
                           (verb == "rollback" && rollout.end.rfind("rolled_back", 0) == 0);
    if (is_wanted) return kDone;
    return rollout.went_back() ? kWentBack : kFailed;
  }

  std::optional<Snapshot> status() {
    last_status_ = ask("status");
    if (!last_status_) return std::nullopt;
    if (is_error(*last_status_)) return code_ = show(*last_status_), std::nullopt;
    auto seen = parse_snapshot(*last_status_);
    if (!seen) return left(seen.error()), std::nullopt;
    return *std::move(seen);
  }

  int show(const std::string& answer) {
    const Rendered rendered = render(arguments_.verb->name, answer);
    console_.print(arguments_.json ? answer + "\n" : rendered.out);
    if (!arguments_.json || rendered.code == kUnreachable) console_.complain(rendered.err);
    return rendered.code;
  }

  int plan(const Snapshot& seen) {
    auto plan = plan_of(arguments_, seen);
    if (!plan) {
      console_.complain(plan.error().detail);
      return kUsage;
    }
    if (arguments_.if_epoch && *arguments_.if_epoch != std::to_string(seen.epoch)) {
      console_.complain("conflict: the epoch is " + std::to_string(seen.epoch) + " now, not " +
                        *arguments_.if_epoch);
      return kConflict;
    }
    console_.print(arguments_.json ? plan_json(*plan, arguments_, seen) : plan_text(*plan, seen));
    return plan->refusal.empty() ? kDone : kRefused;
  }

  int confirm(const Guard& guard) {
    std::optional<std::string> typed = arguments_.confirm;
    if (!typed) {
      if (arguments_.no_input || !console_.has_person) {
        console_.complain(guard.why + "; nothing was done (--confirm=" + guard.color + ")");
        return kUsage;
      }
      typed = console_.ask(guard.why + ".\nType " + guard.color + " to go on: ");
      if (!typed) {
        console_.complain("nothing was done");
        return kInterrupted;
      }
    }
    if (*typed == guard.color) return kDone;
    console_.complain("that is not " + guard.color + "; nothing was done");
    return kUsage;
  }

  int wait_until_reached(bool is_look) {
    const auto until = Clock::now() + arguments_.wait_time;
    for (;;) {
      auto seen = status();
      if (!seen) return code_;
      const Reached now = reached(arguments_, *seen);
      if (now == Reached::never) {
        console_.complain("conflict: another operator acted meanwhile");
        return kConflict;
      }
      const auto left_ms = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      if (now == Reached::yes || left_ms.count() <= 0) {
        if (is_look) return show(*last_status_);
        if (now == Reached::yes && arguments_.verb->waits == WaitsFor::rollout) {
          return rollout_end(seen->rollout);
        }
        if (now == Reached::yes) return kDone;
        console_.complain("not reached in time; it goes on");
        return kNotReached;
      }
      if (wait_readable({}, std::min(left_ms, kLookAgain)) == Woken::interrupted) {
        return kInterrupted;
      }
    }
  }

  const Arguments& arguments_;
  const Console& console_;
  std::unique_ptr<AdminConnection> connection_;
  std::optional<std::string> last_status_;
  int code_ = kDone;
};

std::string help_json() {
  nlohmann::ordered_json commands = nlohmann::ordered_json::array();
  for (const VerbSpec& verb : verb_table()) {
    std::string usage(verb.name);
    if (!verb.arguments.empty()) usage += " " + std::string(verb.arguments);
    commands.push_back({{"usage", usage}, {"does", verb.does}, {"codes", verb.codes}});
  }
  return nlohmann::ordered_json({{"ok", true}, {"commands", commands}}).dump() + "\n";
}

int run_policy(const Arguments& arguments, const Console& console) {
  if (arguments.words.size() != 2 || arguments.words[0] != "check" || !arguments.keys.empty()) {
    console.complain("usage: policy check FILE");
    return kUsage;
  }
  const policy::Loaded loaded = policy::load(arguments.words[1]);
  nlohmann::ordered_json faults = nlohmann::ordered_json::array();
  for (const base::ConfigFault& fault : loaded.faults) {
    faults.push_back({{"file", fault.file},
                      {"line", fault.line},
                      {"key", fault.key},
                      {"message", fault.message}});
    if (!arguments.json) console.print(fault.text() + "\n");
  }
  const bool ok = loaded.faults.empty();
  const auto replace = nlohmann::ordered_json::error_handler_t::replace;
  if (arguments.json) {
    console.print(
        nlohmann::ordered_json({{"ok", ok}, {"faults", faults}}).dump(-1, ' ', false, replace) +
        "\n");
  }
  return ok ? kDone : kUsage;
}

// What needs no daemon.
int run_here(const Arguments& arguments, const Console& console) {
  const auto usage = [&](const std::string& message) {
    console.complain(message);
    return kUsage;
  };
  const std::string_view name = arguments.verb == nullptr ? "help" : arguments.verb->name;
  const std::string word = arguments.words.empty() ? "" : arguments.words.front();
  if (name == "doctor" && !arguments.help) return run_doctor(arguments, console);
  if (name == "policy" && !arguments.help) return run_policy(arguments, console);
  if (arguments.words.size() > (name == "man" ? 0U : 1U) || !arguments.keys.empty()) {
    return usage("too many words (shifter help)");
  }
  if (name == "agent") return usage("agent is the first word: shifter agent --config FILE");
  if (name == "completion") {
    if (word == "bash") return console.print(bash_completion()), kDone;
    if (word == "zsh") return console.print(zsh_completion()), kDone;
    return usage("usage: completion bash|zsh");
  }
  if (name == "man") return console.print(manual_page()), kDone;
  if (arguments.json) return console.print(help_json()), kDone;
  if (word.empty()) return console.print(help_text()), kDone;
  const VerbSpec* verb = find_verb(word);
  if (verb == nullptr) return usage("no verb is called " + word + " (shifter help)");
  return console.print(help_text(*verb)), kDone;
}

}  // namespace

int run(const std::vector<std::string>& words, const Console& console) {
  auto parsed = parse_arguments(words);
  if (!parsed) {
    console.complain(parsed.error().detail + " (shifter help)");
    return kUsage;
  }
  const Arguments& arguments = *parsed;
  if (arguments.help && arguments.verb != nullptr) {
    console.print(help_text(*arguments.verb));
    return kDone;
  }
  if (arguments.help || arguments.verb->where == Where::here) return run_here(arguments, console);
  catch_interrupts();
  const bool watches = arguments.verb->name == "watch";
  if (watches && (!arguments.words.empty() || !arguments.keys.empty())) {
    console.complain("usage: watch");
    return kUsage;
  }
  if (watches && console.is_terminal && !arguments.json) {
    Console shown = console;
    shown.colors = console.colors && !arguments.no_color;
    return watch(arguments, shown);
  }
  auto connection = AdminConnection::open(arguments.socket);
  if (!connection) {
    console.complain(connection.error().detail);
    return kUnreachable;
  }
  Arguments followed = arguments;
  if (watches) followed.line = "events follow";
  Session session(followed, console, std::move(*connection));
  if (watches || arguments.verb->name == "events") return session.follow();
  return arguments.verb->where == Where::change ? session.change() : session.look();
}

}  // namespace cli
