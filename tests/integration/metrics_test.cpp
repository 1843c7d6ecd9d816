// What a scrape shows.
#include <set>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;

SidecarSetup two_colors(const ScriptedBackend& blue, const ScriptedBackend& green) {
  SidecarSetup setup;
  setup.colors = {{"blue", 9, {blue.address()}, {blue.address()}, "auto", false},
                  {"green", 1, {green.address()}, {green.address()}, "auto", false}};
  return setup;
}

std::set<std::string> series_of(const Scrape& scrape) {
  std::set<std::string> names;
  for (const auto& [name, value] : scrape.samples()) names.insert(name);
  return names;
}

TEST(Metrics, EverySeriesIsThereFromTheFirstScrape) {
  const ScriptedBackend blue([](Peer& peer, const std::string& head) {
    if (head.find("/reset") != std::string::npos) return peer.reset();
    peer.send(plain_answer(head.find("/gone") == std::string::npos ? 200 : 404, "x"));
  });
  const ScriptedBackend green;
  SidecarProcess sidecar(two_colors(blue, green));
  const auto first = series_of(sidecar.scrape());
  sidecar.wait_until_up({"blue", "green"});
  for (int i = 0; i < 30; ++i) {
    for (const char* target : {"/a", "/gone", "/reset", "/web/database/x", "/web/assets/1/x.js",
                               "/jsonrpc", "/websocket", "/%2f%", "/longpolling/poll"}) {
      get(sidecar.port(), target);
    }
  }
  RawClient(sidecar.port()).send("nonsense\r\n\r\n").read_until_close();
  sidecar.command("weights blue=1 green=1");
  sidecar.command("drain green deadline=0 wait=5s");
  sidecar.ask("weights blue=x");
  const auto later = series_of(sidecar.scrape());
  for (const std::string& name : later) EXPECT_TRUE(first.count(name)) << name << " came later";
  for (const std::string& name : first) EXPECT_TRUE(later.count(name)) << name << " went away";
}

TEST(Metrics, HaveTheNamesThatDashboardsAndPoliciesRelyOn) {
  const ScriptedBackend blue, green;
  SidecarProcess sidecar(two_colors(blue, green));
  sidecar.wait_until_up({"blue", "green"});
  EXPECT_EQ(get(sidecar.port(), "/a").status, 200);
  const Scrape scrape = sidecar.scrape();
  for (const char* color : {"blue", "green"}) {
    for (const char* edge : {"0.6", "1.2", "+Inf"}) {
      const std::string series = std::string("odoo_request_latency_seconds_bucket{color=\"") +
                                 color + "\",route=\"web\",le=\"" + edge + "\"}";
      EXPECT_TRUE(scrape.has(series)) << series;
    }
    for (const char* kind : {"queued", "http", "longpoll", "websocket", "mirror"}) {
      const std::string series =
          std::string("odoo_active_requests{color=\"") + color + "\",kind=\"" + kind + "\"}";
      EXPECT_TRUE(scrape.has(series)) << series;
    }
  }
  for (const char* kind : {"receiving", "held", "delivering"}) {
    EXPECT_TRUE(
        scrape.has(std::string("odoo_active_requests{color=\"none\",kind=\"") + kind + "\"}"))
        << kind;
  }
  await("the request to be counted", [&] {
    const Scrape now = sidecar.scrape();
    return now.sum("odoo_request_latency_seconds_count", "route=\"web\"") == 1 &&
           now.sum("odoo_requests_total", "code=\"200\"") == 1;
  });
}

TEST(Metrics, PleasePromtool) {
  const ScriptedBackend blue, green;
  SidecarProcess sidecar(two_colors(blue, green));
  sidecar.wait_until_up({"blue", "green"});
  get(sidecar.port(), "/a");
  const std::string file = sidecar.folder() / "metrics.txt";
  write_text(file, sidecar.scrape().text());
  const Finished checked = run_program({"/bin/sh", "-c", "promtool check metrics < " + file});
  EXPECT_EQ(checked.code, 0) << checked.output;
  EXPECT_EQ(checked.output, "");
}

TEST(Metrics, TwoHalfSentScrapesDoNotBlockAThird) {
  const ScriptedBackend blue, green;
  SidecarProcess sidecar(two_colors(blue, green));
  RawClient first(sidecar.metrics_port()), second(sidecar.metrics_port());
  first.send("GET /metr");
  second.send("GET /metrics HTTP/1.1\r\nHost: t\r\n");
  const auto start = SteadyClock::now();
  EXPECT_FALSE(sidecar.scrape().samples().empty());
  EXPECT_LT(seconds_since(start), 1.0 * kSlowness);
}

TEST(Metrics, AreAllDescribedInTheDocuments) {
  const ScriptedBackend blue, green;
  SidecarProcess sidecar(two_colors(blue, green));
  const std::string document = read_text(SOURCE_FOLDER "/docs/metrics.md");
  ASSERT_FALSE(document.empty());
  const std::string text = sidecar.scrape().text();
  for (size_t at = 0; (at = text.find("# TYPE ", at)) != std::string::npos; ++at) {
    const std::string name = text.substr(at + 7, text.find(' ', at + 7) - at - 7);
    EXPECT_NE(document.find(name), std::string::npos) << name << " is not in docs/metrics.md";
  }
}

}  // namespace
