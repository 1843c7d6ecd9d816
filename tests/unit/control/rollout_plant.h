// A control loop with rollouts on a fake clock and a fake data plane: the judge says what the test
// wants, notices are kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shifter/control/rollout_control.h"
#include "tests/unit/control/plant.h"

namespace control {

class ScriptedJudge final : public JudgeView {
 public:
  void start_step(const StepFacts& step) override { steps.push_back(step); }
  Verdict look(const StepFacts& step) override {
    ++looks;
    last = step;
    return verdict;
  }
  std::string inputs(const StepFacts&) const override { return made_of; }
  void stop() override { ++stops; }
  std::string save() const override { return kept; }
  void restore(const std::string& saved) override { restored = saved; }
  Power power(routing::ColorIndex, const std::vector<int>&) const override { return found; }
  std::string stable_fault(routing::ColorIndex, base::Instant) const override { return fault; }

  void say(Verdict::Kind kind, Reason reason = Reason::none, std::string text = "as scripted") {
    verdict.kind = kind;
    verdict.reason = reason;
    verdict.text = std::move(text);
  }

  Verdict verdict;
  std::vector<StepFacts> steps;
  StepFacts last;
  int looks = 0;
  int stops = 0;
  std::string made_of;
  std::string kept = "{\"e\":[1,2,3]}";
  std::string restored;
  Power found;
  std::string fault;
};

class KeptNotices final : public Notifier {
 public:
  void notify(const Notice& notice) override { list.push_back(notice); }
  int64_t failures() const override { return 0; }
  int count(const std::string& kind) const {
    int count = 0;
    for (const Notice& one : list) count += one.kind == kind ? 1 : 0;
    return count;
  }
  std::vector<Notice> list;
};

inline const Actor kAna{1000, "ana", "vm1"};
inline const Actor kBruno{1001, "bruno", "vm1"};

struct RolloutPlant {
  Plant plant{two_colors(100, 0)};
  ScriptedJudge judge;
  KeptNotices notices;
  std::unique_ptr<RolloutControl> rollouts;

  explicit RolloutPlant(bool is_up = true) {
    attach();
    if (is_up) plant.bring_up();
    tick();
  }
  void attach() {
    rollouts = std::make_unique<RolloutControl>(plant.clock, *plant.loop, plant.plane, judge,
                                                plant.events, notices);
    rollouts->start();
  }
  // The process ends without a word and starts again after a while.
  void restart(base::Millis down = base::Millis{0},
               const routing::RoutingConfig& routing = two_colors(100, 0)) {
    plant.clock.advance(down);
    plant.plane = support::FakeDataPlane();
    ControlConfig config = plant.loop->config();
    rollouts.reset();
    plant.loop = std::make_unique<ControlLoop>(plant.clock, plant.plane, plant.events, config,
                                               routing, std::vector<base::Key>(1));
    ASSERT_TRUE(plant.loop->start().has_value());
    plant.plane.apply();
    attach();
  }
  void tick(base::Millis time = base::Millis{100}) {
    plant.tick(time);
    rollouts->tick();
    plant.plane.apply();
  }
  void run(base::Millis time, base::Millis each = base::Millis{1'000}) {
    for (base::Millis gone{0}; gone < time; gone += each) tick(each);
  }
  // At most an hour; false: it never got there.
  bool run_until(RolloutState state, base::Millis most = base::Millis{3'600'000}) {
    for (base::Millis gone{0}; gone < most; gone += base::Millis{1'000}) {
      if (now().state == state) return true;
      tick(base::Millis{1'000});
    }
    return now().state == state;
  }
  void configure(const std::function<void(RolloutConfig&)>& change) {
    ControlConfig config = plant.loop->config();
    change(config.rollout);
    plant.loop->take_config(config, plant.loop->routing());
  }

  BeginAsk ask(Purpose purpose, std::string color = "green") const {
    BeginAsk ask;
    ask.purpose = purpose;
    ask.color = std::move(color);
    ask.who = kAna;
    return ask;
  }
  Answer<RolloutControl::Told> canary(std::string color = "green") {
    return rollouts->begin(ask(Purpose::canary, std::move(color)));
  }
  Answer<RolloutControl::Told> switch_over(std::string color = "green") {
    return rollouts->begin(ask(Purpose::switch_over, std::move(color)));
  }
  Answer<RolloutControl::Told> abort() { return rollouts->turn_back({}); }
  Answer<RolloutControl::Told> roll_back() {
    TurnBackAsk back;
    back.end = EndKind::rolled_back;
    return rollouts->turn_back(back);
  }
  // Users come in until the canary has this share.
  bool run_to_share(int share) {
    judge.say(Verdict::Kind::good);
    for (int i = 0; i < 7'200 && weight(1) < share; ++i) tick(base::Millis{1'000});
    judge.say(Verdict::Kind::not_enough, Reason::no_evidence);
    return weight(1) == share;
  }
  // A whole release onto a color, with nobody in flight.
  bool release(const std::string& color) {
    judge.say(Verdict::Kind::good);
    return canary(color).has_value() && run_until(RolloutState::idle, base::Millis{10'800'000}) &&
           past().end == EndKind::done;
  }
  void agent_comes() {
    AgentHello hello;
    hello.journal = "j1";
    auto session = actions().hello(hello, {});
    ASSERT_TRUE(session.has_value());
    agent_session = *session;
  }
  // The agent does the next action with this end; its kind.
  std::string agent_does(ActionState end, std::map<std::string, std::string> result = {}) {
    (void)actions().heard(agent_session);
    const Action* taken = actions().take();
    if (taken == nullptr) return "";
    const uint64_t id = taken->id;
    const std::string hook = taken->hook;
    if (end == ActionState::taken) return hook;
    ActionReport report;
    report.id = id;
    report.state = end;
    report.result = std::move(result);
    report.message = "as the agent says";
    (void)actions().report(report);
    return hook;
  }

  Actions& actions() { return plant.loop->actions(); }
  const Rollout& now() const { return rollouts->current(); }
  const PastRollout& past() const { return rollouts->saved().past.back(); }
  std::string state() const { return text_of(now()); }
  std::string end() const {
    const PastRollout& one = past();
    std::string text(text_of(one.end));
    if (one.end_reason != EndReason::none) text += "(" + std::string(text_of(one.end_reason)) + ")";
    return text;
  }
  int weight(size_t color) const { return plant.plane.last().colors[color].weight; }
  ColorState color_state(size_t color) const { return plant.plane.last().colors[color].state; }
  int most_weight(size_t color, size_t from_table = 0) const {
    int most = 0;
    for (size_t i = from_table; i < plant.plane.tables.size(); ++i) {
      most = std::max(most, plant.plane.tables[i]->colors[color].weight);
    }
    return most;
  }
  uint64_t agent_session = 0;
};

}  // namespace control
