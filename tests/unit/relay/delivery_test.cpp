#include "proxy/relay/delivery.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

// A client that takes as much as the test lets it.
class SlowStream final : public base::Stream {
 public:
  void set_handler(base::StreamHandler*) override {}
  void resume_reading() override {}
  void pause_reading() override {}
  void write(std::span<const std::string_view> pieces) override {
    ++writes;
    for (const std::string_view piece : pieces) pending_ += piece;
    take(0);
  }
  using Stream::write;
  size_t pending() const override { return pending_.size(); }
  void finish_writing() override {}
  void reset_on_close() override {}
  base::Address peer() const override { return {}; }

  void take(size_t bytes) {
    room += bytes;
    const size_t taken = std::min(room, pending_.size());
    received += pending_.substr(0, taken);
    pending_.erase(0, taken);
    room -= taken;
  }
  size_t room = 0;
  int writes = 0;
  std::string received;

 private:
  std::string pending_;
};

std::string some_bytes(size_t size, char seed = 0) {
  std::string bytes(size, 0);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(seed + i * 7 + i / 251);
  return bytes;
}

class Deliveries : public testing::Test {
 protected:
  static base::SpoolLimits limits() {
    base::SpoolLimits limits;
    limits.dir = testing::TempDir();
    limits.memory_bytes_max = 64 << 10;
    limits.memory_bytes_each = 32 << 10;
    limits.disk_bytes_max = 2 << 20;
    limits.disk_free_min = 0;
    return limits;
  }
  // One event: the bytes are added and flushed.
  void send(const std::string& bytes) {
    delivery_.add(bytes);
    delivery_.flush();
  }
  // Lets the client take `step` bytes at a time until nothing waits.
  void drain(size_t step = 10'000) {
    for (int i = 0; i < 100'000 && !delivery_.is_drained(); ++i) {
      stream_.take(step);
      if (stream_.pending() == 0) delivery_.pump();
    }
  }

  base::SpoolBudget budget_{limits()};
  SlowStream stream_;
  Delivery delivery_{budget_};
};

TEST_F(Deliveries, GoStraightToAClientThatTakesThem) {
  stream_.room = SIZE_MAX / 2;
  delivery_.begin(stream_, true);
  delivery_.add("head\r\n");
  delivery_.add("");
  delivery_.add("body");
  EXPECT_EQ(stream_.received, "") << "gathered until the event ends";
  delivery_.flush();
  EXPECT_EQ(stream_.received, "head\r\nbody");
  EXPECT_EQ(stream_.writes, 1);
  EXPECT_TRUE(delivery_.is_drained());
  EXPECT_EQ(delivery_.bytes_spooled(), 0);
  EXPECT_EQ(delivery_.bytes_given(), 10);
}

TEST_F(Deliveries, TakeAnyNumberOfPieces) {
  stream_.room = SIZE_MAX / 2;
  delivery_.begin(stream_, true);
  std::vector<std::string> pieces;
  std::string whole;
  for (int i = 0; i < 40; ++i) {
    pieces.push_back(std::to_string(i) + ",");
    whole += pieces.back();
  }
  for (const std::string& piece : pieces) delivery_.add(piece);
  delivery_.flush();
  EXPECT_EQ(stream_.received, whole);
}

