// A new process takes over from a running one, and nobody notices (docs/design.md, "Upgrade").
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>

#include "proxy/base/files.h"
#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/websocket.h"

namespace {

using namespace harness;
using nlohmann::json;

std::string plain_get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: t\r\n\r\n";
}

// Websockets as browsers hold them: one that is closed with 1012 is opened again.
class Browsers {
 public:
  Browsers(uint16_t port, size_t count) : port_(port) {
    for (size_t i = 0; i < count; ++i) open(i);
    thread_ = std::thread([this] { run(); });
  }
  ~Browsers() { stop(); }
  void stop() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int64_t reopened() const { return reopened_; }
  std::vector<std::string> complaints() {  // Needs: stopped
    return complaints_;
  }
  int64_t echoed() {  // Needs: stopped
    int64_t count = 0;
    for (auto& each : sockets_) count += each && each->echo("x") == "x" ? 1 : 0;
    return count;
  }

 private:
  void open(size_t i) {
    if (i >= sockets_.size()) {
      sockets_.emplace_back();
      watched_.push_back({-1, POLLIN, 0});
    }
    try {
      sockets_[i] = std::make_unique<WebsocketClient>(port_);
      watched_[i].fd = sockets_[i]->client().socket().descriptor();
    } catch (const Failure& failure) {
      watched_[i].fd = -1;
      complaints_.push_back(std::string("open: ") + failure.what());
    }
  }
  void run() {
    for (bool is_last = false; !is_last;) {
      const bool was_ending = ending_;  // what has come by then is still looked at
      const int ready = ::poll(watched_.data(), watched_.size(), was_ending ? 0 : 20);
      is_last = was_ending && ready <= 0;
      for (size_t i = 0; i < watched_.size(); ++i) {
        if (watched_[i].fd < 0 || watched_[i].revents == 0) continue;
        const int code = sockets_[i]->wait_for_close();
        if (code != 1012) complaints_.push_back("closed with " + std::to_string(code));
        ++reopened_;
        open(i);
      }
    }
  }
  const uint16_t port_;
  std::vector<std::unique_ptr<WebsocketClient>> sockets_;
  std::vector<pollfd> watched_;
  std::vector<std::string> complaints_;
  std::atomic<bool> ending_{false};
  std::atomic<int64_t> reopened_{0};
  std::thread thread_;
};

// C52: ten upgrades in a row under 500 requests a second and 200 websockets.
TEST(Upgrade, TenInARowRefuseNobodyAndLoseNothing) {
  constexpr int kUpgrades = 10;
  constexpr size_t kSockets = 200;
  base::raise_file_limit();
  const TempFolder folder;
  const Standin blue("blue", {"--workers", "4"}, folder / "nonces");
  const Standin green("green", {"--workers", "4"}, folder / "nonces");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(1)};
  setup.keys["upgrade"] = "{ idle: 2s, grace: 200ms }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  LoadSetup load;
  load.port = sidecar.port();
  load.threads = 8;
  load.users = 40;
  load.rate = 250;
  Load readers(load);
  load.method = "POST";
  load.body = std::string(2'000, 'b');
  load.nonce_prefix = "post";
  Load writers(load);
  Browsers browsers(sidecar.port(), kSockets);
  double slowest_s = 0;
  double requests = 0;
  for (int i = 1; i <= kUpgrades; ++i) {
    const auto begun = SteadyClock::now();
    sidecar.take_over();
    const double now = sidecar.scrape().sum("odoo_requests_total");
    EXPECT_GE(now, requests) << "counters never fall";
    requests = now;
    // Every other one begins while the one before is not over, and waits for that.
    if (i % 2 == 0) {
      EXPECT_EQ(sidecar.wait_for_previous(), 0) << "the old one ends when its work does";
    }
    slowest_s = std::max(slowest_s, seconds_since(begun));
  }
  const LoadFigures got = readers.stop(), posted = writers.stop();
  browsers.stop();
  EXPECT_EQ(got.errors(), 0) << (got.complaints.empty() ? "" : got.complaints.front());
  EXPECT_EQ(posted.errors(), 0) << (posted.complaints.empty() ? "" : posted.complaints.front());
  std::map<std::string, int> times;
  for (const Executed& one : read_nonce_log(folder / "nonces")) ++times[one.nonce];
  for (const auto& [nonce, count] : times) EXPECT_EQ(count, 1) << nonce;
  EXPECT_EQ(static_cast<int64_t>(times.size()), got.sent + posted.sent);
  const auto complaints = browsers.complaints();
  EXPECT_TRUE(complaints.empty()) << complaints.size() << ": " << complaints.front();
  EXPECT_EQ(browsers.echoed(), static_cast<int64_t>(kSockets));
  EXPECT_GE(browsers.reopened(), static_cast<int64_t>(kSockets) * (kUpgrades - 1));
  std::printf(
      "%d upgrades, %lld GET and %lld POST, each executed once; %lld websockets moved; the "
      "longest upgrade took %.2f s\n",
      kUpgrades, static_cast<long long>(got.sent), static_cast<long long>(posted.sent),
      static_cast<long long>(browsers.reopened()), slowest_s);
}

