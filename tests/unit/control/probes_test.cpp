#include "shifter/control/probes.h"

#include <gtest/gtest.h>

#include "tests/unit/base/loop_fixture.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using base::ErrorCode;
using base::Side;

// A backend that answers each connection with `answer` and closes, or with nothing.
struct Backend final : base::AcceptHandler, base::StreamHandler {
  explicit Backend(base::UvLoop& loop) : listener(*loop.listen(base::kAnyPort, false, *this)) {}
  void on_accepted(std::unique_ptr<base::Stream> stream) override {
    ++connections;
    streams.push_back(std::move(stream));
    streams.back()->set_handler(this);
    streams.back()->resume_reading();
  }
  void on_bytes(std::string_view bytes) override {
    requests += bytes;
    if (answer.empty()) return;
    streams.back()->write(answer);
    streams.back()->finish_writing();
  }
  void on_end() override {}
  void on_broken(const base::Error&) override {}
  void on_flushed() override {}

  std::unique_ptr<base::Listener> listener;
  std::vector<std::unique_ptr<base::Stream>> streams;
  std::string answer = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
  std::string requests;
  int connections = 0;
};

struct Seen {
  routing::BackendId id;
  ProbeOutcome outcome;
};

class ProbesTest : public ::testing::Test {
 protected:
  ProbesTest() { config.interval = 100ms; }
  ProbeTarget target(routing::BackendId id = 7) {
    return {id, routing::Port::http, backend.listener->bound(), "odoo-blue:8069"};
  }
  base::UvLoop loop;
  Backend backend{loop};
  HealthConfig config;
  std::vector<Seen> seen;
  AddressProbes probes{loop, config, [this](routing::BackendId id, ProbeOutcome outcome) {
                         seen.push_back({id, outcome});
                       }};
};

// C24: the first probe is sent at once (a busy machine is given a second), not after one interval.
TEST_F(ProbesTest, BeginAtOnceAndGoOn) {
  config.interval = 1h;
  probes.set_config(config);
  const base::Instant start = loop.fresh();
  probes.set_targets({target()});
  base::run_until(loop, [&] { return seen.size() == 1; });
  EXPECT_LT(loop.fresh() - start, 1s);
  EXPECT_EQ(seen[0].id, 7);
  EXPECT_EQ(seen[0].outcome, ProbeOutcome::pass);
  EXPECT_TRUE(backend.requests.starts_with("GET /web/health HTTP/1.")) << backend.requests;
  EXPECT_NE(backend.requests.find("Host: odoo-blue:8069\r\n"), std::string::npos);

  config.interval = 20ms;
  probes.set_config(config);
  probes.set_targets({target(7), target(8)});  // 7 goes on as it is, 8 begins
  base::run_until(loop, [&] { return seen.size() >= 4; });
  EXPECT_EQ(seen[1].id, 8);
}

TEST_F(ProbesTest, AskTheWebsocketPortForItsOwnPage) {
  ProbeTarget websocket = target();
  websocket.port = routing::Port::websocket;
  probes.set_targets({websocket});
  base::run_until(loop, [&] { return !seen.empty(); });
  EXPECT_TRUE(backend.requests.starts_with("GET /websocket/health ")) << backend.requests;
}

TEST_F(ProbesTest, SayHowTheyFailed) {
  config.timeout = 50ms;
  probes.set_config(config);
  backend.answer = "HTTP/1.0 500 INTERNAL SERVER ERROR\r\nContent-Length: 0\r\n\r\n";
  probes.set_targets({target()});
  base::run_until(loop, [&] { return seen.size() == 1; });
  backend.answer = "";
  base::run_until(loop, [&] { return seen.size() == 2; });
  backend.listener.reset();
  base::run_until(loop, [&] { return seen.size() == 3; });
  EXPECT_EQ(seen[0].outcome, ProbeOutcome::bad_status);
  EXPECT_EQ(seen[1].outcome, ProbeOutcome::time_out);
  EXPECT_EQ(seen[2].outcome, ProbeOutcome::refused);
}

TEST_F(ProbesTest, StopWithTheirTarget) {
  backend.answer = "";
  probes.set_targets({target()});
  base::run_until(loop, [&] { return backend.connections == 1; });
  probes.set_targets({});
  base::settle(loop);
  EXPECT_TRUE(seen.empty());
}

TEST_F(ProbesTest, AskForPagesInRounds) {
  std::vector<PageProbes::Round> rounds;
  PageProbes pages(loop, [&](PageProbes::Round round) { rounds.push_back(std::move(round)); });
  ProbeTarget nobody = target();
  nobody.address.port = 1;
  pages.ask({target(), std::nullopt, nobody}, config);
  EXPECT_TRUE(pages.is_running());
  base::run_until(loop, [&] { return rounds.size() == 1; });
  EXPECT_FALSE(pages.is_running());
  EXPECT_EQ(rounds[0][0], ProbeOutcome::pass);
  EXPECT_EQ(rounds[0][1], std::nullopt);
  EXPECT_EQ(rounds[0][2], ProbeOutcome::refused);
  EXPECT_TRUE(backend.requests.starts_with("GET /web/login ")) << backend.requests;
  pages.ask({std::nullopt, std::nullopt}, config);
  EXPECT_FALSE(pages.is_running()) << "nobody was asked, nobody answers";
}

TEST(ProbeOutcome, FollowsStatusAndError) {
  auto status = [](int code, bool is_page) {
    http::ClientAnswer answer;
    answer.status = code;
    return outcome_of(answer, is_page);
  };
  EXPECT_EQ(status(200, false), ProbeOutcome::pass);
  for (int code : {204, 301, 404, 500}) EXPECT_EQ(status(code, false), ProbeOutcome::bad_status);
  for (int code : {200, 303, 404}) EXPECT_EQ(status(code, true), ProbeOutcome::pass);
  EXPECT_EQ(status(500, true), ProbeOutcome::bad_status);
  const std::vector<std::pair<ErrorCode, ProbeOutcome>> errors = {
      {ErrorCode::connect_timeout, ProbeOutcome::time_out},
      {ErrorCode::backend_timeout, ProbeOutcome::time_out},
      {ErrorCode::connect_refused, ProbeOutcome::refused},
      {ErrorCode::backend_reset, ProbeOutcome::reset},
      {ErrorCode::connect_failed, ProbeOutcome::failed},
      {ErrorCode::certificate_refused, ProbeOutcome::certificate},
      {ErrorCode::bad_backend_message, ProbeOutcome::failed},
  };
  for (const auto& [code, outcome] : errors) {
    EXPECT_EQ(outcome_of(base::fail(code, Side::backend), false), outcome);
  }
}

}  // namespace
}  // namespace control