TEST_F(Deliveries, KeepWhatASlowClientDoesNotTake) {
  stream_.room = 1000;
  delivery_.begin(stream_, true);
  std::string whole;
  for (int i = 0; i < 20; ++i) {
    const std::string piece = some_bytes(50'000, static_cast<char>(i));
    whole += piece;
    send(piece);
    EXPECT_FALSE(delivery_.must_pause(1 << 20));
  }
  EXPECT_EQ(delivery_.waiting(), whole.size() - 1000);
  EXPECT_GT(delivery_.bytes_spooled(), 0);
  EXPECT_LE(budget_.memory_used(), 64 << 10);
  drain();
  EXPECT_EQ(stream_.received, whole);
  EXPECT_EQ(budget_.memory_used(), 0);
  EXPECT_EQ(budget_.disk_used(), 0);
  EXPECT_EQ(delivery_.bytes_given(), static_cast<int64_t>(whole.size()));
}

TEST_F(Deliveries, PauseTheBackendAboveTheLimitOfOneAnswer) {
  delivery_.begin(stream_, true);
  send(some_bytes(1000));
  EXPECT_FALSE(delivery_.must_pause(1000));
  send("x");
  EXPECT_TRUE(delivery_.must_pause(1000));
  drain(1);
  EXPECT_FALSE(delivery_.must_pause(1000));
}

TEST_F(Deliveries, PauseTheBackendWhenMemoryAndDiskAreUsedUpAndLoseNothing) {
  delivery_.begin(stream_, true);
  std::string whole;
  for (int i = 0; i < 1000 && !delivery_.must_pause(SIZE_MAX); ++i) {
    whole += some_bytes(60'000, static_cast<char>(i));
    send(whole.substr(whole.size() - 60'000));
  }
  EXPECT_TRUE(delivery_.must_pause(SIZE_MAX));
  EXPECT_LT(whole.size(), 3u << 20);
  EXPECT_TRUE(delivery_.fault()) << "full is no fault: the backend waits";
  drain();
  EXPECT_EQ(stream_.received, whole);
  EXPECT_FALSE(delivery_.must_pause(SIZE_MAX));
}

TEST_F(Deliveries, OfAStreamAreNotSpooled) {
  stream_.room = 10;
  delivery_.begin(stream_, false);
  send(some_bytes(100));
  EXPECT_EQ(stream_.pending(), 90u);
  EXPECT_TRUE(delivery_.must_pause(SIZE_MAX));
  EXPECT_EQ(delivery_.bytes_spooled(), 0);
  stream_.take(90);
  EXPECT_FALSE(delivery_.must_pause(SIZE_MAX));
}

TEST_F(Deliveries, HoldBackAWholeAnswer) {
  stream_.room = SIZE_MAX / 2;
  delivery_.begin(stream_, true);
  const std::string whole = some_bytes(200'000);
  for (size_t at = 0; at < whole.size(); at += 20'000) {
    ASSERT_TRUE(delivery_.hold_back(whole.substr(at, 20'000)));
  }
  EXPECT_EQ(delivery_.held_back(), whole.size());
  EXPECT_EQ(stream_.received, "");
  delivery_.pump();
  EXPECT_EQ(stream_.received, whole);
  EXPECT_TRUE(delivery_.is_drained());
}

TEST_F(Deliveries, ThrowAwayWhatComesAfterTheClientLeft) {
  delivery_.begin(stream_, true);
  send(some_bytes(100'000));
  send(some_bytes(100'000));
  delivery_.drop();
  EXPECT_TRUE(delivery_.is_dropped());
  send("more");
  EXPECT_EQ(delivery_.waiting(), 0u);
  EXPECT_FALSE(delivery_.must_pause(0));
  EXPECT_EQ(budget_.memory_used(), 0);
  EXPECT_EQ(budget_.disk_used(), 0);
}

TEST_F(Deliveries, TellThatTheDiskBroke) {
  base::SpoolLimits nowhere = limits();
  nowhere.dir = "/nonexistent/folder";
  base::SpoolBudget budget(nowhere);
  Delivery delivery(budget);
  delivery.begin(stream_, true);
  const std::string bytes = some_bytes(40'000);
  for (int i = 0; i < 2; ++i) {
    delivery.add(bytes);
    delivery.flush();
  }
  ASSERT_FALSE(delivery.fault());
  EXPECT_EQ(delivery.fault().error().code, base::ErrorCode::io_failed);
  delivery.begin(stream_, true);
  EXPECT_TRUE(delivery.fault()) << "the next answer starts anew";
}

}  // namespace
}  // namespace relay
