#include "proxy/relay/retry.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;
using http::Method;

constexpr base::Instant kBegin{1000s};

Attempt failed(ErrorCode error) {
  Attempt attempt;
  attempt.error = error;
  return attempt;
}

TEST(Retry, SendsAnyMethodAgainIfNoByteWasWritten) {
  for (const Method method : {Method::get, Method::post, Method::delete_}) {
    for (const ErrorCode error : {ErrorCode::connect_refused, ErrorCode::connect_failed,
                                  ErrorCode::connect_timeout, ErrorCode::certificate_refused}) {
      Attempt attempt = failed(error);
      attempt.method = method;
      EXPECT_TRUE(may_retry(attempt));
    }
  }
}

TEST(Retry, SendsNothingAgainOnceAByteWasWritten) {
  for (const Method method : {Method::get, Method::head, Method::post, Method::put}) {
    Attempt attempt = failed(ErrorCode::backend_reset);
    attempt.bytes_written = true;
    attempt.method = method;
    EXPECT_FALSE(may_retry(attempt));
  }
}

TEST(Retry, SendsNothingAThirdTime) {
  Attempt attempt = failed(ErrorCode::connect_refused);
  attempt.retries_before = 1;
  EXPECT_FALSE(may_retry(attempt));
}

TEST(Retry, IsForErrorsThatAnotherBackendMayNotHave) {
  for (const ErrorCode error :
       {ErrorCode::backend_timeout, ErrorCode::bad_backend_message, ErrorCode::client_gone,
        ErrorCode::spool_full, ErrorCode::shutting_down, ErrorCode::queue_timeout}) {
    EXPECT_FALSE(may_retry(failed(error))) << base::facts_of(error).label;
  }
}

TEST(Retry, SendsReadingsAgainAfterACloseWhereTheConfigSaysSo) {
  Attempt attempt = failed(ErrorCode::backend_reset);
  attempt.bytes_written = true;
  attempt.allow_safe_methods = true;
  EXPECT_TRUE(may_retry(attempt));
  attempt.method = Method::head;
  EXPECT_TRUE(may_retry(attempt));
  for (const Method method : {Method::post, Method::put, Method::patch, Method::options}) {
    attempt.method = method;
    EXPECT_FALSE(may_retry(attempt));
  }
}

TEST(Retry, SendsNoReadingAgainOnceItsAnswerBegan) {
  Attempt attempt = failed(ErrorCode::backend_reset);
  attempt.bytes_written = true;
  attempt.allow_safe_methods = true;
  attempt.answer_begun = true;
  EXPECT_FALSE(may_retry(attempt));
}

TEST(Retry, SendsNothingWhoseBodyIsGone) {
  Attempt attempt = failed(ErrorCode::backend_reset);
  attempt.bytes_written = true;
  attempt.allow_safe_methods = true;
  attempt.body_kept = false;
  EXPECT_FALSE(may_retry(attempt));
}

int taken(RetryBudget& budget, base::Instant now, int most = 1000) {
  int count = 0;
  while (count < most && budget.take(now)) ++count;
  return count;
}

TEST(RetryBudget, IsTenWithoutTraffic) {
  RetryBudget budget;
  EXPECT_EQ(taken(budget, kBegin), 10);
}

TEST(RetryBudget, IsATenthOfTheRequestsOfTheLastTenSeconds) {
  RetryBudget budget;
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 50; ++i) budget.count_request(kBegin + std::chrono::seconds(second));
  }
  EXPECT_EQ(taken(budget, kBegin + 9s), 50);
}

TEST(RetryBudget, ForgetsWhatIsTenSecondsOld) {
  RetryBudget budget;
  for (int i = 0; i < 1000; ++i) budget.count_request(kBegin);
  EXPECT_EQ(taken(budget, kBegin + 9s), 100);
  EXPECT_EQ(taken(budget, kBegin + 10s), 0) << "a hundred retries are not yet forgotten";
  EXPECT_EQ(taken(budget, kBegin + 19s), 10);
}

TEST(RetryBudget, OutlivesALongSilence) {
  RetryBudget budget;
  EXPECT_EQ(taken(budget, kBegin), 10);
  EXPECT_EQ(taken(budget, kBegin + 24h), 10);
}

TEST(RetryBudget, WorksInTheFirstSecondsOfTheClock) {
  RetryBudget budget;
  EXPECT_EQ(taken(budget, base::Instant{2s}), 10);
}

}  // namespace
}  // namespace relay
