// What would a canary with other steps have met on the recorded day? Replays the recorded traffic
// from its beginning: when each step would have had its sessions, how often equal colors would have
// been rolled back, and how often a canary whose sessions show their faults more often. Pure;
// seeded.
#pragma once

#include <array>
#include <random>
#include <string>
#include <vector>

#include "shifter/control/traffic_record.h"
#include "shifter/control/verdict.h"

namespace control {

struct ReplayedStep {
  int share = 0;
  double hours = 0;  // until its floors were met; of all that was left, if they were not
  bool is_reached = false;
  double sessions = 0;  // of the canary
};

struct Replay {
  std::vector<ReplayedStep> steps;
  double recorded_hours = 0;
  int runs = 0;
  int false_rollbacks = 0;  // of those runs, with colors that are equal
  double worse = 1;         // times as often, at most always
  int found = 0;            // of as many runs with such a canary: rolled back before 100
};

class Replayer {
 public:
  // Needs: shares in percent, rising. Shares of 100 are left out: nothing is compared there.
  Replayer(const TrafficRecord& record, routing::ColorIndex color, const std::vector<int>& shares,
           double worse, uint64_t seed);

  void run(int runs);  // so many more, of both kinds
  const Replay& result() const { return replay_; }

 private:
  // What came within one stretch of the record.
  struct Stretch {
    double hours = 0;
    double sessions = 0;  // new ones
    std::array<double, kSignals> faulty_ratio{};
  };

  static std::vector<Stretch> stretches_of(const TrafficRecord& record, routing::ColorIndex color);
  std::vector<ReplayedStep> walk(double a_day, const std::vector<int>& shares) const;
  bool is_rolled_back(double worse);

  std::vector<Stretch> day_;
  std::mt19937_64 random_;
  Replay replay_;
};

std::string text_of(const Replay& replay);

}  // namespace control
