#include "proxy/relay/slot_pool.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

constexpr BackendId kFirst = 3;
constexpr BackendId kSecond = 7;
constexpr uint64_t kAnn = 0xa11;
constexpr uint64_t kBob = 0xb0b;
constexpr uint64_t kEve = 0xe5e;

class Slots : public testing::Test {
 protected:
  // One address with so many slots.
  void configure(int slots) { configure_two(slots, 0, false); }
  void configure_two(int first, int second, bool second_usable = true) {
    std::vector<SlotPool::Backend> backends = {{kFirst, first, true}};
    if (second > 0) backends.push_back({kSecond, second, second_usable});
    pool_.configure(backends);
  }
  SlotRequest request(uint64_t session = 0, bool streaming = false, uint32_t worker = 0) {
    SlotRequest request;
    request.worker = worker;
    request.ticket = ++last_ticket_;
    request.session = session;
    request.streaming = streaming;
    return request;
  }
  // Needs: a slot is free.
  Slot take(uint64_t session = 0, bool streaming = false) {
    Slot slot;
    EXPECT_EQ(pool_.take(request(session, streaming), slot), SlotPool::Taken::granted);
    return slot;
  }
  // Needs: none is. Returns the ticket.
  uint64_t wait(uint64_t session = 0, bool streaming = false, uint32_t worker = 0) {
    Slot slot;
    EXPECT_EQ(pool_.take(request(session, streaming, worker), slot), SlotPool::Taken::waiting);
    return last_ticket_;
  }

  struct Granted {
    uint32_t worker;
    uint64_t ticket;
    Slot slot;
  };
  std::vector<Granted> granted_;
  std::vector<uint64_t> tickets() const {
    std::vector<uint64_t> tickets;
    for (const Granted& one : granted_) tickets.push_back(one.ticket);
    return tickets;
  }
  uint64_t last_ticket_ = 0;
  SlotPool pool_{[this](uint32_t worker, uint64_t ticket, Slot slot) {
                   granted_.push_back({worker, ticket, slot});
                 },
                 /*line_max=*/4};
};

using Tickets = std::vector<uint64_t>;

TEST_F(Slots, AreGrantedWhileSomeAreFreeAndCountedBack) {
  configure(2);
  EXPECT_EQ(pool_.slots_total(), 2);
  const Slot one = take();
  const Slot two = take();
  EXPECT_EQ(pool_.taken(), 2);
  pool_.give_back(one);
  pool_.give_back(two);
  EXPECT_EQ(pool_.taken(), 0);
  EXPECT_TRUE(granted_.empty()) << "who got a slot at once is told so at once";
}

TEST_F(Slots, GoToThoseWhoWaitFirstComeFirstServedOverAllWorkers) {
  configure(1);
  const Slot slot = take();
  const uint64_t one = wait(0, false, /*worker=*/1);
  const uint64_t two = wait(0, false, /*worker=*/0);
  EXPECT_EQ(pool_.waiting(), 2);
  pool_.give_back(slot);
  ASSERT_EQ(tickets(), Tickets{one});
  EXPECT_EQ(granted_[0].worker, 1u);
  pool_.give_back(granted_[0].slot);
  EXPECT_EQ(tickets(), (Tickets{one, two}));
  EXPECT_EQ(pool_.waiting(), 0);
  EXPECT_EQ(pool_.taken(), 1);
}

TEST_F(Slots, GoThroughTheLineWhileSomebodyWaits) {
  configure(4);
  take(0, /*streaming=*/true);
  const uint64_t stream = wait(0, /*streaming=*/true);  // one stream of four slots is the most
  const uint64_t one = wait();
  const uint64_t two = wait();
  EXPECT_EQ(tickets(), (Tickets{one, two})) << "free slots are not kept from others by that";
  EXPECT_EQ(pool_.waiting(), 1);
  EXPECT_TRUE(pool_.cancel(0, stream));
}

TEST_F(Slots, HaveALineThatEnds) {
  configure(1);
  take();
  for (int i = 0; i < 4; ++i) wait();
  Slot slot;
  EXPECT_EQ(pool_.take(request(), slot), SlotPool::Taken::full);
  EXPECT_EQ(pool_.waiting(), 4);
}

TEST_F(Slots, AreTakenAtTheFreestUsableAddress) {
  configure_two(2, 3);
  EXPECT_EQ(take().backend, kSecond);
  take();
  take();
  EXPECT_EQ(pool_.slots_total(), 5);
  take();
  take();
  EXPECT_EQ(pool_.taken(), 5);
  wait();
}

TEST_F(Slots, OfEquallyFreeAddressesAreTakenInTurn) {
  configure_two(4, 4);
  int first = 0;
  for (int i = 0; i < 10; ++i) {
    const Slot slot = take();
    first += slot.backend == kFirst ? 1 : 0;
    pool_.give_back(slot);
  }
  EXPECT_EQ(first, 5);
}

TEST_F(Slots, OfAnUnusableAddressAreNotGranted) {
  configure_two(1, 4, /*second_usable=*/false);
  EXPECT_EQ(pool_.slots_total(), 1);
  EXPECT_EQ(take().backend, kFirst);
  const uint64_t waiter = wait();
  configure_two(1, 4, /*second_usable=*/true);
  ASSERT_EQ(tickets(), Tickets{waiter});
  EXPECT_EQ(granted_[0].slot.backend, kSecond);
}

