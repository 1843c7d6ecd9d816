// TLS towards the backends: who is believed, what a refusal looks like from each side, and files
// that change under load. The certificates are made while the test runs.
#include <algorithm>
#include <filesystem>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/tls_door.h"
#include "tests/integration/harness/websocket.h"
#include "tests/support/certificates.h"

namespace {

using namespace harness;

// A health that forgives: a color stays up while the test takes its certificate away.
constexpr const char* kPatient =
    "{ interval: 100ms, page_path: \"\", timeout: 2s, rise: 1, fall: 100 }";

class BackendTls : public testing::Test {
 protected:
  BackendTls() {
    made_.make_authority("stranger");
    made_.make("good", "DNS:odoo.example");
    made_.make("expired", "DNS:odoo.example", -1);
    made_.make("other_host", "DNS:other.example");
    made_.make("by_stranger", "DNS:odoo.example", 30, "stranger");
    install("good");
    trust("ca");
  }
  // What the door shows to new connections after its renew().
  void install(const std::string& name, const std::string& as = "shown") {
    copy(made_.certificate(name), made_.certificate(as));
    copy(made_.key(name), made_.key(as));
  }
  void show(const std::string& name) {
    install(name);
    door().renew();
  }
  // Whom the sidecar trusts after a reload.
  void trust(const std::string& authority) {
    copy(made_.certificate(authority), made_.certificate("trusted"));
  }
  static void copy(const std::string& from, const std::string& to) {
    // In one step: somebody may be reading.
    std::filesystem::copy_file(from, to + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(to + ".new", to);
  }
  TlsDoor& door() {
    if (!door_) {
      door_ = std::make_unique<TlsDoor>(
          made_.certificate("shown"), made_.key("shown"),
          std::vector<uint16_t>{blue_.http_port(), blue_.websocket_port()});
    }
    return *door_;
  }
  std::string trusting(const std::string& more = "name: odoo.example") const {
    return "{ ca: " + made_.certificate("trusted") + ", " + more + " }";
  }
  SidecarProcess& start(const std::string& tls, bool reuse = false,
                        const std::string& health = "") {
    SidecarSetup setup;
    setup.workers = 1;
    setup.colors = {{"blue", 1, {door().address(0)}, {door().address(1)}, "auto", reuse, tls}};
    if (!health.empty()) setup.keys["health"] = health;
    sidecar_ = std::make_unique<SidecarProcess>(setup);
    return *sidecar_;
  }
  std::string health() const {
    const auto status = nlohmann::json::parse(sidecar_->ask("status"));
    return status.at("colors").at("blue").at("health").get<std::string>();
  }
  bool log_says(const std::string& event, const std::vector<std::string>& parts) const {
    std::istringstream lines(sidecar_->log());
    for (std::string line; std::getline(lines, line);) {
      if (line.find("\"" + event + "\"") == std::string::npos) continue;
      if (std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
            return line.find(part) != std::string::npos;
          })) {
        return true;
      }
    }
    return false;
  }

