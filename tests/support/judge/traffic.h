// Invented users of two colors, one seed a run. Sessions arrive as a Poisson process; a session has
// a geometric number of requests (mean 20), 30 s apart on average (exponential), so it lasts ten
// minutes on average. At the start the process is in its steady state, with sessions that are
// already on. Sessions differ: half of them meet a fault half as often as the average, one in eight
// three times as often; the worst request rates (0.3 and above) are the same for all.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "proxy/routing/session_counts.h"

namespace judge_trials {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint64_t next();
  double uniform();                 // in (0, 1)
  double exponential(double mean);  // of that mean

 private:
  uint64_t state_;
};

// Chances of a request; in the order of routing::Fault.
using Rates = std::array<double, routing::kFaults>;

struct Truth {
  Rates stable{};
  Rates canary{};
  double requests_s = 5;  // of both colors together
  // A session that met an error asks again every two seconds, so often on average, and fails.
  double retries = 0;
};

inline constexpr double kRequestsOfSession = 20;
inline constexpr double kGap_s = 30;

struct Request {
  double at_s = 0;
  uint32_t session = 0;  // a serial number
  bool is_canary = false;
  bool is_counted = false;  // its session is in the sample of this step
  routing::Group group = routing::Group::drawn;
  std::array<bool, routing::kFaults> faults{};
};

class Traffic {
 public:
  Traffic(const Truth& truth, uint64_t seed);

  // From now on new users, and holders at their next request, get the canary with this share.
  void set_share(double share);
  // Requests in the order of time, without end.
  Request next();
  double next_at_s() const { return waiting_.top().at_s; }

 private:
  struct Session {
    uint32_t serial = 0;
    float draw = 0;                               // below the share: canary
    std::array<float, routing::kFaults> often{};  // times the average
    bool is_canary = false;
    bool is_holder = false;  // was here when the rollout began
    bool has_begun = false;  // its first request, without a cookie, is over
    bool in_loop = false;
    uint16_t drawn_in = 0;  // the step in which it was drawn, or drawn again
  };
  struct Waiting {
    double at_s = 0;
    uint32_t session = 0;
    bool operator<(const Waiting& other) const { return at_s > other.at_s; }
  };

  uint32_t new_session(bool is_holder);
  void plan(uint32_t session, double at_s);
  double often();

  Truth truth_;
  Random random_;
  double share_ = 0;
  uint16_t step_ = 0;
  std::vector<Session> sessions_;
  std::vector<uint32_t> free_;
  uint32_t serials_ = 0;
  std::priority_queue<Waiting> waiting_;
  static constexpr uint32_t kArrival = UINT32_MAX;
};

}  // namespace judge_trials
