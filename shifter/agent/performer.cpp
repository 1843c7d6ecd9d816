#include "shifter/agent/performer.h"

#include <algorithm>

#include "shifter/agent/job.h"

namespace agent {

Outcome Performer::perform(const Task& task) {
  static const ColorTarget kNone;
  const auto target = config_.colors.find(task.color);
  const bool needs_color = task.kind != "custom" || !task.color.empty();  // a notice is of none
  if (needs_color && target == config_.colors.end()) {
    return {End::failed, "the agent's config has no color " + task.color, {}, {}};
  }
  Job job{task,
          needs_color ? target->second : kNone,
          Docker(config_, commands_, names_of(task), task.deadline),
          EnvFile(config_.env_file),
          {}};
  if (task.kind == "deploy") return deploy(job);
  if (task.kind == "stop") return stop(job);
  if (task.kind == "set_workers") return set_workers(job);
  if (task.kind == "signal_workers") return signal_workers(job);
  if (task.kind == "custom") return custom(job);
  return job.failed("the agent knows no action " + task.kind);
}

Outcome Performer::look(const std::string& color) {
  Outcome outcome{End::unknown, "begun, and the agent ended meanwhile; not done again", {}, {}};
  const auto target = config_.colors.find(color);
  if (target == config_.colors.end()) return outcome;
  Task task;
  task.color = color;
  Docker docker(config_, commands_, names_of(task), config_.look_deadline);
  auto container = docker.find_container();
  if (!container) {
    outcome.result["container"] = "unknown";
  } else if (container->empty()) {
    outcome.result["container"] = "none";
  } else {
    auto state = docker.inspect(*container);
    outcome.result["container"] = state ? state->status : "unknown";
    if (state) outcome.result["image"] = state->image;
    if (state && state->status == "running" && !config_.commands.count.empty()) {
      if (auto seen = docker.processes(*container)) {
        outcome.result["workers"] = std::to_string(seen->workers.size());
      }
    }
  }
  if (auto text = EnvFile(config_.env_file).read()) {
    if (auto value = text->value(target->second.workers_key))
      outcome.result["env_workers"] = *value;
  }
  outcome.message += "; the container is " + outcome.result["container"];
  return outcome;
}

Names Performer::names_of(const Task& task) const {
  Names names = {{"color", task.color},
                 {"project", config_.project},
                 {"grace", std::to_string(config_.stop_grace.count() / 1000)},
                 {"epoch", "0"},
                 {"hook", ""},
                 {"service", ""}};
  if (auto target = config_.colors.find(task.color); target != config_.colors.end()) {
    names["service"] = target->second.service;
  }
  for (const char* name : {"epoch", "hook"}) {
    if (auto at = task.arguments.find(name); at != task.arguments.end()) names[name] = at->second;
  }
  return names;
}

base::Result<std::optional<int>> Performer::wanted_workers(const Task& task) const {
  const auto at = task.arguments.find("workers");
  if (at == task.arguments.end() || at->second.empty()) return std::nullopt;
  const std::string& text = at->second;
  const bool digits = text.size() <= 4 && text.find_first_not_of("0123456789") == std::string::npos;
  const int wanted = digits ? std::stoi(text) : -1;
  if (wanted >= config_.workers_min && wanted <= config_.workers_max) return wanted;
  return fault("workers " + text + ": the agent's config allows " +
               std::to_string(config_.workers_min) + " to " + std::to_string(config_.workers_max));
}

Outcome Performer::set_workers(Job& job) {
  auto wanted = wanted_workers(job.task);
  if (!wanted) return job.failed(wanted.error().detail);
  if (!*wanted) return job.failed("workers= is needed");
  auto change = job.env.change({{job.target.workers_key, std::to_string(**wanted)}});
  if (!change) return job.failed(change.error().detail);
  job.result["env_workers"] = std::to_string(**wanted);
  return job.done();
}

Outcome Performer::stop(Job& job) {
  auto container = job.docker.find_container();
  if (!container) return job.failed(container.error().detail);
  if (container->empty()) {
    job.result["container"] = "none";
    return job.done("there is no container");
  }
  wait_for_background(job);
  if (const Words& hook = config_.hooks.at("stop"); !hook.empty()) {
    if (const ChildEnd end = job.docker.run_hook(hook); !end.good()) {
      return job.failed("not stopped: hook stop: " + end.text());
    }
  }
  auto stopped = job.docker.run(config_.commands.stop);
  auto state = job.docker.inspect(*container);
  job.result["container"] = state ? state->status : "unknown";
  if (!stopped) return job.failed(stopped.error().detail);
  if (!state) return job.failed(state.error().detail);
  if (state->status == "running" || state->status == "restarting") {
    return job.failed("the container is " + state->status + " after the stop");
  }
  return job.done();
}

// Background work of a color (cron) counts: it is waited for, but not past its deadline, and never
// so long that the stop itself has no time left.
void Performer::wait_for_background(Job& job) {
  if (config_.commands.background.empty()) return;
  const base::Millis keep = config_.stop_grace + base::Millis{10'000};
  const base::Instant until =
      commands_.now() + std::min(config_.background_deadline, job.docker.left() - keep);
  job.result["background"] = "deadline";
  while (!job.docker.is_late()) {
    auto code = job.docker.check(config_.commands.background);
    if (code && *code == 0) {
      job.result["background"] = "idle";
      return;
    }
    if (commands_.now() >= until) return;
    job.docker.wait();
  }
}

Outcome Performer::custom(Job& job) {
  const std::string name = job.argument("hook");
  const auto hook = config_.hooks.find(name);
  if (hook == config_.hooks.end()) return job.failed("the agent's config has no hook " + name);
  if (hook->second.empty()) return job.done("hook " + name + " has no command");
  const ChildEnd end = job.docker.run_hook(
      hook->second,
      {{"SHIFTER_KIND", job.argument("kind")}, {"SHIFTER_SUMMARY", job.argument("summary")}});
  if (end.good()) return job.done();
  return job.failed("hook " + name + ": " + end.text());
}

}  // namespace agent
