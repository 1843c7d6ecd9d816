#include "proxy/base/spool.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

constexpr int64_t kKiB = 1 << 10;
constexpr int64_t kMiB = 1 << 20;

class SpoolTest : public ::testing::Test {
 protected:
  SpoolLimits limits() {
    SpoolLimits limits;
    limits.dir = folder.path();
    limits.disk_free_min = 0;
    return limits;
  }
  // Everything, in pieces of at most `most`.
  static std::string drain(Spool& spool, size_t most = 10'000) {
    std::string all;
    while (!spool.is_empty()) {
      const auto piece = spool.front(most);
      EXPECT_TRUE(piece) << piece.error().detail;
      if (!piece || piece->empty()) break;
      all += *piece;
      spool.consume(piece->size());
    }
    return all;
  }
  static std::string numbers(size_t bytes) {
    std::string text;
    for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
    text.resize(bytes);
    return text;
  }
  TempFolder folder;
};

TEST_F(SpoolTest, GivesBackTheBytesInOrder) {
  SpoolBudget budget(limits());
  Spool spool(budget);
  EXPECT_TRUE(spool.is_empty());
  EXPECT_TRUE(spool.front(10)->empty());
  ASSERT_TRUE(spool.append("hello "));
  ASSERT_TRUE(spool.append("world"));
  EXPECT_EQ(spool.size(), 11u);
  EXPECT_EQ(*spool.front(4), "hell");
  EXPECT_EQ(*spool.front(4), "hell") << "front takes nothing away";
  spool.consume(4);
  EXPECT_EQ(drain(spool), "o world");
}

