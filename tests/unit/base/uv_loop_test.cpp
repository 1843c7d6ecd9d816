#include "proxy/base/uv_loop.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

#include "tests/unit/base/loop_fixture.h"

namespace base {
namespace {

using namespace std::chrono_literals;

TEST(UvLoop, ConnectsToAListenerOfItsOwn) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  ASSERT_TRUE(listener);
  Connector connector;
  const auto connecting = loop.connect((*listener)->bound(), connector);
  EXPECT_FALSE(connector.done) << "never from inside connect";
  run_until(loop, [&] { return connector.done && !acceptor.streams.empty(); });
  ASSERT_TRUE(connector.stream);
  EXPECT_EQ(connector.stream->peer(), (*listener)->bound());
  Recorder recorder;
  acceptor.streams[0]->set_handler(&recorder);
  acceptor.streams[0]->resume_reading();
  connector.stream->write("hello");
  run_until(loop, [&] { return recorder.bytes == "hello"; });
  Recorder other;
  connector.stream->set_handler(&other);
  connector.stream->resume_reading();
  acceptor.streams[0]->reset_on_close();
  acceptor.streams.clear();
  run_until(loop, [&] { return other.broken; });
  EXPECT_EQ(other.error.code, ErrorCode::backend_reset);
}

TEST(UvLoop, ListensOnIpv6) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(*parse_address("[::1]:0"), false, acceptor);
  ASSERT_TRUE(listener) << listener.error().detail;
  EXPECT_EQ((*listener)->bound().host(), "::1");
  const RawPeer peer = RawPeer::connect_to((*listener)->bound());
  run_until(loop, [&] { return !acceptor.streams.empty(); });
}

TEST(UvLoop, SaysRefusedWhereNobodyListens) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  const Address address = (*listener)->bound();
  listener->reset();
  Connector connector;
  const auto connecting = loop.connect(address, connector);
  run_until(loop, [&] { return connector.done; });
  EXPECT_EQ(connector.error.code, ErrorCode::connect_refused);
  EXPECT_EQ(connector.error.side, Side::backend);
}

TEST(UvLoop, BlamesItselfWhenDescriptorsRunOutOnConnect) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  Connector connector;
  const auto connecting = loop.connect((*listener)->bound(), connector);
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(connector.done) << "never from inside connect";
  run_until(loop, [&] { return connector.done; });
  EXPECT_EQ(connector.error.code, ErrorCode::connect_failed);
  EXPECT_EQ(connector.error.side, Side::proxy);
}

TEST(UvLoop, CancelsAConnectThatIsDropped) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  Connector connector;
  loop.connect((*listener)->bound(), connector).reset();
  run_until(loop, [&] { return !acceptor.streams.empty(); });
  settle(loop);
  EXPECT_FALSE(connector.done);
}

TEST(UvLoop, RestsInsteadOfSpinningWhenDescriptorsRunOutOnAccept) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  RawPeer peer = RawPeer::connect_to((*listener)->bound());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  int turns = 0;
  const Instant begin = loop.fresh();
  while (loop.fresh() - begin < 150ms) {
    loop.mailbox().post([] {});  // so that a turn does not wait for ever
    if (turns < 5) {
      loop.run_turn();
    } else {
      struct Ring {
        void ring() {}
      } ring;
      Timer timer(loop.timers(), &ring, fires<&Ring::ring>);
      timer.start(50ms);
      loop.run_turn();
      loop.run_turn();
    }
    ++turns;
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_LT(turns, 20);
  EXPECT_TRUE(acceptor.streams.empty());
  run_until(loop, [&] { return !acceptor.streams.empty(); });
}

TEST(UvLoop, TakesNoConnectionWhileItsListenerIsPaused) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  (*listener)->pause();
  const RawPeer peer = RawPeer::connect_to((*listener)->bound());
  settle(loop);
  EXPECT_TRUE(acceptor.streams.empty());
  (*listener)->resume();
  run_until(loop, [&] { return !acceptor.streams.empty(); });
}

