// Both sides of TLS over streams in memory, at every read size.
#include <gtest/gtest.h>

#include "proxy/base/tls_stream.h"
#include "tests/support/certificates.h"
#include "tests/support/memory_peer.h"

namespace base {
namespace {

using support::MemoryLoop;

const Address kAt = *parse_address("10.0.0.1:443");

support::Certificates& files() {
  static support::Certificates made;
  static const bool once = [] {
    made.make("good", "DNS:odoo.example");
    made.make("address", "IP:10.0.0.1");
    made.make("expired", "DNS:odoo.example", -1);
    return true;
  }();
  EXPECT_TRUE(once);
  return made;
}

std::shared_ptr<const TlsContext> server_of(const std::string& name) {
  auto made = TlsContext::for_server({files().certificate(name), files().key(name)});
  EXPECT_TRUE(made.has_value());
  return *made;
}
std::shared_ptr<const TlsContext> client_of(TlsServer server) {
  auto made = TlsContext::for_client(server);
  EXPECT_TRUE(made.has_value());
  return *made;
}
TlsServer trusting() { return {files().certificate("ca"), "odoo.example", true}; }

// One end: writes down what it is told.
struct End final : StreamHandler {
  void take(std::unique_ptr<Stream> from) {
    stream = std::move(from);
    stream->set_handler(this);
    stream->resume_reading();
  }
  void on_bytes(std::string_view piece) override {
    bytes += piece;
    if (pauses) stream->pause_reading();
    if (when_bytes) when_bytes();
  }
  void on_end() override { ended = true; }
  void on_broken(const Error& reason) override {
    broken = true;
    error = reason;
    if (when_broken) when_broken();
  }
  void on_flushed() override { ++flushes; }
  std::unique_ptr<Stream> stream;
  std::string bytes;
  int flushes = 0;
  bool ended = false;
  bool broken = false;
  bool pauses = false;
  Error error;
  std::function<void()> when_bytes, when_broken;
};

class Tls : public testing::TestWithParam<size_t>, AcceptHandler, ConnectHandler {
 protected:
  Tls() : loop_(support::MemoryNetwork{.read_size = GetParam(), .capacity = 8 << 10}) {
    listener_ = *loop_.listen(kAt, false, *this);
  }
  ~Tls() override {
    connecting_.reset();
    client_.stream.reset();
    server_.stream.reset();
    raw_.reset();
    listener_.reset();
    loop_.run_until_idle();
  }
  void connect(TlsServer server = trusting()) { connect(client_of(server)); }
  void connect(std::shared_ptr<const TlsContext> context) {
    connecting_ = connect_tls(loop_, kAt, context, session_, *this);
    loop_.run_until_idle();
  }
  // The client's end without TLS of ours.
  void dial() {
    raw_ = std::make_unique<support::MemoryPeer>(loop_, kAt);
    loop_.run_until_idle();
  }
  void start_over() {
    client_.stream.reset();
    server_.stream.reset();
    loop_.run_until_idle();
    client_.bytes.clear();
    server_.bytes.clear();
  }
  TlsStream& client() { return static_cast<TlsStream&>(*client_.stream); }
  TlsStream& server() { return static_cast<TlsStream&>(*server_.stream); }
  static std::string some_bytes(size_t size) {
    std::string bytes(size, 0);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
    return bytes;
  }

  MemoryLoop loop_;
  std::shared_ptr<const TlsContext> server_context_ = server_of("good");
  std::shared_ptr<TlsSession> session_ = std::make_shared<TlsSession>();
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<support::MemoryPeer> raw_;
  Stream* end_below_ = nullptr;  // the server's, without TLS
  End client_;
  End server_;
  Error failure_;
  bool failed_ = false;

