#include "proxy/relay/overload.h"

#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

constexpr int64_t kLimit = 1'000'000;

TEST(OverloadSteps, GoUpAtTheirMarksAndDownBelowThem) {
  const auto after = [](Overload now, int64_t thousands) {
    return next_overload(now, thousands * 1'000, kLimit);
  };
  EXPECT_EQ(after(Overload::none, 799), Overload::none);
  EXPECT_EQ(after(Overload::none, 800), Overload::spools_to_disk);
  EXPECT_EQ(after(Overload::none, 950), Overload::no_accepts);
  EXPECT_EQ(after(Overload::spools_to_disk, 750), Overload::spools_to_disk);
  EXPECT_EQ(after(Overload::spools_to_disk, 749), Overload::none);
  EXPECT_EQ(after(Overload::spools_to_disk, 949), Overload::spools_to_disk);
  EXPECT_EQ(after(Overload::no_accepts, 900), Overload::no_accepts);
  EXPECT_EQ(after(Overload::no_accepts, 899), Overload::spools_to_disk);
  EXPECT_EQ(after(Overload::no_accepts, 749), Overload::none);
}

TEST(OverloadSteps, AreMeasuredByWhatTheSystemSays) {
  const auto before = resident_bytes();
  ASSERT_TRUE(before.has_value());
  std::vector<char> much(64 << 20, 'x');
  EXPECT_GE(*resident_bytes(), *before + (60 << 20)) << much[1000];
  EXPECT_GT(automatic_memory_limit(), 64 << 20);
}

class Overloaded : public WholeReads {
 protected:
  void set(Overload step) {
    core_->set_overload(step);
    worker_->on_overload();
    settle();
  }
};

TEST_F(Overloaded, WorkersKeepWaitingBytesOnDisk) {
  start();
  blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 60000\r\n\r\n" + some_bytes(60'000);
  MemoryPeer& client = connect();
  client.stall();
  set(Overload::spools_to_disk);
  send(client, get_head("/"));
  EXPECT_EQ(core_->spool.memory_used(), 0);
  client.read_on();
  settle();
  EXPECT_EQ(read_answers(client.take()).at(0).body, some_bytes(60'000));
}

TEST_F(Overloaded, WorkersLetNobodyInUntilItIsOver) {
  MemoryPeer& early = connect();
  send(early, get_head("/"));
  set(Overload::no_accepts);
  MemoryPeer& late = connect();
  send(late, get_head("/"));
  EXPECT_EQ(late.received, "") << "waits in the queue of the kernel";
  send(early, get_head("/"));
  EXPECT_EQ(read_answers(early.take()).size(), 2u) << "who is in is served";
  set(Overload::spools_to_disk);
  EXPECT_EQ(read_answers(late.take()).at(0).status, 200) << "and nobody was lost";
}

}  // namespace
}  // namespace relay
