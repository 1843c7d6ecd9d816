#include "proxy/base/socket.h"

#include "tests/unit/base/loop_fixture.h"

namespace base {
namespace {

TEST_F(SocketTest, DeliversWhatThePeerSends) {
  open();
  stream->resume_reading();
  peer->send("hello");
  run_until(loop, [&] { return recorder.bytes == "hello"; });
  EXPECT_FALSE(recorder.ended);
}

TEST_F(SocketTest, DeliversNothingBeforeReadingIsResumed) {
  open();
  peer->send("early");
  settle(loop);
  EXPECT_EQ(recorder.bytes, "");
  stream->resume_reading();
  run_until(loop, [&] { return recorder.bytes == "early"; });
}

TEST_F(SocketTest, ReadsALargePieceInFewCallsAndWhole) {
  open();
  std::string sent;
  for (int i = 0; sent.size() < 300'000; ++i) sent += std::to_string(i);
  stream->resume_reading();
  size_t offset = 0;
  while (offset < sent.size()) {
    const size_t piece = std::min<size_t>(sent.size() - offset, 60'000);
    peer->send(std::string_view(sent).substr(offset, piece));
    offset += piece;
    run_until(loop, [&] { return recorder.bytes.size() == offset; });
  }
  EXPECT_EQ(recorder.bytes, sent);
}

TEST_F(SocketTest, PausesInTheMiddleOfAReadAndGoesOn) {
  open();
  recorder.when_bytes = [&] { stream->pause_reading(); };
  stream->resume_reading();
  peer->send(std::string(200'000, 'x'));
  run_until(loop, [&] { return recorder.reads == 1; });
  settle(loop);
  EXPECT_EQ(recorder.reads, 1);
  recorder.when_bytes = nullptr;
  stream->resume_reading();
  run_until(loop, [&] { return recorder.bytes.size() == 200'000; });
}

TEST_F(SocketTest, WhileTheReaderIsPausedWaitingBytesDoNotSpinTheLoop) {
  open();
  stream->resume_reading();
  stream->pause_reading();
  peer->send("waiting");
  settle(loop);
  // Were the socket still watched, each of these turns would end at once.
  struct Ring {
    bool rung = false;
    void ring() { rung = true; }
  } ring;
  Timer timer(loop.timers(), &ring, fires<&Ring::ring>);
  timer.start(Millis(100));
  int turns = 0;
  while (!ring.rung) {
    loop.run_turn();
    ++turns;
  }
  EXPECT_LT(turns, 10);
}

TEST_F(SocketTest, TellsAFinFromAReset) {
  open();
  stream->resume_reading();
  peer->finish();
  run_until(loop, [&] { return recorder.ended; });
  EXPECT_FALSE(recorder.broken);
  open();
  recorder = {};
  stream->resume_reading();
  peer->reset();
  run_until(loop, [&] { return recorder.broken; });
  EXPECT_FALSE(recorder.ended);
  EXPECT_EQ(recorder.error.code, ErrorCode::client_gone);
  EXPECT_EQ(recorder.error.side, Side::client);
}

TEST_F(SocketTest, DeliversTheBytesThatCameBeforeAReset) {
  open();
  peer->send("last words");
  peer->reset();
  stream->resume_reading();
  run_until(loop, [&] { return recorder.broken; });
  EXPECT_EQ(recorder.bytes, "last words");
}

TEST_F(SocketTest, WritesOnAfterThePeersFin) {
  open();
  stream->resume_reading();
  peer->finish();
  run_until(loop, [&] { return recorder.ended; });
  stream->write("answer");
  EXPECT_EQ(peer->receive(), "answer");
}

TEST_F(SocketTest, AnEndedStreamDoesNotSpinTheLoopAndNoticesALaterReset) {
  open();
  stream->resume_reading();
  peer->finish();
  run_until(loop, [&] { return recorder.ended; });
  settle(loop);
  peer->reset();
  run_until(loop, [&] { return recorder.broken; });
}

TEST_F(SocketTest, APausedStreamNoticesAReset) {
  open();
  stream->resume_reading();
  stream->pause_reading();
  peer->reset();
  run_until(loop, [&] { return recorder.broken; });
}

TEST_F(SocketTest, APausedStreamKeepsUnreadBytesWhenTheResetComes) {
  open();
  stream->resume_reading();
  stream->pause_reading();
  peer->send("unread");
  settle(loop);
  peer->reset();
  settle(loop);
  EXPECT_FALSE(recorder.broken);
  stream->resume_reading();
  run_until(loop, [&] { return recorder.broken; });
  EXPECT_EQ(recorder.bytes, "unread");
}

TEST_F(SocketTest, UrgentDataDoesNotSpinTheLoop) {
  open();
  stream->resume_reading();
  stream->pause_reading();
  peer->send("x");
  settle(loop);
  ASSERT_EQ(send(peer->descriptor(), "!", 1, MSG_OOB), 1);
  settle(loop);
  stream->resume_reading();
  run_until(loop, [&] { return recorder.bytes == "x"; });
}

TEST_F(SocketTest, GivesPiecesToTheKernelAtOnceAndInOrder) {
  open();
  std::vector<std::string_view> pieces;
  std::string expected;
  const std::string letters = "abcdefghijklmnopqrstuvwxyz";
  for (size_t i = 0; i < 40; ++i) {
    pieces.push_back(std::string_view(letters).substr(i % 26, i % 3));
    expected += pieces.back();
  }
  stream->write(pieces);
  EXPECT_EQ(stream->pending(), 0u);
  EXPECT_EQ(peer->receive(), expected);
  EXPECT_EQ(recorder.flushes, 0);
}

TEST_F(SocketTest, KeepsWhatTheKernelDoesNotTakeAndSaysWhenItIsGone) {
  open(/*receive_buffer=*/4096);
  std::string sent;
  for (int i = 0; sent.size() < 8'000'000; ++i) sent += std::to_string(i) + ",";
  const std::string_view all = sent;
  const std::string_view pieces[] = {all.substr(0, 5), all.substr(5, 7'000'000),
                                     all.substr(7'000'005)};
  stream->write(pieces);
  const size_t kept = stream->pending();
  EXPECT_GT(kept, 0u);
  stream->write("tail");
  EXPECT_EQ(stream->pending(), kept + 4);
  stream->finish_writing();
  std::string received;
  while (true) {
    const std::string piece = peer->receive();
    if (piece.empty()) break;
    received += piece;
    if (stream->pending() > 0) turn();
  }
  EXPECT_TRUE(received == sent + "tail");
  EXPECT_EQ(recorder.flushes, 1);
}

TEST_F(SocketTest, FinishesWritingAfterWhatIsPendingAndReadsOn) {
  open();
  stream->resume_reading();
  stream->write("bye");
  stream->finish_writing();
  EXPECT_EQ(peer->receive(), "bye");
  EXPECT_EQ(peer->receive(), "");
  peer->send("still here");
  run_until(loop, [&] { return recorder.bytes == "still here"; });
}

TEST_F(SocketTest, ReportsAFailedWriteLaterAndNotFromInside) {
  open();
  peer->reset();
  // The first write may still be taken by the kernel; one of these fails.
  while (!recorder.broken) {
    stream->write(std::string(1000, 'x'));
    EXPECT_FALSE(recorder.broken);
    settle(loop);
  }
  EXPECT_EQ(recorder.error.code, ErrorCode::client_gone);
  stream->write("into the void");
  EXPECT_EQ(stream->pending(), 0u);
}

TEST_F(SocketTest, ReadsAnEarlyAnswerBeforeItReportsAFailedWrite) {
  open();
  peer->send("413 too large");
  peer->reset();
  stream->resume_reading();
  for (int i = 0; i < 3; ++i) stream->write("more of the body");
  run_until(loop, [&] { return recorder.broken; });
  EXPECT_EQ(recorder.bytes, "413 too large");
}

TEST_F(SocketTest, ClosesWithFinByDefault) {
  open();
  stream->write("done");
  stream.reset();
  EXPECT_EQ(peer->receive(), "done");
  EXPECT_EQ(peer->receive(), "");
}

TEST_F(SocketTest, ClosesWithResetWhenAsked) {
  open();
  stream->reset_on_close();
  stream.reset();
  EXPECT_EQ(peer->receive(), "RST");
}

TEST_F(SocketTest, MayBeDestroyedInsideAnyOfItsCallbacks) {
  for (const int which : {0, 1, 2, 3}) {
    SCOPED_TRACE(which);
    open(4096);
    recorder = {};
    bool called = false;
    const auto destroy = [&] {
      called = true;
      stream.reset();
    };
    if (which == 0) recorder.when_bytes = destroy;
    if (which == 1) recorder.when_end = destroy;
    if (which == 2) recorder.when_broken = destroy;
    if (which == 3) recorder.when_flushed = destroy;
    stream->resume_reading();
    if (which == 0) peer->send(std::string(100'000, 'x'));
    if (which == 1) peer->finish();
    if (which == 2) peer->reset();
    if (which == 3) stream->write(std::string(4'000'000, 'x'));
    while (which == 3 && !called) {
      peer->receive();
      turn();
    }
    run_until(loop, [&] { return called; });
  }
}

TEST_F(SocketTest, WithdrawsTheReportOfAFailedWriteWhenItIsDestroyed) {
  open();
  peer->reset();
  for (int i = 0; i < 3; ++i) stream->write("x");
  stream.reset();
  settle(loop);
  EXPECT_FALSE(recorder.broken);
}

TEST_F(SocketTest, CanBeAskedWhetherAnEndedPeerHasReset) {
  open();
  stream->resume_reading();
  peer->finish();
  run_until(loop, [&] { return recorder.ended; });
  EXPECT_FALSE(stream->peer_has_reset());
  peer->reset();
  EXPECT_TRUE(stream->peer_has_reset()) << "without a turn of the loop";
  run_until(loop, [&] { return recorder.broken; });
}

TEST_F(SocketTest, KnowsItsPeer) {
  open();
  SocketAddress own;
  getsockname(peer->descriptor(), own.get(), &own.size);
  EXPECT_EQ(stream->peer(), to_address(own));
  EXPECT_EQ(peer_identity(*stream), std::nullopt);
}

TEST_F(SocketTest, SendsSmallAnswersWithoutDelay) {
  open();
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  getsockopt(descriptor_of(*stream), IPPROTO_TCP, 1 /*TCP_NODELAY*/, &no_delay, &size);
  EXPECT_EQ(no_delay, 1);
}

TEST_F(SocketTest, MayOutliveItsLoop) {
  std::unique_ptr<Stream> orphan;
  auto short_lived = std::make_unique<UvLoop>();
  Acceptor other;
  auto listening = short_lived->listen(kAnyPort, false, other);
  ASSERT_TRUE(listening);
  RawPeer raw = RawPeer::connect_to((*listening)->bound());
  run_until(*short_lived, [&] { return !other.streams.empty(); });
  short_lived.reset();
  other.streams.clear();
  listening->reset();
  EXPECT_EQ(raw.receive(), "");
}

}  // namespace
}  // namespace base