  support::Certificates made_;
  Standin blue_{"blue", {"--workers", "8", "--http11-keepalive"}};
  std::unique_ptr<TlsDoor> door_;
  std::unique_ptr<SidecarProcess> sidecar_;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(BackendTls, ServesOverACertificateThatItsAuthoritySigned) {
  start(trusting()).wait_until_up({"blue"});
  for (int i = 0; i < 5; ++i) {
    const Answer answer = get(sidecar_->port(), "/nonce?n=" + std::to_string(i));
    EXPECT_EQ(answer.status, 200) << answer.head;
    EXPECT_TRUE(answer.whole);
  }
  const Answer posted = post(sidecar_->port(), "/echo", std::string(300'000, 'x'));
  EXPECT_TRUE(posted.whole);
  EXPECT_LT(posted.status, 500) << posted.head;
  for (const bool resumed : {false, true}) {
    const std::vector<std::string> names = door().names(resumed);
    EXPECT_FALSE(names.empty()) << (resumed ? "no session was resumed" : "nobody came");
    for (const std::string& name : names) EXPECT_EQ(name, "odoo.example");
  }
}

TEST_F(BackendTls, TakesTheNameFromTheAddressWhereNoneIsSaid) {
  made_.make("by_address", "IP:127.0.0.1");
  install("by_address");
  start(trusting("verify: on")).wait_until_up({"blue"});
  EXPECT_EQ(get(sidecar_->port(), "/nonce?n=1").status, 200);
  EXPECT_EQ(door().names(false).at(0), "None") << "an address is no server name";
}

TEST_F(BackendTls, CarriesWebsocketsAlsoAcrossAReload) {
  start(trusting()).wait_until_up({"blue"});
  WebsocketClient websocket(sidecar_->port());
  EXPECT_EQ(websocket.echo("one"), "one");
  sidecar_->command("reload");
  EXPECT_EQ(websocket.echo(std::string(10'000, 'y')), std::string(10'000, 'y'));
  WebsocketClient another(sidecar_->port());
  EXPECT_EQ(another.echo("two"), "two");
}

struct Refusal {
  const char* certificate;
  const char* reason;
};
const Refusal kRefusals[] = {{"expired", "certificate has expired"},
                             {"other_host", "ostname mismatch"},
                             {"by_stranger", "unable to get local issuer certificate"},
                             {"stranger", "self-signed certificate"}};

TEST_F(BackendTls, IsDownWithTheReasonWhileItsCertificateIsRefused) {
  for (const Refusal& one : kRefusals) {
    SCOPED_TRACE(one.certificate);
    door();
    show(one.certificate);
    start(trusting());
    await("the color to be down for its certificate",
          [this] { return health() == "down(certificate)"; });
    await("the log to say why", [&] {
      return log_says("certificate_refused", {"\"blue\"", door().address(0), one.reason});
    });
    EXPECT_EQ(blue_.executed().size(), 0u);
    show("good");  // and comes back by itself
    sidecar_->wait_until_up({"blue"});
  }
}

TEST_F(BackendTls, AnswersARefusedCertificateWith502AndSaysWhyOnlyInTheLog) {
  for (const Refusal& one : kRefusals) {
    SCOPED_TRACE(one.certificate);
    door();
    show("good");
    start(trusting(), false, kPatient).wait_until_up({"blue"});
    show(one.certificate);
    const Answer answer = get(sidecar_->port(), "/nonce?n=1");
    EXPECT_EQ(answer.status, 502) << answer.head;
    for (const char* word : {"ertificate", "TLS", "127.0.0.1", "odoo.example", "expired"}) {
      EXPECT_FALSE(holds(answer.head + answer.body, word)) << word << answer.body;
    }
    EXPECT_EQ(post(sidecar_->port(), "/nonce?n=2", "x").status, 502);
    await("the log to say why", [&] {
      return log_says("certificate_refused", {"\"blue\"", door().address(0), one.reason});
    });
    await("the access log to say so",
          [&] { return holds(sidecar_->access_log(), "\"error\":\"certificate_refused\""); });
    const Scrape scrape = sidecar_->scrape();
    EXPECT_EQ(scrape.value("sidecar_certificates_refused_total"), 2);
    EXPECT_EQ(scrape.value("sidecar_errors_total{error=\"certificate_refused\"}"), 2);
    EXPECT_EQ(blue_.executed().size(), 0u);
  }
}

TEST_F(BackendTls, TriesAnotherBackendWhereOneIsRefusedSinceNothingWasWritten) {
  install("good", "second");
  TlsDoor second(made_.certificate("second"), made_.key("second"), {blue_.http_port()});
  SidecarSetup setup;
  setup.workers = 1;
  setup.keys["health"] = kPatient;
  setup.colors = {{"blue",
                   1,
                   {door().address(0), second.address(0)},
                   {door().address(1)},
                   "auto",
                   false,
                   trusting()}};
  sidecar_ = std::make_unique<SidecarProcess>(setup);
  sidecar_->wait_until_up({"blue"});
  await("both addresses to be up", [this] {
    return sidecar_->scrape().sum("sidecar_color_addresses_up", "port=\"http\"") == 2;
  });
  show("expired");
  // Also what must not run twice: not a byte of it had left.
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(post(sidecar_->port(), "/nonce?n=" + std::to_string(i), "x").status, 200) << i;
  }
  EXPECT_EQ(blue_.executed().size(), 8u);
  EXPECT_GT(sidecar_->scrape().value("sidecar_certificates_refused_total"), 0);
  EXPECT_GT(sidecar_->scrape().value("sidecar_retries_total"), 0);
}

TEST_F(BackendTls, BelievesAnybodyWhenItIsToldTo) {
  for (const Refusal& one : kRefusals) {
    SCOPED_TRACE(one.certificate);
    door();
    show(one.certificate);
    start("{ verify: off }").wait_until_up({"blue"});
    EXPECT_EQ(get(sidecar_->port(), "/nonce?n=1").status, 200);
  }
}

TEST_F(BackendTls, NeverSpeaksPlainWhereTlsIsConfigured) {
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {blue_.http()}, {blue_.websocket()}, "auto", false, trusting()}};
  sidecar_ = std::make_unique<SidecarProcess>(setup);
  await("the probes to have failed", [this] { return health() != "down(starting)"; });
  EXPECT_EQ(health().rfind("down(", 0), 0u) << health();
  EXPECT_EQ(blue_.executed().size(), 0u);
}

TEST_F(BackendTls, DropsNothingWhenTheAuthoritiesChangeUnderLoad) {
  start(trusting(), true, kPatient).wait_until_up({"blue"});
  write_text(made_.certificate("both"),
             read_text(made_.certificate("stranger")) + read_text(made_.certificate("ca")));
  LoadSetup load_setup;
  load_setup.port = sidecar_->port();
  load_setup.threads = 4;
  Load load(load_setup);
  for (int i = 0; i < 12; ++i) {
    trust(i % 2 == 0 ? "both" : "ca");
    const int64_t before = load.sent();
    if (i % 3 == 0) {
      sidecar_->process().signal(SIGHUP);
    } else {
      sidecar_->command("reload");
    }
    await("requests after the change", [&] { return load.sent() >= before + 20; });
  }
  const LoadFigures figures = load.stop();
  EXPECT_EQ(figures.errors(), 0) << (figures.complaints.empty() ? "" : figures.complaints[0]);
  EXPECT_EQ(figures.answered(200), figures.sent);
  EXPECT_GT(sidecar_->scrape().value("sidecar_connects_reused_total"), 0) << "nothing was kept";
}

TEST_F(BackendTls, ClosesKeptConnectionsAndForgetsSessionsWhenItsAuthoritiesChange) {
  start(trusting(), true, kPatient).wait_until_up({"blue"});
  for (int i = 0; i < 4; ++i) EXPECT_EQ(get(sidecar_->port(), "/nonce?n=1").status, 200);
  EXPECT_GT(sidecar_->scrape().value("sidecar_connects_reused_total"), 0);
  trust("stranger");
  sidecar_->command("reload");
  EXPECT_EQ(get(sidecar_->port(), "/nonce?n=2").status, 502);
  trust("ca");
  sidecar_->process().signal(SIGHUP);
  await("the old authority to count again",
        [this] { return get(sidecar_->port(), "/nonce?n=3").status == 200; });
}

TEST_F(BackendTls, KeepsWhatItTrustsWhenTheNewFileIsFaulty) {
  start(trusting(), false, kPatient).wait_until_up({"blue"});
  write_text(made_.certificate("trusted"), "no certificate");
  const std::string answer = sidecar_->ask("reload");
  EXPECT_TRUE(holds(answer, "\"ok\":false")) << answer;
  EXPECT_TRUE(holds(answer, "colors.blue.tls")) << answer;
  EXPECT_TRUE(holds(answer, made_.certificate("trusted"))) << answer;
  sidecar_->process().signal(SIGHUP);
  await("the log to say so", [this] { return log_says("certificate_kept", {"colors.blue.tls"}); });
  EXPECT_EQ(get(sidecar_->port(), "/nonce?n=1").status, 200);
}

TEST_F(BackendTls, FindsFaultyFilesWhenTheConfigIsChecked) {
  start(trusting());
  const auto check = [this] {
    return run_program({program("sidecar"), "--check", "--config", sidecar_->config_path()});
  };
  EXPECT_EQ(check().code, 0);
  std::filesystem::remove(made_.certificate("trusted"));
  const Finished faulty = check();
  EXPECT_EQ(faulty.code, 2);
  EXPECT_TRUE(holds(faulty.output, "colors.blue.tls")) << faulty.output;
  EXPECT_TRUE(holds(faulty.output, "No such file")) << faulty.output;
}

}  // namespace
