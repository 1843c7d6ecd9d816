// Every write, read, connect, accept, deadline and use of a budget fails once: the first, the
// second, and so on until a whole scene passes without one. After each: an answer or a close, never
// a wrong success, nothing in flight, every slot free, every spooled byte given back.
#include "tests/unit/relay/faulty_loop.h"
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class FaultStage : public RelayStage {
 public:
  FaultStage(Fault kind, int at) : RelayStage(SIZE_MAX), faulty_(loop_, kind, at) {
    faulty_.take_budget = [this, kind] { take_all(kind); };
    faulty_.give_budget = [this] { give_back(); };
  }
  ~FaultStage() override {
    clients_.clear();
    worker_.reset();
    settle();
  }
  base::Loop& relay_loop() override { return faulty_; }
  bool was_hit() const { return faulty_.was_hit(); }

  // --- scenes ---
  void get_once() { say(connect(), get_head("/x")); }
  void upload() { say(connect(), post("/x", some_bytes(200'000))); }
  void stream_up() {
    say(connect(), "POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "5\r\nhello\r\n0\r\n\r\n");
  }
  void slow_reader() {
    loop_.network().capacity = 10'000;
    blue_.answer = "HTTP/1.0 200 OK\r\nContent-Length: 300000\r\n\r\n" + some_bytes(300'000);
    MemoryPeer& client = connect();
    client.stall();
    say(client, get_head("/x"));
    client.read_on();
    settle();
  }
  void stream_down() {
    blue_.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    say(connect(), get_head("/stream"));
  }
  void keep_alive() {
    MemoryPeer& client = connect();
    say(client, get_head("/x"));
    say(client, post("/y", "body") + get_head("/z"), 2);
  }
  void websocket() {
    blue_websocket_.answer = std::string(kSwitched);
    blue_websocket_.closes = false;
    MemoryPeer& client = connect();
    say(client, upgrade());
    client.send("\x81\x85\x01\x02\x03\x04iginn");
    settle();
    if (!blue_websocket_.server.peers.empty() && blue_websocket_.last().is_open()) {
      blue_websocket_.last().send("\x81\x02hi");
      settle();
      blue_websocket_.last().close();
    }
    settle();
  }
  void retry() {
    blue_.server.stop();
    say(connect(), post("/x", some_bytes(100'000)));
  }
  void reuse() {
    table_.colors[kBlue].reuse = true;
    blue_.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    blue_.closes = false;
    for (int i = 0; i < 3; ++i) say(connect(), get_head("/x"));
  }
  void line() {
    table_.colors[kBlue].slots = 1;
    for (int i = 0; i < 3; ++i) {
      MemoryPeer& client = connect();
      client.send(get_head("/x"));
      ++sent_;
    }
    settle();
  }

  // After the scene: everything that may still happen, then what must be true.
  void expect_answers_or_closes() {
    settle();
    pass(20min);
    int64_t answered = 0;
    for (const auto& client : clients_) {
      EXPECT_FALSE(client->is_open() && !client->ended) << "neither an answer nor a close";
      for (const Answer& answer : read_answers(client->received)) {
        if (answer.status < 200 && answer.status != 101) continue;
        ++answered;
        if (answer.status != 200 || !answer.whole) continue;
        EXPECT_TRUE(answer.body == "ok" || answer.body == some_bytes(300'000))
            << "a success that is none, of " << answer.body.size() << " bytes";
      }
    }
    EXPECT_GE(accounted(), answered);
    EXPECT_LE(accounted(), sent_);
    if (!was_hit()) {
      EXPECT_EQ(answered, sent_);
    }
    requests_ = accounted();
    expect_nothing_left();
  }

 private:
  void say(MemoryPeer& client, std::string_view bytes, int requests = 1) {
    sent_ += requests;
    client.send(bytes);
    settle();
  }
  void take_all(Fault kind) {
    while (core_->spool.take_memory(1024)) memory_taken_ += 1024;
    if (kind != Fault::spool) return;
    while (core_->spool.take_disk(1 << 20)) disk_taken_ += 1 << 20;
  }
  void give_back() {
    core_->spool.give_memory(std::exchange(memory_taken_, 0));
    core_->spool.give_disk(std::exchange(disk_taken_, 0));
  }
  FaultyLoop faulty_;
  int64_t memory_taken_ = 0;
  int64_t disk_taken_ = 0;
  int64_t sent_ = 0;
};

struct Scene {
  const char* name;
  void (FaultStage::*play)();
};
constexpr Scene kScenes[] = {
    {"get_once", &FaultStage::get_once},       {"upload", &FaultStage::upload},
    {"stream_up", &FaultStage::stream_up},     {"slow_reader", &FaultStage::slow_reader},
    {"stream_down", &FaultStage::stream_down}, {"keep_alive", &FaultStage::keep_alive},
    {"websocket", &FaultStage::websocket},     {"retry", &FaultStage::retry},
    {"reuse", &FaultStage::reuse},             {"line", &FaultStage::line},
};

class EveryFault : public testing::TestWithParam<Scene> {
 protected:
  // Returns how many runs it took until the scene passed without a fault.
  static int fail_each(Fault kind, const Scene& scene) {
    constexpr int kRunsMax = 1000;
    for (int at = 1; at <= kRunsMax; ++at) {
      SCOPED_TRACE(testing::Message() << scene.name << ", the fault of number " << at);
      FaultStage stage(kind, at);
      (stage.*scene.play)();
      stage.expect_answers_or_closes();
      if (!stage.was_hit() || HasFailure()) return at;
    }
    ADD_FAILURE() << "more than " << kRunsMax << " calls in " << scene.name;
    return kRunsMax;
  }
  void fail_each(Fault kind) {
    RecordProperty("runs", fail_each(kind, GetParam()));
  }
};
INSTANTIATE_TEST_SUITE_P(Scenes, EveryFault, testing::ValuesIn(kScenes),
                         [](const auto& scene) { return std::string(scene.param.name); });

TEST_P(EveryFault, OfAnAcceptEndsInAClose) { fail_each(Fault::accept); }
TEST_P(EveryFault, OfAConnectEndsInAnAnswer) { fail_each(Fault::connect); }
TEST_P(EveryFault, OfAReadEndsInAnAnswerOrAClose) { fail_each(Fault::read); }
TEST_P(EveryFault, OfAWriteEndsInAnAnswerOrAClose) { fail_each(Fault::write); }
TEST_P(EveryFault, OfTimeEndsInAnAnswerOrAClose) { fail_each(Fault::time); }
TEST_P(EveryFault, OfTheMemoryBudgetEndsInAnAnswerOrAClose) { fail_each(Fault::memory); }
TEST_P(EveryFault, OfTheWholeBudgetEndsInAnAnswerOrAClose) { fail_each(Fault::spool); }

}  // namespace
}  // namespace relay
