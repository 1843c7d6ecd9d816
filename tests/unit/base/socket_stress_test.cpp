// Two streams of one loop talk to each other at random: nothing may be lost, doubled or reordered,
// and a clean end means that all of it came.
#include <random>

#include "tests/unit/base/loop_fixture.h"

namespace base {
namespace {

class Talker final : public StreamHandler {
 public:
  Talker(std::unique_ptr<Stream> stream, std::mt19937& random)
      : stream_(std::move(stream)), random_(random) {
    stream_->set_handler(this);
    stream_->resume_reading();
  }

  // One random deed. What it says are the next bytes of one endless text.
  void act() {
    if (stream_ == nullptr) return;
    const auto die = random_() % 100;
    if (die < 40 && !finished) {
      say(random_() % (die < 5 ? 3'000'000 : 5'000));
    } else if (die < 60) {
      stream_->pause_reading();
    } else if (die < 90) {
      stream_->resume_reading();
    } else if (die < 92) {
      finished = true;
      stream_->finish_writing();
    } else if (die == 92 && random_() % 4 == 0) {
      close(random_() % 2 == 0);
    }
  }
  void say(size_t bytes) {
    std::string text(bytes, 0);
    for (char& c : text) c = byte_at(said++);
    const std::string_view whole = text;
    const size_t first = bytes == 0 ? 0 : random_() % bytes;
    const std::string_view pieces[] = {whole.substr(0, first), whole.substr(first)};
    stream_->write(pieces);
  }
  void close(bool hard) {
    closed = true;
    if (hard) stream_->reset_on_close();
    if (hard || stream_->pending() > 0) cut = true;
    stream_.reset();
  }
  void end() {
    if (stream_ == nullptr) return;
    stream_->resume_reading();
    if (!finished) stream_->finish_writing();
    finished = true;
  }
  bool is_done() const { return stream_ == nullptr || (finished && ended && is_flushed()); }
  bool is_flushed() const { return stream_ == nullptr || stream_->pending() == 0; }

  size_t said = 0;
  size_t heard = 0;
  bool right = true;      // every byte heard was the next one
  bool finished = false;  // said all, with a FIN
  bool ended = false;     // heard the other's FIN
  bool broken = false;
  bool closed = false;
  bool cut = false;  // closed although something was unsent, or with a reset

 private:
  static char byte_at(size_t at) { return static_cast<char>(at * 31 + (at >> 8) * 17); }
  void on_bytes(std::string_view bytes) override {
    right = right && !ended && !broken;
    for (const char c : bytes) right = right && c == byte_at(heard++);
    if (random_() % 50 == 0) stream_->pause_reading();
    if (random_() % 400 == 0) close(false);
  }
  void on_end() override {
    right = right && !ended && !broken;
    ended = true;
  }
  void on_broken(const Error&) override {
    right = right && !broken;
    broken = true;
    stream_.reset();
  }
  void on_flushed() override { right = right && stream_->pending() == 0; }

  std::unique_ptr<Stream> stream_;
  std::mt19937& random_;
};

TEST(SocketStress, NothingIsLostDoubledOrReordered) {
  int clean = 0;
  for (unsigned seed = 1; seed <= 25; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    UvLoop loop;
    Acceptor acceptor;
    Connector connector;
    auto listener = loop.listen(kAnyPort, false, acceptor);
    ASSERT_TRUE(listener);
    const auto connecting = loop.connect((*listener)->bound(), connector);
    run_until(loop, [&] { return connector.stream && !acceptor.streams.empty(); });
    Talker one(std::move(connector.stream), random);
    Talker two(std::move(acceptor.streams[0]), random);
    for (int step = 0; step < 300; ++step) {
      (random() % 2 == 0 ? one : two).act();
      loop.mailbox().post([] {});
      loop.run_turn();
    }
    one.end();
    two.end();
    run_until(loop, [&] {
      one.end();
      two.end();
      loop.mailbox().post([] {});
      return one.is_done() && two.is_done();
    });
    EXPECT_TRUE(one.right && two.right);
    EXPECT_LE(one.heard, two.said);
    EXPECT_LE(two.heard, one.said);
    for (const auto& [listening, talking] : {std::pair(&one, &two), std::pair(&two, &one)}) {
      if (!listening->ended || talking->cut) continue;
      EXPECT_EQ(listening->heard, talking->said);
    }
    if (one.ended && two.ended) ++clean;
  }
  EXPECT_GT(clean, 2) << "most seeds should not end in the first step";
}

}  // namespace
}  // namespace base
