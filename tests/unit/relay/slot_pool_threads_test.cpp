// The pool from many threads at once: no slot is lost or granted twice, nobody is forgotten in the
// line, and the line is served in order. Also run under ThreadSanitizer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <thread>

#include "proxy/relay/slot_pool.h"

namespace relay {
namespace {

using namespace std::chrono_literals;

// What a worker's mailbox is to the pool: grants arrive later, on the worker's own thread.
class Mail {
 public:
  void put(uint64_t ticket, Slot slot) {
    const std::lock_guard lock(mutex_);
    granted_.emplace_back(ticket, slot);
    arrived_.notify_one();
  }
  // False: nothing came in ten seconds.
  bool await(std::pair<uint64_t, Slot>& grant) {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, 10s, [&] { return !granted_.empty(); })) return false;
    grant = granted_.front();
    granted_.erase(granted_.begin());
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<std::pair<uint64_t, Slot>> granted_;
};

class SlotsOfThreads : public testing::Test {
 protected:
  static constexpr int kThreads = 4;
  void configure(std::vector<SlotPool::Backend> backends) { pool_.configure(backends); }
  void run(const std::function<void(uint32_t worker)>& body) {
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { body(i); });
    for (std::thread& thread : threads) thread.join();
  }
  // How many hold a slot of this address now, for everybody to see.
  void count_in(const Slot& slot, int most) {
    EXPECT_LE(in_use_[slot.backend].fetch_add(1) + 1, most);
  }
  void give_back(const Slot& slot) {
    in_use_[slot.backend].fetch_sub(1);
    pool_.give_back(slot);
  }

  std::array<Mail, kThreads> mail_;
  std::array<std::atomic<int>, 8> in_use_{};
  SlotPool pool_{
      [this](uint32_t worker, uint64_t ticket, Slot slot) { mail_[worker].put(ticket, slot); },
      1000};
};

TEST_F(SlotsOfThreads, AreNeverLostNorGrantedTwice) {
  configure({{1, 2, true}, {2, 1, true}, {3, 2, true}});
  const uint32_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  printf("seed %u\n", seed);
  std::atomic<int> forgotten{0};
  run([&](uint32_t worker) {
    std::mt19937 random(seed + worker);
    const std::array<int, 4> most = {0, 2, 1, 2};
    for (uint64_t ticket = 1; ticket <= 3000 && forgotten == 0; ++ticket) {
      SlotRequest request;
      request.worker = worker;
      request.ticket = ticket;
      request.session = random() % 4;
      request.streaming = random() % 4 == 0;
      request.avoid = random() % 8 == 0 ? 2 : -1;
      Slot slot;
      if (pool_.take(request, slot) == SlotPool::Taken::waiting) {
        if (random() % 3 == 0 && pool_.cancel(worker, ticket)) continue;
        std::pair<uint64_t, Slot> grant;
        if (!mail_[worker].await(grant)) {
          ++forgotten;
          return;
        }
        EXPECT_EQ(grant.first, ticket);
        slot = grant.second;
      }
      count_in(slot, most[slot.backend]);
      give_back(slot);
    }
  });
  EXPECT_EQ(forgotten, 0);
  EXPECT_EQ(pool_.taken(), 0);
  EXPECT_EQ(pool_.waiting(), 0);
  for (int i = 0; i < 5; ++i) {
    Slot slot;
    EXPECT_EQ(pool_.take({}, slot), SlotPool::Taken::granted);
  }
}

// As many slots as threads, each at its own address: everybody gets one before anybody lets go.
TEST_F(SlotsOfThreads, AreFoundByEverybodyWhenThereAreEnough) {
  configure({{1, 1, true}, {2, 1, true}, {3, 1, true}, {4, 1, true}});
  std::atomic<int> round_done{0};
  std::atomic<bool> forgotten{false};
  run([&](uint32_t worker) {
    for (int round = 1; round <= 2000 && !forgotten; ++round) {
      Slot slot;
      if (pool_.take({worker, static_cast<uint64_t>(round), 0, false, -1}, slot) ==
          SlotPool::Taken::waiting) {
        std::pair<uint64_t, Slot> grant;
        if (!mail_[worker].await(grant)) forgotten = true;
        slot = grant.second;
      }
      round_done.fetch_add(1);
      while (round_done.load() < round * kThreads && !forgotten) std::this_thread::yield();
      if (!forgotten) pool_.give_back(slot);
    }
  });
  EXPECT_FALSE(forgotten) << "somebody waited though a slot was free";
  EXPECT_EQ(pool_.taken(), 0);
}

TEST_F(SlotsOfThreads, AreServedInTheOrderOfTheLine) {
  constexpr uint64_t kTickets = 2000;
  std::vector<uint64_t> order;  // written under the pool's mutex
  std::atomic<int> to_give{0};
  SlotPool pool(
      [&](uint32_t, uint64_t ticket, Slot) {
        order.push_back(ticket);
        to_give.fetch_add(1);
      },
      static_cast<int>(kTickets));
  const std::array<SlotPool::Backend, 1> backends = {{{1, 2, true}}};
  pool.configure(backends);
  Slot slot;
  pool.take({}, slot);
  pool.take({}, slot);
  std::vector<std::thread> threads;
  std::atomic<bool> done{false};
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        int have = to_give.load();
        if (have > 0 && to_give.compare_exchange_weak(have, have - 1)) {
          pool.give_back({1, 0, false});
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  // Lined up before anything is given back, and more while it is.
  for (uint64_t ticket = 1; ticket <= kTickets; ++ticket) {
    Slot now;
    if (pool.take({0, ticket, 0, false, -1}, now) == SlotPool::Taken::granted) to_give.fetch_add(1);
    if (ticket == kTickets / 2) to_give.fetch_add(2);
  }
  while (pool.waiting() > 0) std::this_thread::yield();
  done = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_GE(order.size(), kTickets / 2);
}

TEST_F(SlotsOfThreads, KeepTheirNumberWhileTheTableChanges) {
  configure({{1, 2, true}, {2, 2, true}});
  std::atomic<int> running{kThreads - 1};
  run([&](uint32_t worker) {
    if (worker == 0) {
      for (int i = 0; running > 0; ++i) {
        configure({{1, 1 + i % 3, i % 2 == 0}, {2, 2, true}});
        std::this_thread::yield();
      }
      configure({{1, 2, true}, {2, 2, true}});
      return;
    }
    for (uint64_t ticket = 1; ticket <= 2000; ++ticket) {
      Slot slot;
      if (pool_.take({worker, ticket, worker, false, -1}, slot) == SlotPool::Taken::waiting) {
        std::pair<uint64_t, Slot> grant;
        if (!mail_[worker].await(grant)) {
          ADD_FAILURE() << "forgotten";
          break;
        }
        slot = grant.second;
      }
      pool_.give_back(slot);
    }
    running.fetch_sub(1);
  });
  EXPECT_EQ(pool_.taken(), 0);
  EXPECT_EQ(pool_.waiting(), 0);
  for (int i = 0; i < 4; ++i) {
    Slot slot;
    EXPECT_EQ(pool_.take({}, slot), SlotPool::Taken::granted);
  }
}

}  // namespace
}  // namespace relay