TEST(UvLoop, AListenerMayBeDestroyedByItsOwnConnection) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  acceptor.when_accepted = [&] { listener->reset(); };
  const RawPeer first = RawPeer::connect_to((*listener)->bound());
  const RawPeer second = RawPeer::connect_to((*listener)->bound());
  run_until(loop, [&] { return !acceptor.streams.empty(); });
  settle(loop);
  EXPECT_EQ(acceptor.streams.size(), 1u);
}

TEST(UvLoop, SeveralLoopsShareAnAddressOnlyWhenAsked) {
  UvLoop loop;
  UvLoop other;
  Acceptor acceptor;
  auto first = loop.listen(kAnyPort, true, acceptor);
  ASSERT_TRUE(first);
  EXPECT_TRUE(other.listen((*first)->bound(), true, acceptor));
  auto alone = loop.listen(kAnyPort, false, acceptor);
  ASSERT_TRUE(alone);
  EXPECT_FALSE(other.listen((*alone)->bound(), false, acceptor));
}

TEST(UvLoop, ServesADescriptorThatAlreadyListens) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  const Address address = (*listener)->bound();
  const int copy = dup(descriptor_of(**listener));
  listener->reset();
  auto adopted = loop.adopt_listener(copy, acceptor);
  ASSERT_TRUE(adopted) << adopted.error().detail;
  EXPECT_EQ((*adopted)->bound(), address);
  const RawPeer peer = RawPeer::connect_to(address);
  run_until(loop, [&] { return !acceptor.streams.empty(); });
}

TEST(UvLoop, RefusesToAdoptWhatDoesNotListen) {
  UvLoop loop;
  Acceptor acceptor;
  EXPECT_FALSE(loop.adopt_listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), acceptor));
  EXPECT_FALSE(loop.adopt_listener(open("/dev/null", O_RDONLY | O_CLOEXEC), acceptor));
}

class UnixSocket : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/unit_base_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder = name;
    path = folder + "/admin.sock";
  }
  void TearDown() override {
    unlink(path.c_str());
    rmdir(folder.c_str());
  }
  std::string folder;
  std::string path;
  UvLoop loop;
  Acceptor acceptor;
};

TEST_F(UnixSocket, HasItsModeAndKnowsWhoConnects) {
  auto listener = loop.listen_unix(path, 0660, acceptor);
  ASSERT_TRUE(listener) << listener.error().detail;
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0660u);
  Connector connector;
  const auto connecting = loop.connect_unix(path, connector);
  run_until(loop, [&] { return connector.done && !acceptor.streams.empty(); });
  ASSERT_TRUE(connector.stream);
  const auto identity = peer_identity(*acceptor.streams[0]);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->uid, getuid());
  EXPECT_EQ(identity->pid, getpid());
}

TEST_F(UnixSocket, ReplacesAStaleFileButNotALiveOneNorAnotherFile) {
  {
    const SocketAddress to = *to_socket_address(path);
    const RawPeer dead(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(dead.descriptor(), to.get(), to.size), 0);
  }
  auto listener = loop.listen_unix(path, 0600, acceptor);
  ASSERT_TRUE(listener) << listener.error().detail;
  const auto second = loop.listen_unix(path, 0600, acceptor);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::conflict);
  listener->reset();
  close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_EQ(loop.listen_unix(path, 0600, acceptor).error().code, ErrorCode::conflict);
}

TEST_F(UnixSocket, LeavesNoFileUnlessItBelongsToAnother) {
  auto listener = loop.listen_unix(path, 0600, acceptor);
  listener->reset();
  EXPECT_NE(access(path.c_str(), F_OK), 0);
  listener = loop.listen_unix(path, 0600, acceptor);
  unlink(path.c_str());
  close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  listener->reset();
  EXPECT_EQ(access(path.c_str(), F_OK), 0);
}

TEST_F(UnixSocket, SaysRefusedWhereNobodyListens) {
  Connector connector;
  const auto connecting = loop.connect_unix(path, connector);
  run_until(loop, [&] { return connector.done; });
  EXPECT_EQ(connector.error.code, ErrorCode::connect_refused);
}

