#include "proxy/base/descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

struct Pair {
  Pair() {
    int numbers[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, numbers), 0);
    left = Descriptor(numbers[0]);
    right = Descriptor(numbers[1]);
  }
  Descriptor left, right;
};

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

bool is_same_file(int a, int b) {
  struct stat one {
  }, other{};
  return ::fstat(a, &one) == 0 && ::fstat(b, &other) == 0 && one.st_ino == other.st_ino &&
         one.st_dev == other.st_dev;
}

TEST(Descriptors, ArriveWithTheirLineAndStayTheSendersOwn) {
  const Pair pair, first, second;
  const std::array<int, 2> sent = {first.left.get(), second.left.get()};
  ASSERT_TRUE(send_descriptors(pair.left.get(), "here you are\n", sent).has_value());
  auto got = receive_line(pair.right.get(), Millis{1'000});
  ASSERT_TRUE(got.has_value()) << got.error().detail;
  EXPECT_EQ(got->line, "here you are");
  ASSERT_EQ(got->descriptors.size(), 2u);
  EXPECT_TRUE(is_same_file(got->descriptors[0].get(), first.left.get()));
  EXPECT_TRUE(is_same_file(got->descriptors[1].get(), second.left.get()));
  EXPECT_NE(got->descriptors[0].get(), first.left.get());
  EXPECT_EQ(::fcntl(got->descriptors[0].get(), F_GETFD), FD_CLOEXEC);
}

TEST(Descriptors, OfALineThatComesInPiecesAreKept) {
  const Pair pair, one;
  const std::array<int, 1> sent = {one.left.get()};
  ASSERT_TRUE(send_descriptors(pair.left.get(), "a ", sent).has_value());
  ASSERT_TRUE(send_descriptors(pair.left.get(), "line\n", {}).has_value());
  auto got = receive_line(pair.right.get(), Millis{1'000});
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->line, "a line");
  EXPECT_EQ(got->descriptors.size(), 1u);
}

TEST(Descriptors, AreAwaitedWithAnEnd) {
  Pair pair;
  EXPECT_FALSE(receive_line(pair.right.get(), Millis{10}).has_value()) << "nothing came";
  pair.left = Descriptor();
  EXPECT_FALSE(receive_line(pair.right.get(), Millis{1'000}).has_value()) << "nobody is there";
  EXPECT_FALSE(send_descriptors(pair.right.get(), "x\n", {}).has_value());
}

TEST(Descriptors, CloseWithTheirOwner) {
  Pair pair;
  const int number = pair.left.get();
  EXPECT_TRUE(is_open(number));
  auto twin = pair.left.duplicate();
  ASSERT_TRUE(twin.has_value());
  EXPECT_TRUE(is_same_file(twin->get(), number));
  const int other = twin->get();
  { const Descriptor gone = std::move(*twin); }
  EXPECT_FALSE(is_open(other));
  EXPECT_TRUE(is_open(number));
}

TEST(Descriptors, AreNotLookedForWhereNobodyListens) {
  const TempFolder folder;
  const auto link = connect_unix_now(folder.path() + "/no.sock");
  ASSERT_FALSE(link.has_value());
  EXPECT_EQ(link.error().code, ErrorCode::not_found);
}

TEST(Descriptors, OfAnotherProcessAreNotTaken) {
  ::setenv("LISTEN_PID", "1", 1);
  ::setenv("LISTEN_FDS", "1", 1);
  EXPECT_TRUE(activated_sockets().empty());
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr) << "nor by our children";
  EXPECT_TRUE(activated_sockets().empty());
}

}  // namespace
}  // namespace base
