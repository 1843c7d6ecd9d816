#include "proxy/relay/retry.h"

#include <algorithm>

namespace relay {

bool may_retry(const Attempt& attempt) {
  if (attempt.retries_before > 0 || attempt.answer_begun || !attempt.body_kept) return false;
  if (!base::facts_of(attempt.error).retry) return false;
  if (!attempt.bytes_written) return true;
  const bool safe = attempt.method == http::Method::get || attempt.method == http::Method::head;
  return attempt.allow_safe_methods && safe;
}

RetryBudget::Second& RetryBudget::at(base::Instant now) {
  const int64_t second =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  Second& cell = seconds_[static_cast<size_t>(second) % seconds_.size()];
  if (cell.second != second) cell = {second, 0, 0};
  return cell;
}

void RetryBudget::count_request(base::Instant now) { ++at(now).requests; }

bool RetryBudget::take(base::Instant now) {
  Second& current = at(now);
  uint32_t requests = 0;
  uint32_t retries = 0;
  for (const Second& second : seconds_) {
    if (second.second < current.second - 9) continue;
    requests += second.requests;
    retries += second.retries;
  }
  if (retries >= std::max<uint32_t>(10, requests / 10)) return false;
  ++current.retries;
  return true;
}

}  // namespace relay
