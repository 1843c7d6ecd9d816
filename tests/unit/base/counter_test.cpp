#include "proxy/base/counter.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Counter, AddsAndSets) {
  Counter counter;
  EXPECT_EQ(counter.read(), 0);
  counter.add();
  counter.add(4);
  counter.add(-2);
  EXPECT_EQ(counter.read(), 3);
  counter.set(10);
  EXPECT_EQ(counter.read(), 10);
}

TEST(Histogram, PutsAValueIntoTheFirstBucketWhoseEdgeIsNotBelowIt) {
  for (size_t bucket = 0; bucket < kLatencyEdgesUs.size(); ++bucket) {
    Histogram histogram;
    histogram.observe(kLatencyEdgesUs[bucket]);
    histogram.observe(kLatencyEdgesUs[bucket] + 1);
    EXPECT_EQ(histogram.count(bucket), 1);
    EXPECT_EQ(histogram.count(bucket + 1), 1);
    EXPECT_EQ(histogram.sum_us(), 2 * kLatencyEdgesUs[bucket] + 1);
  }
}

}  // namespace
}  // namespace base
