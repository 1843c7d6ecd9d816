#include "shifter/control/live_judge.h"

#include <algorithm>
#include <utility>

#include "proxy/base/files.h"

namespace control {
namespace {

constexpr base::Millis kAskEvery{1'000};
constexpr int kFileMode = 0640;
constexpr int64_t kDay_s = 86'400;
// Of a canary, on each worker of ours: fifty for each of some Odoo processes.
constexpr int kWarmUpRequests = 100;
// Steps of rollouts are numbered by their epoch; days, by the second they begin, are far above.
constexpr uint64_t kDaySteps = uint64_t{1} << 40;

}  // namespace

LiveJudge::LiveJudge(const base::Clock& clock, routing::DataPlane& plane, std::string file,
                     Tell tell)
    : clock_(clock),
      plane_(plane),
      file_(std::move(file)),
      tell_(std::move(tell)),
      judge_(record_),
      self_(std::make_shared<LiveJudge*>(this)) {}

int64_t LiveJudge::wall_s() const {
  return std::chrono::duration_cast<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
}

void LiveJudge::start() {
  if (auto text = base::read_file(file_, kRecordBytesMax)) record_.read(*text);
}

void LiveJudge::take_step(std::optional<routing::JudgeStep> step) {
  if (step_ == step) return;
  step_ = std::move(step);
  since_s_ = recorded_s_ = wall_s();
  counts_ = {};
  if (tell_) tell_(step_);
}

void LiveJudge::start_step(const StepFacts& step) {
  judge_.start_step(step);
  if (!in_rollout_ || step.number <= 1) warm_up_left_ = kWarmUpRequests;
  in_rollout_ = true;
  routing::JudgeStep counted;
  counted.id = step.epoch;
  counted.canary = step.canary;
  counted.stable = step.stable;
  counted.everyone = step.bake;
  counted.warm_up_requests = step.bake ? 0 : warm_up_left_;
  take_step(counted);
}

void LiveJudge::stop() {
  judge_.stop();
  in_rollout_ = false;
  take_step(std::nullopt);  // the next tick watches the day again
}

// A day of the live color, from midnight (UTC) on or from now.
void LiveJudge::watch_day(routing::ColorIndex live) {
  if (in_rollout_) return;
  if (live == routing::kNoColor) return take_step(std::nullopt);
  const int64_t day = wall_s() / kDay_s;
  if (step_ && step_->stable == live && day_ == day) return;
  day_ = day;
  routing::JudgeStep counted;
  counted.id = kDaySteps + static_cast<uint64_t>(std::max<int64_t>(wall_s(), 0));
  counted.stable = live;
  counted.everyone = true;
  take_step(counted);
}

void LiveJudge::tick(routing::ColorIndex live) {
  watch_day(live);
  if (!step_ || is_asked_ || clock_.now() - asked_ < kAskEvery) return;
  asked_ = clock_.now();
  is_asked_ = true;
  plane_.session_counts(step_->id, [self = std::weak_ptr(self_)](const auto& counts) {
    if (const auto alive = self.lock()) (*alive)->on_counts(counts);
  });
}

void LiveJudge::on_counts(const routing::SessionCounts& counts) {
  is_asked_ = false;
  if (!step_ || counts.step != step_->id) return;
  if (in_rollout_) judge_.observe(counts);
  const auto dropped = [](const routing::SessionCounts& of) {
    return of.canary.dropped + of.stable.dropped;
  };
  dropped_ += std::max<int64_t>(0, dropped(counts) - dropped(counts_));
  counts_ = counts;
  const int64_t now_s = wall_s();
  if (now_s < recorded_s_ + kRecordEvery_s) {
    if (now_s < recorded_s_) recorded_s_ = now_s;  // the clock was set back
    return;
  }
  record(now_s);
  (void)save_record();  // the record is a help, not a promise: the next one tries again
}

void LiveJudge::record(int64_t now_s) {
  recorded_s_ = now_s;
  const routing::ColorCounts& stable = counts_.stable;
  TrafficEntry entry;
  entry.wall_s = now_s;
  entry.segment = step_->id;
  entry.since_s = std::min(since_s_, now_s);
  entry.color = step_->stable;
  if (entry.color == routing::kNoColor) return;
  entry.sessions = static_cast<uint64_t>(stable.exposed() + 0.5);
  for (size_t i = 0; i < entry.faulty.size(); ++i) {
    entry.faulty[i] = stable.faulty(static_cast<routing::Fault>(i));
  }
  entry.requests = stable.requests;
  entry.errors = stable.errors;
  record_.add(entry);
}

bool LiveJudge::shut_down() {
  if (step_ && counts_.step == step_->id && wall_s() > recorded_s_) record(wall_s());
  return save_record();
}

bool LiveJudge::save_record() {
  return base::write_file_durably(file_, record_.text(), kFileMode, false).has_value();
}

}  // namespace control
