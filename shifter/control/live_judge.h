// The judge at work: tells the workers what to count, asks them once a second, hands the judge what
// they say, and keeps the record of the last day. Outside rollouts the live color is counted whole.
// Main thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/base/clock.h"
#include "proxy/routing/data_plane.h"
#include "shifter/control/judge.h"
#include "shifter/control/traffic_record.h"

namespace control {

class LiveJudge final : public JudgeView {
 public:
  using Tell = std::function<void(const std::optional<routing::JudgeStep>&)>;
  // `file`: of the record. `tell` is called when another step is to be counted; it publishes.
  LiveJudge(const base::Clock& clock, routing::DataPlane& plane, std::string file, Tell tell);

  // Reads the record; a file that is missing or broken is an empty one.
  void start();
  // `live`: the color with the users; kNoColor: none, or it is not clear.
  void tick(routing::ColorIndex live);
  // Keeps what was counted since the last entry too. False: it could not be written.
  bool shut_down();

  // Faulty sessions that did not fit into a worker's sets, of all steps.
  int64_t dropped() const { return dropped_; }

  const Judge& judge() const { return judge_; }
  const TrafficRecord& record() const { return record_; }
  const std::optional<routing::JudgeStep>& step() const { return step_; }

  // JudgeView
  void start_step(const StepFacts& step) override;
  Verdict look(const StepFacts& step) override { return judge_.look(step); }
  std::string inputs(const StepFacts& step) const override { return judge_.inputs(step); }
  void stop() override;
  std::string save() const override { return judge_.save(); }
  void restore(const std::string& saved) override { judge_.restore(saved); }
  Power power(routing::ColorIndex stable, const std::vector<int>& shares) const override {
    return judge_.power(stable, shares);
  }
  std::string stable_fault(routing::ColorIndex stable, base::Instant now) const override {
    return judge_.stable_fault(stable, now);
  }

 private:
  void take_step(std::optional<routing::JudgeStep> step);
  void watch_day(routing::ColorIndex live);
  void on_counts(const routing::SessionCounts& counts);
  void record(int64_t now_s);
  bool save_record();
  int64_t wall_s() const;

  const base::Clock& clock_;
  routing::DataPlane& plane_;
  const std::string file_;
  Tell tell_;
  TrafficRecord record_;
  Judge judge_;
  std::optional<routing::JudgeStep> step_;
  bool in_rollout_ = false;
  int warm_up_left_ = 0;  // of this rollout, for each worker
  int64_t since_s_ = 0;   // of the segment
  int64_t recorded_s_ = 0;
  int64_t day_ = 0;                // that is being watched
  routing::SessionCounts counts_;  // of step_, as the workers said last
  int64_t dropped_ = 0;
  base::Instant asked_{};
  bool is_asked_ = false;
  // An answer that comes after this object finds nobody.
  std::shared_ptr<LiveJudge*> self_;
};

}  // namespace control
