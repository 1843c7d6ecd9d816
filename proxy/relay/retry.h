// May a failed attempt be sent again, and is there budget left? Pure.
#pragma once

#include <array>
#include <cstdint>

#include "proxy/base/clock.h"
#include "proxy/base/error.h"
#include "proxy/http/message.h"

namespace relay {

struct Attempt {
  base::ErrorCode error = base::ErrorCode::internal;
  bool bytes_written = false;  // anything of the request reached the backend's socket
  bool answer_begun = false;   // any byte of an answer was seen
  int retries_before = 0;
  http::Method method = http::Method::get;
  bool body_kept = true;            // the whole body can be sent once more
  bool allow_safe_methods = false;  // config: GET and HEAD after a close without an answer byte
};

// Once, and only if no byte was written; with allow_safe_methods also a GET or HEAD whose
// connection was closed without a byte of answer. Anything else might run twice.
bool may_retry(const Attempt& attempt);

// At most 10 % of the requests of the last 10 s, at least 10. One per worker.
class RetryBudget {
 public:
  void count_request(base::Instant now);
  bool take(base::Instant now);

 private:
  struct Second {
    int64_t second = -1;
    uint32_t requests = 0;
    uint32_t retries = 0;
  };
  Second& at(base::Instant now);
  std::array<Second, 10> seconds_;
};

}  // namespace relay
