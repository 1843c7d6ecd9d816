// The sequential test: two streams of events, and how much the canary's stream speaks against "both
// colors are the same". An e-value: under "no difference" the chance that it ever reaches x, at
// any time, is at most 1/x. So it may be looked at as often as one likes (M. Lindon and A. Malek,
// "Anytime-valid inference for multinomial count data", NeurIPS 2022).
//
// An event is a session that shows a fault for the first time in a step. If the colors are equal,
// it is the canary's with the canary's share of those sessions that were still without the fault.
// Under odds ratio r that chance is r*s / (r*s + 1 - s). The e-value is the mean, over a fixed set
// of r, of the product of (chance under r) / (chance under no difference). Pure.
#pragma once

#include <array>
#include <cstdint>

namespace control {

// Events since the last look, and the sessions that could have made them: exposed, and without
// the fault before these events.
struct FaultEvents {
  double canary_at_risk = 0;
  double stable_at_risk = 0;
  uint64_t canary = 0;
  uint64_t stable = 0;
};

class Evidence {
 public:
  static constexpr std::array<double, 6> kOdds = {1.5, 2, 3, 5, 10, 30};

  // Nothing is learnt where one of the colors has no sessions.
  void add(const FaultEvents& events);

  double e_value() const;
  double e_of_largest() const;  // against the odds ratio 30 alone: the clearly broken

  // For the state file. Values that are no number, or beyond e^±700, are taken as no evidence.
  const std::array<double, kOdds.size()>& logs() const { return logs_; }
  void restore(const std::array<double, kOdds.size()>& logs);

 private:
  std::array<double, kOdds.size()> logs_{};  // ln of each product
};

}  // namespace control
