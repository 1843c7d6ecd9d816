// Faults of the line for slots.
#include <gtest/gtest.h>

#include "proxy/relay/slot_pool.h"

namespace relay {
namespace {

// A waiter who was passed over for another stayed in the line when the other had gone, beside a
// slot that was free.
TEST(SlotLine, WhoWasPassedOverGoesWhenNobodyElseWaits) {
  std::vector<uint64_t> granted;
  SlotPool pool([&](uint32_t, uint64_t ticket, Slot) { granted.push_back(ticket); }, 8);
  const auto configure = [&](bool second_usable) {
    const SlotPool::Backend backends[] = {{0, 2, true}, {1, 2, second_usable}};
    pool.configure(backends);
  };
  configure(false);
  Slot slot;
  SlotRequest ann{.worker = 0, .ticket = 1, .session = 7};
  ASSERT_EQ(pool.take(ann, slot), SlotPool::Taken::granted);
  ASSERT_EQ(pool.take(ann, slot), SlotPool::Taken::granted);
  ann.ticket = 3;
  const SlotRequest bob{.worker = 0, .ticket = 4, .session = 8};
  ASSERT_EQ(pool.take(ann, slot), SlotPool::Taken::waiting);
  ASSERT_EQ(pool.take(bob, slot), SlotPool::Taken::waiting);

  configure(true);  // two slots at once: Bob's, because Ann holds half, and then Ann's
  EXPECT_EQ(granted, (std::vector<uint64_t>{4, 3}));
  EXPECT_EQ(pool.waiting(), 0);
}

}  // namespace
}  // namespace relay