TEST_F(SpoolTest, StaysInMemoryUpToItsShareAndThenGoesToAFileWithoutAName) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 64 * kKiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  const std::string text = numbers(3'000'000);
  ASSERT_TRUE(spool.append(std::string_view(text).substr(0, 60'000)));
  EXPECT_EQ(budget.disk_used(), 0);
  EXPECT_GE(budget.memory_used(), 60'000);
  ASSERT_TRUE(spool.append(std::string_view(text).substr(60'000)));
  EXPECT_GE(budget.disk_used(), 2'940'000);
  EXPECT_EQ(folder.files(), 0u);
  EXPECT_EQ(spool.size(), text.size());
  EXPECT_TRUE(drain(spool, 70'000) == text);
  EXPECT_EQ(budget.memory_used(), 0);
  EXPECT_EQ(budget.disk_used(), 0);
}

TEST_F(SpoolTest, KeepsAllOfAPieceOrNone) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 0;
  small.disk_bytes_max = 2 * kMiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  const std::string text = numbers(static_cast<size_t>(2 * kMiB));
  ASSERT_TRUE(spool.append(text));
  const auto full = spool.append("x");
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::spool_full);
  EXPECT_EQ(spool.size(), text.size());
  EXPECT_TRUE(drain(spool) == text);
  EXPECT_TRUE(spool.append("x")) << "there is room again";
}

TEST_F(SpoolTest, SharesItsLimitsWithOthers) {
  SpoolLimits small = limits();
  small.memory_bytes_max = 64 * kKiB;
  small.disk_bytes_max = kMiB;
  SpoolBudget budget(small);
  Spool first(budget);
  Spool second(budget);
  ASSERT_TRUE(first.append(numbers(60'000)));
  ASSERT_TRUE(second.append(numbers(30'000)));
  EXPECT_EQ(budget.disk_used(), kMiB) << "no memory was left for the second";
  Spool third(budget);
  EXPECT_FALSE(third.append("x"));
  second.clear();
  EXPECT_TRUE(third.append("x"));
}

TEST_F(SpoolTest, LeavesDiskSpaceToOthers) {
  SpoolLimits greedy = limits();
  greedy.memory_bytes_each = 0;
  greedy.disk_free_min = INT64_MAX / 2;
  SpoolBudget budget(greedy);
  Spool spool(budget);
  EXPECT_EQ(spool.append("x").error().code, ErrorCode::spool_full);
  EXPECT_EQ(budget.disk_used(), 0);
}

TEST_F(SpoolTest, SaysWhyItCannotWrite) {
  SpoolLimits lost = limits();
  lost.memory_bytes_each = 0;
  lost.dir = folder / "none";
  SpoolBudget budget(lost);
  Spool spool(budget);
  const auto failed = spool.append("x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::io_failed);
  EXPECT_TRUE(spool.is_empty());
  EXPECT_EQ(budget.disk_used(), 0);
}

TEST_F(SpoolTest, BeginsAgainFromMemoryAndFile) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 64 * kKiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  spool.keep_all(true);
  const std::string text = numbers(300'000);
  ASSERT_TRUE(spool.append(std::string_view(text).substr(0, 50'000)));
  ASSERT_TRUE(spool.append(std::string_view(text).substr(50'000)));
  EXPECT_TRUE(drain(spool) == text);
  spool.rewind();
  EXPECT_EQ(spool.size(), text.size());
  spool.consume(100'000);
  spool.rewind();
  EXPECT_TRUE(drain(spool) == text);
}

TEST_F(SpoolTest, KeepsTheOrderOfWhatIsAppendedAfterReading) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 16 * kKiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  spool.keep_all(true);
  const std::string text = numbers(100'000);
  ASSERT_TRUE(spool.append(std::string_view(text).substr(0, 10'000)));
  ASSERT_TRUE(spool.append(std::string_view(text).substr(10'000, 50'000)));
  drain(spool);
  ASSERT_TRUE(spool.append(std::string_view(text).substr(60'000, 10)));
  ASSERT_TRUE(spool.append(std::string_view(text).substr(60'010)));
  spool.rewind();
  EXPECT_TRUE(drain(spool) == text);
}

TEST_F(SpoolTest, LetsMoreFlowThroughThanItsLimits) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 16 * kKiB;
  small.disk_bytes_max = 8 * kMiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  const std::string piece = numbers(static_cast<size_t>(kMiB));
  ASSERT_TRUE(spool.append(piece));
  ASSERT_TRUE(spool.append(piece));
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(spool.append(piece)) << i;
    std::string back;
    while (back.size() < piece.size()) {
      const auto next = spool.front(piece.size() - back.size());
      ASSERT_TRUE(next);
      back += *next;
      spool.consume(next->size());
    }
    ASSERT_TRUE(back == piece) << i;
  }
  EXPECT_LE(budget.disk_used(), 8 * kMiB);
}

TEST_F(SpoolTest, UsesNoDiskWhileTheReaderKeepsUp) {
  SpoolLimits small = limits();
  small.memory_bytes_each = 64 * kKiB;
  SpoolBudget budget(small);
  Spool spool(budget);
  const std::string piece = numbers(10'000);
  ASSERT_TRUE(spool.append(piece));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(spool.append(piece));
    spool.consume(piece.size());
  }
  EXPECT_EQ(budget.disk_used(), 0);
  EXPECT_TRUE(drain(spool) == piece);
}

// Random appends and reads against a plain string.
TEST_F(SpoolTest, AgreesWithAString) {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto draw = [&](size_t below) {
      return std::uniform_int_distribution<size_t>(0, below - 1)(random);
    };
    SpoolLimits small = limits();
    small.memory_bytes_each = 16 * kKiB << draw(3);
    small.memory_bytes_max = 64 * kKiB;
    SpoolBudget budget(small);
    Spool spool(budget);
    std::string model;
    for (int step = 0; step < 200; ++step) {
      if (draw(2) == 0) {
        std::string piece(draw(size_t{1} << draw(17)), static_cast<char>('a' + draw(26)));
        ASSERT_TRUE(spool.append(piece));
        model += piece;
      } else {
        const auto front = spool.front(draw(size_t{1} << draw(18)) + 1);
        ASSERT_TRUE(front);
        ASSERT_TRUE(model.starts_with(*front));
        ASSERT_EQ(front->empty(), model.empty());
        const size_t taken = front->empty() ? 0 : draw(front->size()) + 1;
        spool.consume(taken);
        model.erase(0, taken);
      }
      ASSERT_EQ(spool.size(), model.size());
    }
    ASSERT_TRUE(drain(spool) == model);
    ASSERT_EQ(budget.memory_used() + budget.disk_used(), 0);
  }
}

}  // namespace
}  // namespace base