// C52: what still runs in the old process is seen, waited for and drained by the new one.
TEST(Upgrade, ADrainCountsBothProcesses) {
  Gatekeeper gate;
  const ScriptedBackend blue([&gate](Peer& peer, const std::string& head) {
    if (head.find("/slow") != std::string::npos) gate.wait_for_turn();
    peer.send(plain_answer(200, "blue"));
  });
  const ScriptedBackend green;
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {blue.address()}, {blue.address()}, "auto", false},
                  {"green", 0, {green.address()}, {green.address()}, "auto", false}};
  setup.keys["timeouts"] = "{ linger: 200ms }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  sidecar.command("weights blue=7 green=0");
  RawClient idle(sidecar.port());
  EXPECT_EQ(idle.send(plain_get("/a")).read_answer().status, 200);
  RawClient slow(sidecar.port());
  slow.send(plain_get("/slow"));
  await("work on blue", [&] { return sidecar.in_flight("color", "blue") == 1; });
  const json before = json::parse(sidecar.ask("status"));
  sidecar.take_over();
  const json after = json::parse(sidecar.ask("status"));
  EXPECT_EQ(after.at("epoch"), before.at("epoch"));
  EXPECT_EQ(after.at("colors").at("blue").at("weight"), 7);
  EXPECT_EQ(after.at("colors").at("blue").at("health").get<std::string>().rfind("up", 0), 0u);
  await("the old one's work to be seen", [&] { return sidecar.in_flight("color", "blue") == 1; });
  EXPECT_EQ(json::parse(sidecar.ask("inflight blue")).at("count"), 1);
  AdminClient admin(sidecar.socket_path());
  admin.send("drain blue deadline=0 wait=20s");
  await("blue to be closing", [&] {
    return json::parse(sidecar.ask("status")).at("colors").at("blue").at("state") == "closing";
  });
  // A client of the old process: its decisions are those of the new one, and it is asked to go.
  const Answer answer = idle.send(plain_get("/a")).read_answer();
  EXPECT_EQ(answer.body, "ok") << "green: blue is closed there as well";
  EXPECT_FALSE(answer.keeps_connection);
  std::string early;
  EXPECT_EQ(admin.socket().receive(early, 4096, Millis{200}), -2) << early;
  gate.open();
  EXPECT_EQ(slow.read_answer().body, "blue");
  EXPECT_TRUE(json::parse(admin.read_line()).at("empty").get<bool>());
  EXPECT_EQ(sidecar.wait_for_previous(), 0);
  EXPECT_EQ(sidecar.scrape().sum("odoo_requests_total", "color=\"blue\""), 2);
}

// A new process that leaves before it serves leaves everything as it was.
TEST(Upgrade, GoesOnWhenTheNewProcessLeavesBeforeItServes) {
  const ScriptedBackend blue;
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {blue.address()}, {blue.address()}, "auto", false}};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  {
    AdminClient other(sidecar.socket_path() + ".takeover");
    EXPECT_TRUE(json::parse(other.ask(R"({"take_over":1,"pid":1})")).at("ok").get<bool>());
    EXPECT_EQ(json::parse(sidecar.ask("weights blue=2")).at("error").at("code"), "moved");
    EXPECT_EQ(get(sidecar.port(), "/a").status, 200) << "traffic goes on";
    AdminClient third(sidecar.socket_path() + ".takeover");
    EXPECT_FALSE(json::parse(third.read_line()).at("ok").get<bool>()) << "one at a time";
  }
  await("changes to be taken again",
        [&] { return json::parse(sidecar.ask("weights blue=3")).at("ok").get<bool>(); });
  EXPECT_EQ(sidecar.scrape_again().sum("sidecar_state_unsaved"), 0);
  sidecar.take_over();
  EXPECT_EQ(sidecar.wait_for_previous(), 0);
  EXPECT_EQ(json::parse(sidecar.ask("status")).at("colors").at("blue").at("weight"), 3);
}

// A supervisor holds the socket (systemd): a restart makes clients wait, and refuses none.
TEST(Upgrade, ARestartUnderSocketActivationRefusesNobody) {
  const ScriptedBackend blue;
  Socket held(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(held.descriptor(), reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  ASSERT_EQ(::listen(held.descriptor(), 128), 0);
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {blue.address()}, {blue.address()}, "auto", false}};
  setup.activated_socket = held.descriptor();
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  EXPECT_EQ(get(sidecar.port(), "/a").status, 200);
  ASSERT_EQ(sidecar.stop(), 0);
  RawClient waits(sidecar.port());
  waits.send(plain_get("/b"));
  sidecar.start();
  EXPECT_EQ(waits.read_answer().status, 200);
}

}  // namespace
