#include "tests/support/judge/traffic.h"

#include <algorithm>
#include <cmath>

namespace judge_trials {
namespace {

constexpr double kAlike = 0.3;  // from this rate on sessions do not differ
constexpr double kRetryGap_s = 2;

}  // namespace

// SplitMix64.
uint64_t Random::next() {
  state_ += 0x9E3779B97F4A7C15u;
  uint64_t value = state_;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

double Random::uniform() { return (static_cast<double>(next() >> 11) + 0.5) * 0x1.0p-53; }
double Random::exponential(double mean) { return -mean * std::log(uniform()); }

Traffic::Traffic(const Truth& truth, uint64_t seed) : truth_(truth), random_(seed) {
  // In the steady state rate times lifetime sessions are on, and what is left of each looks like a
  // whole one: neither the geometric nor the exponential distribution remembers.
  const double on = truth.requests_s * kGap_s;
  double sum = random_.exponential(1);
  while (sum < on) {
    plan(new_session(true), random_.exponential(kGap_s));
    sum += random_.exponential(1);
  }
  plan(kArrival, random_.exponential(kRequestsOfSession / truth.requests_s));
}

void Traffic::set_share(double share) {
  share_ = share;
  ++step_;
}

double Traffic::often() {
  const double u = random_.uniform();
  return u < 0.5 ? 0.5 : u < 0.875 ? 1 : 3;
}

uint32_t Traffic::new_session(bool is_holder) {
  Session session;
  session.serial = serials_++;
  session.draw = static_cast<float>(random_.uniform());
  for (float& each : session.often) each = static_cast<float>(often());
  session.is_holder = is_holder;
  session.has_begun = is_holder;
  if (free_.empty()) {
    sessions_.push_back(session);
    return static_cast<uint32_t>(sessions_.size() - 1);
  }
  const uint32_t index = free_.back();
  free_.pop_back();
  sessions_[index] = session;
  return index;
}

void Traffic::plan(uint32_t session, double at_s) { waiting_.push({at_s, session}); }

Request Traffic::next() {
  const Waiting now = waiting_.top();
  waiting_.pop();
  uint32_t index = now.session;
  if (index == kArrival) {
    index = new_session(false);
    plan(kArrival, now.at_s + random_.exponential(kRequestsOfSession / truth_.requests_s));
  }
  Session& session = sessions_[index];
  const bool is_first = !session.has_begun;
  if (is_first || (session.is_holder && !session.is_canary)) {
    session.is_canary = session.draw < share_;
    session.drawn_in = step_;
  }
  Request request;
  request.at_s = now.at_s;
  request.session = session.serial;
  request.is_canary = session.is_canary;
  request.group = session.is_holder ? routing::Group::redrawn : routing::Group::drawn;
  request.is_counted = !is_first && session.drawn_in == step_;
  const Rates& rates = session.is_canary ? truth_.canary : truth_.stable;
  for (size_t fault = 0; fault < rates.size(); ++fault) {
    const double often = rates[fault] >= kAlike ? 1 : session.often[fault];
    request.faults[fault] = random_.uniform() < rates[fault] * often;
  }
  session.has_begun = true;
  bool& failed = request.faults[static_cast<size_t>(routing::Fault::error)];
  if (session.in_loop) failed = true;
  session.in_loop =
      failed && truth_.retries > 0 && random_.uniform() < truth_.retries / (1 + truth_.retries);
  if (session.in_loop) {
    plan(index, now.at_s + kRetryGap_s);
  } else if (random_.uniform() < 1 / kRequestsOfSession) {
    free_.push_back(index);
  } else {
    plan(index, now.at_s + random_.exponential(kGap_s));
  }
  return request;
}

}  // namespace judge_trials