 private:
  void on_accepted(std::unique_ptr<Stream> stream) override {
    end_below_ = stream.get();
    server_.take(TlsStream::accept(loop_, server_context_, std::move(stream)));
  }
  void on_connected(std::unique_ptr<Stream> stream) override {
    connecting_.reset();
    client_.take(std::move(stream));
  }
  void on_connect_failed(const Error& error) override {
    connecting_.reset();
    failed_ = true;
    failure_ = error;
  }
};
std::string read_size_name(const testing::TestParamInfo<size_t>& of) {
  return of.param == SIZE_MAX ? "whole" : std::to_string(of.param);
}
INSTANTIATE_TEST_SUITE_P(Reads, Tls, testing::Values<size_t>(1, 2, 3, 7, SIZE_MAX), read_size_name);

TEST_P(Tls, CarriesBytesBothWays) {
  connect();
  ASSERT_TRUE(client_.stream != nullptr) << failure_.detail;
  const std::string there = some_bytes(40'000);
  const std::string back = some_bytes(50'001);
  client_.stream->write(there);
  server_.stream->write(back);
  loop_.run_until_idle();
  EXPECT_EQ(server_.bytes, there);
  EXPECT_EQ(client_.bytes, back);
  EXPECT_EQ(client_.stream->pending(), 0u);
  EXPECT_GE(client_.flushes, 1);
  EXPECT_GE(server_.flushes, 1);
}

TEST_P(Tls, EndsEachWayByItself) {
  connect();
  client_.stream->write("question");
  client_.stream->finish_writing();
  loop_.run_until_idle();
  EXPECT_EQ(server_.bytes, "question");
  EXPECT_TRUE(server_.ended);
  server_.stream->write("answer");
  server_.stream->finish_writing();
  loop_.run_until_idle();
  EXPECT_EQ(client_.bytes, "answer");
  EXPECT_TRUE(client_.ended);
  EXPECT_FALSE(client_.broken || server_.broken);
}

TEST_P(Tls, SaysGoodbyeWhenItIsDestroyedWhole) {
  connect();
  server_.stream->write("all");
  server_.stream.reset();
  loop_.run_until_idle();
  EXPECT_EQ(client_.bytes, "all");
  EXPECT_TRUE(client_.ended);
  EXPECT_FALSE(client_.broken);
}

TEST_P(Tls, IsBrokenByAResetAfterWhatCameBefore) {
  connect();
  server_.stream->write("part");
  loop_.run_until_idle();
  server_.stream->reset_on_close();
  server_.stream.reset();
  loop_.run_until_idle();
  EXPECT_EQ(client_.bytes, "part");
  EXPECT_FALSE(client_.ended);
  EXPECT_TRUE(client_.broken);
}

TEST_P(Tls, HoldsBackWhileReadingIsOff) {
  connect();
  client_.pauses = true;
  const std::string sent = some_bytes(100'000);
  server_.stream->write(sent);
  loop_.run_until_idle();
  EXPECT_LE(client_.bytes.size(), 16u << 10) << "one record";
  EXPECT_GT(server_.stream->pending(), 0u) << "the sender sees it";
  for (int i = 0; i < 20 && client_.bytes.size() < sent.size(); ++i) {
    const size_t before = client_.bytes.size();
    client_.stream->resume_reading();
    EXPECT_EQ(client_.bytes.size(), before) << "nothing from inside the call";
    loop_.run_until_idle();
  }
  EXPECT_EQ(client_.bytes, sent);
  EXPECT_EQ(server_.stream->pending(), 0u);
}

TEST_P(Tls, TellsTheEndAfterAPause) {
  connect();
  client_.pauses = true;
  server_.stream->write("last");
  server_.stream->finish_writing();
  loop_.run_until_idle();
  EXPECT_FALSE(client_.ended);
  client_.stream->resume_reading();
  loop_.run_until_idle();
  EXPECT_TRUE(client_.ended);
}

TEST_P(Tls, MayBeDestroyedInsideEachCallback) {
  connect();
  client_.when_bytes = [this] { client_.stream.reset(); };
  server_.stream->write(some_bytes(40'000));
  loop_.run_until_idle();
  EXPECT_EQ(client_.stream, nullptr);
  server_.when_broken = [this] { server_.stream.reset(); };
  server_.stream->write("into nothing");
  loop_.run_until_idle();
}

TEST_P(Tls, RefusesWhatIsNotTls) {
  dial();
  raw_->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  loop_.run_until_idle();
  EXPECT_TRUE(server_.broken);
  EXPECT_EQ(server_.error.code, ErrorCode::bad_message);
  EXPECT_EQ(server_.error.side, Side::client);
  EXPECT_EQ(server_.bytes, "");
}

TEST_P(Tls, IsBrokenByAnEndInTheHandshake) {
  dial();
  raw_->send(std::string_view("\x16\x03\x01\x02", 4));
  raw_->finish();
  loop_.run_until_idle();
  EXPECT_TRUE(server_.broken);
  EXPECT_FALSE(server_.ended);
}

TEST_P(Tls, TakesAnEndWithoutGoodbyeForATruncation) {
  connect();
  server_.stream->write("part");
  loop_.run_until_idle();
  end_below_->finish_writing();
  server_.stream->reset_on_close();  // nothing more to say
  loop_.run_until_idle();
  EXPECT_EQ(client_.bytes, "part");
  EXPECT_TRUE(client_.broken);
  EXPECT_FALSE(client_.ended);
}

TEST_P(Tls, ResumesASession) {
  const auto context = client_of(trusting());
  connect(context);
  server_.stream->write("tickets come with the first bytes");
  loop_.run_until_idle();
  EXPECT_FALSE(client().was_resumed());
  start_over();
  connect(context);
  ASSERT_TRUE(client_.stream != nullptr);
  EXPECT_TRUE(client().was_resumed());
  start_over();
  connect(client_of(trusting()));
  EXPECT_FALSE(client().was_resumed()) << "a context read anew verifies anew";
}

TEST_P(Tls, RefusesTheCertificatesThatItMust) {
  struct Case {
    const char* certificate;
    TlsServer expected;
    const char* reason;
  };
  const std::string ca = files().certificate("ca");
  const Case cases[] = {
      {"expired", trusting(), "expired"},
      {"good", {ca, "other.example", true}, "ostname mismatch"},
      {"good", {ca, "10.0.0.1", true}, "IP address mismatch"},
      {"ca", trusting(), "mismatch"},
      {"good", {"", "odoo.example", true}, "local issuer"},
  };
  for (const Case& one : cases) {
    failed_ = false;
    server_context_ = server_of(one.certificate);
    connect(one.expected);
    EXPECT_TRUE(failed_) << one.reason;
    EXPECT_EQ(client_.stream, nullptr) << one.reason;
    EXPECT_EQ(failure_.code, ErrorCode::certificate_refused);
    EXPECT_EQ(failure_.side, Side::backend);
    EXPECT_NE(failure_.detail.find(one.reason), std::string::npos) << failure_.detail;
    EXPECT_TRUE(server_.broken);
    server_.stream.reset();
    server_.broken = false;
  }
}

TEST_P(Tls, AcceptsTheCertificatesThatItMay) {
  server_context_ = server_of("address");
  connect({files().certificate("ca"), "10.0.0.1", true});
  EXPECT_FALSE(failed_) << failure_.detail;
  start_over();
  server_context_ = server_of("expired");
  connect({"", "other.example", false});
  EXPECT_FALSE(failed_) << failure_.detail;
}

TEST(TlsContext, NamesTheFileThatIsFaulty) {
  const std::string good = files().certificate("good");
  const auto no_file = TlsContext::for_server({"/nowhere.pem", files().key("good")});
  ASSERT_FALSE(no_file.has_value());
  EXPECT_NE(no_file.error().detail.find("certificate /nowhere.pem"), std::string::npos);
  const auto no_key = TlsContext::for_server({good, good});
  ASSERT_FALSE(no_key.has_value());
  EXPECT_NE(no_key.error().detail.find("key " + good), std::string::npos);
  const auto other_key = TlsContext::for_server({good, files().key("expired")});
  ASSERT_FALSE(other_key.has_value());
  EXPECT_NE(other_key.error().detail.find("mismatch"), std::string::npos)
      << other_key.error().detail;
  EXPECT_FALSE(TlsContext::for_client({"/nowhere.pem", "odoo.example", true}).has_value());
}

}  // namespace
}  // namespace base
