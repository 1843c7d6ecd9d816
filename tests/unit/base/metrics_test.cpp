#include "proxy/base/metrics.h"

#include <atomic>

#include "tests/unit/base/loop_fixture.h"

namespace base {
namespace {

std::vector<MetricFamily> families() {
  MetricFamily requests{.name = "odoo_requests_total",
                        .help = "Requests answered.",
                        .type = MetricFamily::Type::counter,
                        .edges = {},
                        .samples = {}};
  requests.samples.push_back({{{"color", "blue"}, {"code", "200"}}, 12, {}, 0});
  requests.samples.push_back({{{"color", "a\"b\\c\nd"}, {"code", "200"}}, 0, {}, 0});
  MetricFamily active{.name = "odoo_active_requests",
                      .help = "In flight.",
                      .type = MetricFamily::Type::gauge,
                      .edges = {},
                      .samples = {}};
  active.samples.push_back({{{"kind", "http"}}, 3, {}, 0});
  MetricFamily latency{.name = "odoo_request_latency_seconds",
                       .help = "Latency.",
                       .type = MetricFamily::Type::histogram,
                       .edges = {0.6, 1.2},
                       .samples = {}};
  latency.samples.push_back({{{"route", "web"}}, 0, {1, 4, 6}, 7.25});
  return {requests, active, latency};
}

TEST(MetricsText, IsPrometheusTextOfEveryKind) {
  const std::string text = metrics_text(families());
  for (const char* line : {
           "# HELP odoo_requests_total Requests answered.\n",
           "# TYPE odoo_requests_total counter\n",
           "odoo_requests_total{color=\"blue\",code=\"200\"} 12\n",
           "odoo_requests_total{color=\"a\\\"b\\\\c\\nd\",code=\"200\"} 0\n",
           "# TYPE odoo_active_requests gauge\n",
           "odoo_active_requests{kind=\"http\"} 3\n",
           "# TYPE odoo_request_latency_seconds histogram\n",
           "odoo_request_latency_seconds_bucket{route=\"web\",le=\"0.6\"} 1\n",
           "odoo_request_latency_seconds_bucket{route=\"web\",le=\"1.2\"} 4\n",
           "odoo_request_latency_seconds_bucket{route=\"web\",le=\"+Inf\"} 6\n",
           "odoo_request_latency_seconds_sum{route=\"web\"} 7.25\n",
           "odoo_request_latency_seconds_count{route=\"web\"} 6\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

// The whole answer to a scrape.
std::string scrape(const Address& at) {
  RawPeer peer = RawPeer::connect_to(at);
  peer.send("GET /metrics HTTP/1.0\r\n\r\n");
  std::string answer;
  for (std::string piece; !(piece = peer.receive()).empty() && piece != "RST";) answer += piece;
  return answer;
}

TEST(MetricsServer, ServesWhatIsCollectedAtEachScrape) {
  std::atomic<int> scrapes = 0;
  auto server = MetricsServer::start(kAnyPort, [&] {
    auto collected = families();
    collected[1].samples[0].value = ++scrapes;
    return collected;
  });
  ASSERT_TRUE(server) << server.error().detail;
  ASSERT_NE((*server)->bound().port, 0);
  EXPECT_EQ((*server)->bound().host(), "127.0.0.1");
  const std::string answer = scrape((*server)->bound());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("odoo_active_requests{kind=\"http\"} 1\n"), std::string::npos) << answer;
  EXPECT_NE(scrape((*server)->bound()).find("{kind=\"http\"} 2\n"), std::string::npos);
}

TEST(MetricsServer, HalfSentScrapesDoNotBlockAnother) {
  auto server = MetricsServer::start(kAnyPort, [] { return families(); });
  ASSERT_TRUE(server);
  std::vector<RawPeer> stuck;
  for (int i = 0; i < 5; ++i) {
    stuck.push_back(RawPeer::connect_to((*server)->bound()));
    stuck.back().send("GET /metr");
  }
  EXPECT_NE(scrape((*server)->bound()).find("odoo_active_requests"), std::string::npos);
}

TEST(MetricsServer, SaysThatItsPortIsTaken) {
  UvLoop loop;
  Acceptor acceptor;
  auto listener = loop.listen(kAnyPort, false, acceptor);
  ASSERT_TRUE(listener);
  const auto server = MetricsServer::start((*listener)->bound(), [] { return families(); });
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code, ErrorCode::io_failed);
}

TEST(MetricsServer, GivesItsPortBackWhenItEnds) {
  auto server = MetricsServer::start(kAnyPort, [] { return families(); });
  ASSERT_TRUE(server);
  const Address at = (*server)->bound();
  server->reset();
  EXPECT_TRUE(MetricsServer::start(at, [] { return families(); }));
}

}  // namespace
}  // namespace base