TEST_F(UnixSocket, RefusesAPathThatTheKernelCannotHold) {
  EXPECT_FALSE(loop.listen_unix("/tmp/" + std::string(200, 'x'), 0600, acceptor));
  Connector connector;
  const auto connecting = loop.connect_unix("/tmp/" + std::string(200, 'x'), connector);
  run_until(loop, [&] { return connector.done; });
  EXPECT_EQ(connector.error.code, ErrorCode::connect_failed);
}

struct Tombstone final : Disposable {
  explicit Tombstone(std::function<void()> when) : when_gone(std::move(when)) {}
  ~Tombstone() override { when_gone(); }
  std::function<void()> when_gone;
};

TEST(UvLoop, DestroysDisposedObjectsWhenTheTurnEnds) {
  UvLoop loop;
  bool gone = false;
  bool posted = false;
  loop.mailbox().post([&] {
    loop.dispose(std::make_unique<Tombstone>([&] { gone = true; }));
    EXPECT_FALSE(gone);
    posted = true;
  });
  run_until(loop, [&] { return posted; });
  EXPECT_TRUE(gone);
}

TEST(UvLoop, DestroysWhatADisposedObjectDisposesOf) {
  int gone = 0;
  {
    UvLoop loop;
    loop.dispose(std::make_unique<Tombstone>([&] {
      ++gone;
      loop.dispose(std::make_unique<Tombstone>([&] { ++gone; }));
    }));
  }
  EXPECT_EQ(gone, 2);
}

TEST(UvLoop, FiresTimersNotEarlyByItsOwnTime) {
  UvLoop loop;
  struct Ring {
    UvLoop& loop;
    Instant at{};
    void ring() { at = loop.fresh(); }
  } ring{loop};
  Timer timer(loop.timers(), &ring, fires<&Ring::ring>);
  const Instant begin = loop.now();
  timer.start(40ms);
  run_until(loop, [&] { return ring.at != Instant{}; });
  EXPECT_GE(ring.at - begin, 40ms);
  EXPECT_LT(ring.at - begin, 5s);
}

TEST(UvLoop, ItsTimeStandsStillWithinATurn) {
  UvLoop loop;
  bool posted = false;
  loop.mailbox().post([&] {
    const Instant now = loop.now();
    const Instant begin = loop.fresh();
    EXPECT_LE(now, begin);
    while (loop.fresh() == begin) {
    }
    EXPECT_EQ(loop.now(), now);
    EXPECT_EQ(loop.timers().now(), now);
    posted = true;
  });
  run_until(loop, [&] { return posted; });
}

TEST(UvLoop, TellsOfSignals) {
  UvLoop loop;
  int seen = 0;
  loop.on_signal(SIGUSR1, [&](int number) { seen = number; });
  raise(SIGUSR1);
  run_until(loop, [&] { return seen == SIGUSR1; });
}

TEST(Mailbox, RunsClosuresInOrderOnTheLoopsThread) {
  UvLoop loop;
  std::vector<int> order;
  std::thread sender([&] {
    for (int i = 0; i < 1000; ++i) loop.mailbox().post([&, i] { order.push_back(i); });
    loop.mailbox().post([&] { loop.stop(); });
  });
  loop.run();
  sender.join();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
}

TEST(Mailbox, TakesPostsFromManyThreadsWithoutLosingAny) {
  UvLoop loop;
  int arrived = 0;
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&] {
      for (int i = 0; i < 5000; ++i) loop.mailbox().post([&] { ++arrived; });
    });
  }
  run_until(loop, [&] { return arrived == 20'000; });
  for (std::thread& sender : senders) sender.join();
}

TEST(Mailbox, DropsWhatWaitsWhenTheLoopEnds) {
  bool ran = false;
  const auto held = std::make_shared<int>(1);
  std::shared_ptr<Mailbox> mailbox;
  {
    UvLoop loop;
    mailbox = loop.share_mailbox();
    mailbox->post([&ran, held] { ran = true; });
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(held.use_count(), 1);
  mailbox->post([&ran, held] { ran = true; });
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace base
