// One request, one answer: over a loop that the test plays by hand.
#include "proxy/http/client.h"

#include <gtest/gtest.h>

#include <optional>

namespace http {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;

class HandLoop;

// The test's end of the only connection.
class HandStream final : public base::Stream {
 public:
  explicit HandStream(HandLoop& loop) : loop_(loop) {}
  ~HandStream() override;

  void set_handler(base::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override { reading_ = true; }
  void pause_reading() override { reading_ = false; }
  using base::Stream::write;
  void write(std::span<const std::string_view> pieces) override;
  size_t pending() const override { return 0; }
  void finish_writing() override {}
  void reset_on_close() override {}
  base::Address peer() const override { return {}; }

  base::StreamHandler* handler_ = nullptr;
  bool reading_ = false;

 private:
  HandLoop& loop_;
};

class HandLoop final : public base::Loop {
 public:
  base::Instant now() const override { return now_; }
  base::Instant fresh() const override { return now_; }
  base::WallTime wall() const override { return {}; }
  base::TimerWheel& timers() override { return wheel_; }
  std::unique_ptr<base::Connecting> connect(const base::Address&,
                                            base::ConnectHandler& handler) override {
    connecting_ = &handler;
    return std::make_unique<Cancel>(*this);
  }
  base::Result<std::unique_ptr<base::Listener>> listen(const base::Address&, bool,
                                                       base::AcceptHandler&) override {
    return base::fail(ErrorCode::internal, base::Side::proxy);
  }
  void dispose(std::unique_ptr<base::Disposable>) override {}

  void accept() {
    auto stream = std::make_unique<HandStream>(*this);
    stream_ = stream.get();
    std::exchange(connecting_, nullptr)->on_connected(std::move(stream));
  }
  void refuse() {
    std::exchange(connecting_, nullptr)
        ->on_connect_failed({ErrorCode::connect_refused, base::Side::backend, ""});
  }
  void send(std::string_view bytes) {
    ASSERT_NE(stream_, nullptr);
    ASSERT_TRUE(stream_->reading_);
    stream_->handler_->on_bytes(bytes);
  }
  void close() { stream_->handler_->on_end(); }
  void reset() {
    stream_->handler_->on_broken({ErrorCode::io_failed, base::Side::backend, "reset"});
  }
  void pass(base::Millis time) {
    now_ += time;
    wheel_.advance(now_);
  }

  base::ConnectHandler* connecting_ = nullptr;
  HandStream* stream_ = nullptr;  // while it is open
  std::string written_;

 private:
  struct Cancel final : base::Connecting {
    explicit Cancel(HandLoop& loop) : loop_(loop) {}
    ~Cancel() override { loop_.connecting_ = nullptr; }
    HandLoop& loop_;
  };
  base::Instant now_{1h};
  base::TimerWheel wheel_{now_};
};

HandStream::~HandStream() { loop_.stream_ = nullptr; }
void HandStream::write(std::span<const std::string_view> pieces) {
  for (const std::string_view piece : pieces) loop_.written_ += piece;
}

class Clients : public testing::Test {
 protected:
  Clients() {
    request_.host = "probe";
    request_.path = "/web/health";
    request_.fields = {{"User-Agent", "sidecar"}};
  }
  void start() {
    client_ = std::make_unique<Client>(loop_, request_, [this](base::Result<ClientAnswer> answer) {
      ASSERT_FALSE(answer_) << "called twice";
      answer_ = std::move(answer);
      client_.reset();  // as a prober may
    });
    ASSERT_FALSE(answer_) << "called from inside the constructor";
  }
  // Starts, connects and delivers the answer in pieces of `size`.
  void deliver(std::string_view answer, size_t size = 1) {
    start();
    loop_.accept();
    for (; !answer.empty() && !answer_; answer.remove_prefix(std::min(size, answer.size()))) {
      loop_.send(answer.substr(0, size));
    }
  }
  // Needs: an error.
  ErrorCode error() const { return answer_->error().code; }

  HandLoop loop_;
  ClientRequest request_;
  std::optional<base::Result<ClientAnswer>> answer_;
  std::unique_ptr<Client> client_;
};

TEST_F(Clients, AskOnceAndClose) {
  deliver("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(loop_.written_,
            "GET /web/health HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n"
            "User-Agent: sidecar\r\n\r\n");
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->status, 200);
  EXPECT_EQ((*answer_)->body, "ok");
  EXPECT_EQ(loop_.stream_, nullptr) << "the connection is closed";
}

TEST_F(Clients, ReadChunksAndInterimAnswers) {
  for (const size_t size : {1u, 3u, 1000u}) {
    answer_.reset();
    deliver(
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
        size);
    ASSERT_TRUE(answer_ && *answer_) << size;
    EXPECT_EQ((*answer_)->status, 404);
    EXPECT_EQ((*answer_)->body, "abcd");
  }
}

TEST_F(Clients, TakeACleanCloseAsAnEndOnlyWithoutALength) {
  deliver("HTTP/1.0 200 OK\r\n\r\nabc");
  ASSERT_FALSE(answer_);
  loop_.close();
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->body, "abc");
  answer_.reset();
  deliver("HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nabc");
  loop_.close();
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::backend_reset);
}

TEST_F(Clients, DoNotTakeAResetAsAnEnd) {
  deliver("HTTP/1.0 200 OK\r\n\r\nabc");
  loop_.reset();
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::backend_reset);
}

TEST_F(Clients, ReadNoMoreThanTheyNeed) {
  request_.body_bytes_max = 4;
  deliver("HTTP/1.0 200 OK\r\nContent-Length: 1000000\r\n\r\nabcdefgh", 1000);
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->body, "abcd");
}

TEST_F(Clients, MeasureTheTime) {
  start();
  loop_.pass(40ms);
  loop_.accept();
  loop_.pass(60ms);
  loop_.send("HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(answer_ && *answer_);
  EXPECT_EQ((*answer_)->took, 100ms);
}

TEST_F(Clients, FailWithWhatHappened) {
  start();
  loop_.refuse();
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::connect_refused);
  answer_.reset();
  deliver("HTTP/1.1 200 OK\n");
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::bad_backend_message);
  answer_.reset();
  start();
  loop_.accept();
  loop_.close();
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::backend_reset);
}

TEST_F(Clients, GiveUpAtTheDeadline) {
  request_.deadline = 1s;
  start();
  loop_.pass(999ms);
  EXPECT_FALSE(answer_);
  loop_.pass(33ms);  // timers are coarse
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::connect_timeout);
  EXPECT_EQ(loop_.connecting_, nullptr) << "cancelled";
  answer_.reset();
  start();
  loop_.accept();
  loop_.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  loop_.pass(1033ms);
  ASSERT_TRUE(answer_ && !*answer_);
  EXPECT_EQ(error(), ErrorCode::backend_timeout);
}

TEST_F(Clients, AreCancelledByDestroyingThem) {
  start();
  loop_.accept();
  client_.reset();
  EXPECT_EQ(loop_.stream_, nullptr);
  loop_.pass(10s);
  EXPECT_FALSE(answer_);
}

}  // namespace
}  // namespace http
