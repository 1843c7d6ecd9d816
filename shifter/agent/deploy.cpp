// Deploying one service: edit, up, healthy, the image that was meant, the workers that were wanted;
// or everything as it was.
#include <algorithm>

#include "shifter/agent/job.h"
#include "shifter/agent/performer.h"

namespace agent {
namespace {

bool is_digest(const std::string& image) {
  const size_t at = image.rfind("sha256:");
  return at != std::string::npos && image.size() == at + 7 + 64 &&
         image.find_first_not_of("0123456789abcdef", at + 7) == std::string::npos;
}

}  // namespace

Outcome Performer::deploy(Job& job) {
  auto wanted = wanted_workers(job.task);
  if (!wanted) return job.failed(wanted.error().detail);
  auto text = job.env.read();
  if (!text) return job.failed(text.error().detail);
  std::map<std::string, std::string> values;
  if (*wanted) values[job.target.workers_key] = std::to_string(**wanted);

  // A tag is resolved here, once; what runs and what is written is the digest.
  std::string image = job.argument("digest");
  if (image.empty()) image = job.argument("image");
  const bool sets_image = !job.target.image_key.empty();
  if (!image.empty() && !sets_image) {
    return job.failed("an image was asked for, and colors." + job.task.color +
                      ".image_key is not set");
  }
  const std::string like = job.argument("like");
  if (image.empty() && like.empty() && sets_image) {
    image = text->value(job.target.image_key).value_or("");
  }
  ImageIdentity identity;
  if (!like.empty()) {
    auto same = image_of(job, like, *text);
    if (!same) return job.failed(same.error().detail);
    identity = std::move(*same);
    if (sets_image) values[job.target.image_key] = identity.digest;
    job.result["digest"] = identity.digest;
  } else if (!image.empty()) {
    auto resolved = job.docker.resolve(image);
    if (!resolved) return job.failed(resolved.error().detail);
    identity = std::move(*resolved);
    values[job.target.image_key] = is_digest(image) ? image : identity.digest;
    job.result["digest"] = values[job.target.image_key];
  }

  auto before = job.docker.find_container();
  if (!before) return job.failed(before.error().detail);
  std::string status_before;
  if (!before->empty()) {
    auto state = job.docker.inspect(*before);
    if (!state) return job.failed(state.error().detail);
    status_before = state->status;
  }
  auto change = job.env.change(values, /*keep=*/true);
  if (!change) return job.failed(change.error().detail);

  base::Result<> done;
  if (auto up = job.docker.run(config_.commands.up); !up) done = tl::unexpected(up.error());
  if (done) done = wait_until_healthy(job, identity.id);
  if (done && *wanted && !config_.commands.count.empty()) done = wait_for_workers(job, **wanted);
  if (!done) {
    const std::string undone = undo(job, *change, status_before);
    return job.failed(done.error().detail + "; " + undone);
  }
  job.env.let_go();
  if (*wanted) job.result["env_workers"] = std::to_string(**wanted);
  return job.done();
}

// What the other color runs at this moment, not what is written somewhere.
base::Result<ImageIdentity> Performer::image_of(Job& job, const std::string& color,
                                                const EnvText& env) {
  const auto other = config_.colors.find(color);
  if (other == config_.colors.end()) return fault("the agent's config has no color " + color);
  Task task;
  task.color = color;
  Docker docker(config_, commands_, names_of(task), job.docker.left());
  auto container = docker.find_container();
  if (!container) return tl::unexpected(container.error());
  if (container->empty()) return fault(color + " has no container whose image could be taken");
  auto state = docker.inspect(*container);
  if (!state) return tl::unexpected(state.error());
  return docker.resolve(state->image, env.value(other->second.image_key).value_or(""));
}

base::Result<> Performer::wait_until_healthy(Job& job, const std::string& image_id) {
  const base::Instant until = commands_.now() + config_.health_deadline;
  base::Instant running_since = commands_.now();
  std::string last = "it was not looked at";
  while (!job.docker.is_late()) {
    auto container = job.docker.find_container();
    if (!container) return tl::unexpected(container.error());
    if (container->empty()) return fault("not healthy: there is no container");
    auto state = job.docker.inspect(*container);
    if (!state) return tl::unexpected(state.error());
    job.result["container"] = *container;
    job.result["image"] = state->image;
    last = state->status + (state->health == "none" ? "" : ", " + state->health);
    if (!image_id.empty() && state->image != image_id) {
      return fault("it runs image " + state->image + ", wanted " + image_id);
    }
    if (state->status == "exited" || state->status == "dead") {
      return fault("not healthy: the container is " + state->status);
    }
    bool healthy = state->status == "running";
    if (!healthy) running_since = commands_.now();
    if (state->health == "none") {
      healthy = healthy && commands_.now() - running_since >= config_.settle;
    } else {
      healthy = healthy && state->health == "healthy";
    }
    if (healthy && !config_.commands.health.empty()) {
      auto code = job.docker.check(config_.commands.health, {{"container", *container}});
      healthy = code && *code == 0;
      if (!healthy) last += ", commands.health fails";
    }
    if (healthy) return {};
    if (commands_.now() >= until) break;
    job.docker.wait();
  }
  return fault("not healthy in time: the container is " + last);
}

// An image that does not know the variable starts, is healthy, and has another number.
base::Result<> Performer::wait_for_workers(Job& job, int wanted) {
  auto seen = count_until(job, job.result["container"], wanted, config_.count_deadline);
  if (!seen) return tl::unexpected(seen.error());
  job.result["workers"] = std::to_string(seen->workers.size());
  if (seen->workers.size() == static_cast<size_t>(wanted)) return {};
  return fault(observed_text(seen->workers.size(), wanted));
}

base::Result<ProcessList> Performer::count_until(Job& job, const std::string& container, int wanted,
                                                 base::Millis within) {
  const base::Instant until = commands_.now() + within;
  for (;;) {
    auto seen = job.docker.processes(container);
    if (!seen || seen->workers.size() == static_cast<size_t>(wanted)) return seen;
    if (commands_.now() >= until || job.docker.is_late()) return seen;
    job.docker.wait();
  }
}

// In words what became of it.
std::string Performer::undo(Job& job, const EnvFile::Change& change,
                            const std::string& status_before) {
  job.docker.begin_undo();
  std::string faults;
  const auto note = [&](const auto& result) {
    if (!result) faults += (faults.empty() ? "" : "; ") + result.error().detail;
  };
  note(job.env.put_back(change));
  const bool ran =
      status_before == "running" || status_before == "restarting" || status_before == "paused";
  if (!faults.empty()) {
    // With the new bytes in place compose would make the new container again.
  } else if (status_before.empty()) {
    note(job.docker.run(config_.commands.remove));
  } else if (ran) {
    note(job.docker.run(config_.commands.up));
  } else {
    note(job.docker.run(config_.commands.create));
    note(job.docker.run(config_.commands.stop));  // where nothing was new it still runs
  }
  for (const char* key : {"container", "image", "digest"}) job.result.erase(key);
  if (!faults.empty()) return "undoing it failed: " + faults;
  return "the env file and the container are as before";
}

}  // namespace agent
