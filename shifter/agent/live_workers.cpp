// The number of workers of a running Odoo, changed by signals. Signals that arrive together merge,
// so each is sent after the one before has shown. TTOU lowers the target only; a worker leaves when
// it is asked to, after its request.
#include "shifter/agent/job.h"
#include "shifter/agent/performer.h"

namespace agent {

Outcome Performer::signal_workers(Job& job) {
  auto asked = wanted_workers(job.task);
  if (!asked) return job.failed(asked.error().detail);
  if (!*asked) return job.failed("workers= is needed");
  const int wanted = **asked;
  auto container = job.docker.find_container();
  if (!container) return job.failed(container.error().detail);
  if (container->empty()) return job.failed("there is no container");
  auto seen = job.docker.processes(*container);
  if (!seen) return job.failed(seen.error().detail);
  // First the file: should the machine stop now, the next start has what was wanted.
  auto change = job.env.change({{job.target.workers_key, std::to_string(wanted)}});
  if (!change) return job.failed(change.error().detail);

  base::Result<> done;
  while (done && static_cast<int>(seen->workers.size()) != wanted) {
    const bool up = static_cast<int>(seen->workers.size()) < wanted;
    done = up ? one_more(job, *container, *seen) : one_less(job, *container, *seen);
  }
  const size_t observed = seen->workers.size();
  job.result["workers"] = std::to_string(observed);
  job.result["env_workers"] = std::to_string(wanted);
  if (done) return job.done();
  // The file says what runs, so that the next start changes nothing by itself.
  std::string message = observed_text(observed, wanted) + ": " + done.error().detail;
  auto now = job.env.change({{job.target.workers_key, std::to_string(observed)}});
  if (now) job.result["env_workers"] = std::to_string(observed);
  if (!now) message += "; " + now.error().detail;
  return job.failed(std::move(message));
}

base::Result<> Performer::one_more(Job& job, const std::string& container, ProcessList& seen) {
  const size_t before = seen.workers.size();
  auto sent = job.docker.run(
      config_.commands.signal_master,
      {{"container", container}, {"signal", "TTIN"}, {"pid", std::to_string(seen.master)}},
      config_.look_deadline);
  if (!sent) return tl::unexpected(sent.error());
  auto now = count_until(job, container, static_cast<int>(before) + 1, config_.count_deadline);
  if (!now) return tl::unexpected(now.error());
  seen = std::move(*now);
  if (seen.workers.size() > before) return {};
  return fault("the number does not rise");
}

base::Result<> Performer::one_less(Job& job, const std::string& container, ProcessList& seen) {
  const size_t before = seen.workers.size();
  auto sent = job.docker.run(
      config_.commands.signal_master,
      {{"container", container}, {"signal", "TTOU"}, {"pid", std::to_string(seen.master)}},
      config_.look_deadline);
  if (!sent) return tl::unexpected(sent.error());
  job.docker.wait();  // the master reads it before a worker leaves, else it would be replaced
  auto now = job.docker.processes(container);
  if (!now) return tl::unexpected(now.error());
  auto idle = idle_worker(seen, *now);
  if (!idle) return fault("there is no worker to ask");
  auto left = job.docker.run(config_.commands.signal_worker, {{"pid", std::to_string(*idle)}},
                             config_.look_deadline);
  if (!left) return tl::unexpected(left.error());
  now = count_until(job, container, static_cast<int>(before) - 1, config_.count_deadline);
  if (!now) return tl::unexpected(now.error());
  seen = std::move(*now);
  if (seen.workers.size() < before) return {};
  return fault("the number does not fall");
}

}  // namespace agent
