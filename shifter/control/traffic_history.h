// What a color's users did lately, as the judge asks for it: how much evidence a canary may hope
// for, and what is usual.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/routing/session_counts.h"

namespace control {

struct Traffic {
  double hours = 0;     // how much of the asked time is known
  double sessions = 0;  // distinct
  // Of 1: sessions that showed the fault. In the order of Signal.
  std::array<double, routing::kFaults> faulty_ratio{};
  int64_t requests = 0;
  int64_t errors = 0;
};

class TrafficHistory {
 public:
  virtual ~TrafficHistory() = default;
  // Of the last 24 hours, and of the last one; as of the last record.
  virtual Traffic last_day(routing::ColorIndex color) const = 0;
  virtual Traffic last_hour(routing::ColorIndex color) const = 0;
};

inline constexpr double kWholeDayHours = 20;  // so much is taken for a day

// Sessions of a day; of a shorter record, as many as a day like it would have.
inline double sessions_a_day(const Traffic& traffic) {
  if (traffic.hours <= 0) return 0;
  return traffic.hours >= kWholeDayHours ? traffic.sessions : traffic.sessions * 24 / traffic.hours;
}

}  // namespace control
