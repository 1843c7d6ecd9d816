#include "shifter/control/probes.h"

#include <algorithm>
#include <chrono>

#include "proxy/base/check.h"

namespace control {
namespace {

using base::ErrorCode;
using routing::Port;

http::ClientRequest request_to(const ProbeTarget& target, const HealthConfig& config,
                               const std::string& path, base::Millis deadline) {
  http::ClientRequest request;
  request.to = target.address;
  request.tls = target.tls;
  request.host = config.host.empty() ? target.host : config.host;
  request.path = path;
  request.fields.emplace_back("User-Agent", "sidecar-probe");
  request.deadline = deadline;
  return request;
}

}  // namespace

ProbeOutcome outcome_of(const base::Result<http::ClientAnswer>& answer, bool is_page) {
  if (answer) {
    const bool good = is_page ? answer->status < 500 : answer->status == 200;
    return good ? ProbeOutcome::pass : ProbeOutcome::bad_status;
  }
  switch (answer.error().code) {
    case ErrorCode::connect_timeout:
    case ErrorCode::backend_timeout:
      return ProbeOutcome::time_out;
    case ErrorCode::connect_refused:
      return ProbeOutcome::refused;
    case ErrorCode::backend_reset:
      return ProbeOutcome::reset;
    case ErrorCode::certificate_refused:
      return ProbeOutcome::certificate;
    default:
      return ProbeOutcome::failed;
  }
}

// One address and its timer.
class AddressProbes::Task {
 public:
  Task(AddressProbes& owner, ProbeTarget target)
      : owner_(owner),
        target_(std::move(target)),
        timer_(owner.loop_.timers(), this, base::fires<&Task::begin>) {
    timer_.start(base::Millis{0});
  }
  const ProbeTarget& target() const { return target_; }

 private:
  void begin() {
    const HealthConfig& config = owner_.config_;
    began_ = owner_.loop_.now();
    const std::string& path = target_.port == Port::http ? config.http_path : config.websocket_path;
    client_ = std::make_unique<http::Client>(
        owner_.loop_, request_to(target_, config, path, config.timeout),
        [this](base::Result<http::ClientAnswer> answer) { end(answer); });
  }

  void end(const base::Result<http::ClientAnswer>& answer) {
    const auto took = std::chrono::duration_cast<base::Millis>(owner_.loop_.now() - began_);
    timer_.start(std::max(base::Millis{0}, owner_.config_.interval - took));
    tell_refused(answer);
    owner_.seen_(target_.id, outcome_of(answer, false));  // may destroy this task
  }

  // Each reason once, until it is another one.
  void tell_refused(const base::Result<http::ClientAnswer>& answer) {
    const bool is_refused = !answer && answer.error().code == ErrorCode::certificate_refused;
    const std::string why = is_refused ? answer.error().detail : std::string();
    if (why == std::exchange(refused_why_, why) || !is_refused || !owner_.refused_) return;
    owner_.refused_(target_, why);
  }

  AddressProbes& owner_;
  ProbeTarget target_;
  base::Timer timer_;
  base::Instant began_{};
  std::unique_ptr<http::Client> client_;
  std::string refused_why_;  // its certificate, in the last probe
};

AddressProbes::AddressProbes(base::Loop& loop, const HealthConfig& config, Seen seen)
    : loop_(loop), config_(config), seen_(std::move(seen)) {}

AddressProbes::~AddressProbes() = default;

void AddressProbes::set_targets(const std::vector<ProbeTarget>& targets) {
  std::vector<std::unique_ptr<Task>> tasks;
  for (const ProbeTarget& target : targets) {
    auto at = std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& task) {
      return task && task->target().id == target.id && task->target().address == target.address &&
             task->target().host == target.host && task->target().tls == target.tls;
    });
    tasks.push_back(at == tasks_.end() ? std::make_unique<Task>(*this, target) : std::move(*at));
  }
  tasks_ = std::move(tasks);
}

PageProbes::PageProbes(base::Loop& loop, std::function<void(Round)> seen)
    : loop_(loop), seen_(std::move(seen)) {}

PageProbes::~PageProbes() = default;

void PageProbes::ask(const std::vector<std::optional<ProbeTarget>>& targets,
                     const HealthConfig& config) {
  CHECK(!is_running());
  clients_.clear();
  round_.assign(targets.size(), std::nullopt);
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i]) continue;
    ++running_;
    clients_.push_back(std::make_unique<http::Client>(
        loop_, request_to(*targets[i], config, config.page_path, config.page_timeout),
        [this, i](base::Result<http::ClientAnswer> answer) { take(i, outcome_of(answer, true)); }));
  }
}

void PageProbes::take(size_t color, ProbeOutcome outcome) {
  round_[color] = outcome;
  if (--running_ == 0) seen_(round_);
}

}  // namespace control