TEST_F(Slots, AvoidTheAddressThatFailedIfThereIsAnother) {
  configure_two(5, 1);
  SlotRequest again = request();
  again.avoid = kFirst;
  Slot slot;
  ASSERT_EQ(pool_.take(again, slot), SlotPool::Taken::granted);
  EXPECT_EQ(slot.backend, kSecond);

  again.ticket = ++last_ticket_;
  Slot second;
  EXPECT_EQ(pool_.take(again, second), SlotPool::Taken::waiting)
      << "the other is merely busy: it is waited for";
  pool_.give_back(slot);
  ASSERT_EQ(tickets(), Tickets{again.ticket});
  EXPECT_EQ(granted_[0].slot.backend, kSecond);
}

TEST_F(Slots, AtTheAddressThatFailedAreBetterThanNone) {
  configure(1);
  SlotRequest again = request();
  again.avoid = kFirst;
  Slot slot;
  ASSERT_EQ(pool_.take(again, slot), SlotPool::Taken::granted);
  EXPECT_EQ(slot.backend, kFirst);
}

TEST_F(Slots, GoToStreamsForAThirdAtMost) {
  configure(6);
  const Slot stream = take(0, true);
  take(0, true);
  const uint64_t third = wait(0, true);
  pool_.give_back(stream);
  EXPECT_EQ(tickets(), Tickets{third});
}

TEST_F(Slots, GoToOneStreamEvenIfThereAreFewerThanThree) {
  configure(2);
  take(0, true);
  wait(0, true);
}

TEST_F(Slots, ServeThePlainBehindAStreamThatMustWait) {
  configure(3);
  const Slot stream = take(0, true);
  const Slot plain = take();
  take();
  const uint64_t waiting_stream = wait(0, true);
  const uint64_t waiting_plain = wait();
  pool_.give_back(plain);
  EXPECT_EQ(tickets(), Tickets{waiting_plain});
  pool_.give_back(stream);
  EXPECT_EQ(tickets(), (Tickets{waiting_plain, waiting_stream}));
}

TEST_F(Slots, MayAllBeOneUsersWhileNobodyElseWaits) {
  configure(4);
  for (int i = 0; i < 4; ++i) take(kAnn);
  EXPECT_EQ(pool_.taken(), 4);
}

TEST_F(Slots, PassAUserOverWhoHoldsHalfWhileAnotherWaits) {
  configure(4);
  take(kAnn);
  take(kAnn);
  const Slot bobs = take(kBob);
  const Slot bobs_other = take(kBob);
  const uint64_t ann = wait(kAnn);
  const uint64_t eve = wait(kEve);
  pool_.give_back(bobs);
  EXPECT_EQ(tickets(), Tickets{eve});
  pool_.give_back(bobs_other);
  EXPECT_EQ(tickets(), (Tickets{eve, ann})) << "nobody else waits any more";
}

TEST_F(Slots, CountAUsersSlotsAgainWhenTheyComeBack) {
  configure(2);
  const Slot anns = take(kAnn);
  const Slot bobs = take(kBob);
  const uint64_t ann = wait(kAnn);
  const uint64_t eve = wait(kEve);
  pool_.give_back(anns);
  EXPECT_EQ(tickets(), Tickets{ann}) << "she holds nothing now";
  pool_.give_back(bobs);
  EXPECT_EQ(tickets(), (Tickets{ann, eve}));
}

TEST_F(Slots, LeaveTheLineWhenTheirWaiterDoes) {
  configure(1);
  const Slot slot = take();
  const uint64_t gone = wait(0, false, /*worker=*/1);
  const uint64_t next = wait(0, false, /*worker=*/2);
  EXPECT_FALSE(pool_.cancel(/*worker=*/2, gone)) << "another worker's ticket";
  EXPECT_TRUE(pool_.cancel(/*worker=*/1, gone));
  EXPECT_EQ(pool_.waiting(), 1);
  pool_.give_back(slot);
  EXPECT_EQ(tickets(), Tickets{next});
  EXPECT_FALSE(pool_.cancel(/*worker=*/2, next)) << "its grant is on its way";
}

TEST_F(Slots, GoToWhomACancelledWaiterHeldUp) {
  configure(3);
  take(kAnn);
  take(kBob, /*streaming=*/true);
  const uint64_t stream = wait(kEve, /*streaming=*/true);
  const uint64_t ann = wait(kAnn);
  EXPECT_TRUE(granted_.empty()) << "she holds her half, and Eve waits";
  EXPECT_TRUE(pool_.cancel(0, stream));
  EXPECT_EQ(tickets(), Tickets{ann});
}

TEST_F(Slots, StayTakenWhenThereAreFewerAndAreNotGrantedAnew) {
  configure(3);
  const Slot one = take();
  const Slot two = take();
  const Slot three = take();
  configure(1);
  const uint64_t waiter = wait();
  pool_.give_back(one);
  pool_.give_back(two);
  EXPECT_TRUE(granted_.empty());
  EXPECT_EQ(pool_.taken(), 1);
  pool_.give_back(three);
  EXPECT_EQ(tickets(), Tickets{waiter});
}

TEST_F(Slots, ServeTheLineAtOnceWhenThereAreMore) {
  configure(1);
  take();
  const uint64_t one = wait();
  const uint64_t two = wait();
  configure(3);
  EXPECT_EQ(tickets(), (Tickets{one, two}));
}

TEST_F(Slots, ComeBackToAnAddressThatWentAndCameAgain) {
  configure_two(1, 2);
  const Slot slot = take();
  ASSERT_EQ(slot.backend, kSecond);
  configure_two(1, 2, /*second_usable=*/false);
  configure(1);  // gone altogether
  pool_.give_back(slot);
  configure_two(1, 2);
  take();
  take();
  take();
  wait();
}

}  // namespace
}  // namespace relay
