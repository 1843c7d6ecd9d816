// The whole of it: a real sidecar decides, a real agent acts, and the containers are processes that
// serve, started and stopped by the stand-in for docker.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/agent/process_sockets.h"
#include "tests/agent/standin_docker.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;
using agent_tests::put_standin_docker;
using agent_tests::standin_image_id;
using nlohmann::json;

const std::string kDigest17 = "odoo@sha256:" + std::string(64, '7');

bool is_free(uint16_t port) {
  const Socket probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::bind(probe.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
         0;
}

// A container's ports stay the same over its lives; below those that the kernel gives to others.
std::vector<uint16_t> free_ports(size_t count) {
  std::vector<uint16_t> ports;
  for (int i = 0; i < 12'000 && ports.size() < count; ++i) {
    const auto port = static_cast<uint16_t>(20'000 + (::getpid() * 16 + i) % 12'000);
    if (is_free(port)) ports.push_back(port);
  }
  if (ports.size() < count) throw Failure("no ports");
  return ports;
}

class Whole {
 public:
  explicit Whole(const std::string& rollout, const std::string& policy = "") {
    const auto ports = free_ports(4);
    const auto port = [&](size_t i) { return std::to_string(ports[i]); };
    write_text(folder_ / ".env",
               "IMAGE_BLUE=odoo:17\nIMAGE_GREEN=odoo:16\nWORKERS_BLUE=2\nWORKERS_GREEN=2\n");
    write_text(folder_ / "services.json",
               json{{"odoo_blue", {{"COLOR", "blue"}, {"HTTP", port(0)}, {"SOCKETS", port(1)}}},
                    {"odoo_green", {{"COLOR", "green"}, {"HTTP", port(2)}, {"SOCKETS", port(3)}}}}
                   .dump());
    const std::vector<std::string> serve = {program("standin_odoo"),
                                            "--color",
                                            "{COLOR}",
                                            "--workers",
                                            "{WORKERS}",
                                            "--http",
                                            "{HTTP}",
                                            "--websocket",
                                            "{SOCKETS}",
                                            "--latency-ms",
                                            "50"};
    environment_ = put_standin_docker(
        folder_.path(), {{"odoo:16", {{}, {"odoo@sha256:" + std::string(64, '6')}, serve}},
                         {"odoo:17", {{}, {kDigest17}, serve}},
                         {"shifter-stub:1", {}}});
    docker({"docker-compose", "-p", "whole", "up", "-d"});
    docker({"docker-compose", "-p", "whole", "stop", "-t", "5", "odoo_green"});

    SidecarSetup setup;
    setup.colors = {{"blue", 10, {"127.0.0.1:" + port(0)}, {"127.0.0.1:" + port(1)}},
                    {"green", 0, {"127.0.0.1:" + port(2)}, {"127.0.0.1:" + port(3)}}};
    setup.keys = {{"rollout", rollout}, {"drain", "{ deadline: 2s, quiet: 1s, wait: 10s }"}};
    if (!policy.empty()) {
      write_text(folder_ / "policy.yml", policy);
      setup.keys["scaling"] = "{ policy: " + folder_ / "policy.yml" + " }";
    }
    sidecar_ = std::make_unique<SidecarProcess>(std::move(setup));
    sidecar_->wait_until_up({"blue"});
    write_text(folder_ / "agent.yaml",
               "socket: " + sidecar_->socket_path() + "\njournal: " + folder_ / "journal.json" +
                   "\nenv_file: " + folder_ / ".env" + "\ncompose: { folder: " + folder_.path() +
                   ", project: whole }\ncolors:\n"
                   "  blue: { service: odoo_blue, workers_key: WORKERS_BLUE,"
                   " image_key: IMAGE_BLUE }\n"
                   "  green: { service: odoo_green, workers_key: WORKERS_GREEN,"
                   " image_key: IMAGE_GREEN }\n"
                   "times: { health: 15s, count: 5s, poll: 50ms, stop_grace: 5s, figures: 1s,"
                   " reconnect: 50ms }\n");
    start_agent();
  }
  ~Whole() {
    agent_.reset();
    try {
      write_text(folder_ / "behave.json", "{}");
      docker({"docker-compose", "-p", "whole", "rm", "-s", "-f"});
    } catch (const Failure&) {
      // The test has been judged.
    }
  }

  void start_agent() {
    agent_ = std::make_unique<Process>(
        in_environment({program("shifter"), "agent", "--config", folder_ / "agent.yaml"}),
        folder_ / "agent.log");
    await("the agent's hello",
          [&] { return sidecar_->ask("actions").find("\"connected\":true") != std::string::npos; });
  }
  Process& agent() { return *agent_; }
  SidecarProcess& sidecar() { return *sidecar_; }
  json status() const { return json::parse(sidecar_->ask("status")); }
  json ask(const std::string& line) const { return json::parse(sidecar_->ask(line)); }
  json last_rollout() const { return ask("explain").at("rollout"); }
  void await_end(Millis within = Millis{60'000}) {
    await(
        "the end of the rollout; " + story(),
        [&] {
          const json rollout = status().at("rollout");
          return rollout.is_object() && rollout.at("state") == "idle";
        },
        within);
  }
  // What is scraped is a copy of a moment ago.
  void await_count(const std::string& name, const std::string& labels, double value) {
    await(name + " " + labels, [&] { return sidecar_->scrape().sum(name, labels) == value; });
  }
  // How docker-compose answers a verb from now on: fail or hang.
  void misbehave(const std::string& verb, const std::string& how) {
    write_text(folder_ / "behave.json", json{{verb, how}}.dump());
  }
  // So often was docker-compose asked for it by the agent.
  long calls(const std::string& verb) const {
    std::istringstream lines(read_text(folder_ / "calls"));
    long count = 0;
    for (std::string line; std::getline(lines, line);) {
      const json words = json::parse(line);
      if (words.size() < 4 || words[0] != "docker-compose" || words[3] != verb) continue;
      ++count;
    }
    return count;
  }
  json container(const std::string& service) const {
    return json::parse(read_text(folder_ / "state.json")).at(service);
  }
  std::string env() const { return read_text(folder_ / ".env"); }
  std::string story() const {
    return "agent:\n" + read_text(folder_ / "agent.log") + "sidecar:\n" + sidecar_->log();
  }

 private:
  std::vector<std::string> in_environment(const std::vector<std::string>& words) const {
    std::vector<std::string> line = {"/usr/bin/env"};
    line.insert(line.end(), environment_.begin(), environment_.end());
    line.insert(line.end(), words.begin(), words.end());
    return line;
  }
  void docker(std::vector<std::string> words) const {
    const Finished end = run_program(in_environment(words), Millis{30'000});
    if (end.code != 0) throw Failure(words[3] + ": " + end.output);
  }

  TempFolder folder_;
  std::vector<std::string> environment_;
  std::unique_ptr<SidecarProcess> sidecar_;
  std::unique_ptr<Process> agent_;
};

constexpr const char* kPolicy =
    "min_workers: 2\nmax_workers: 4\n"
    "scale_up: { p95_latency_s: 0.2, step: 2, for: 1800ms, min_requests: 20 }\n"
    "scale_down: { p95_latency_s: 0.1, step: 1, for: 36s }\n"
    "window: 600ms\nwindow_requests: 5\nblind_after: 10s\n"
    "capacity: { workers_per_cpu: 8, memory_per_worker: 1MiB, memory_reserve: 1MiB }\n";

// R60, and the whole way of a decision: load drives p95 over the threshold, the sidecar decides,
// the agent starts the cold color with more workers and the release that is live, users move, the
// old color drains and is stopped. Nobody sees an error.
TEST(Whole, LoadBringsMoreWorkersAndNobodySeesAnError) {
  Whole whole("{ warm_for: 300ms, scale_bake: 500ms, look: 100ms }", kPolicy);
  const json blue = whole.container("odoo_blue");
  const json database = whole.container("db");
  LoadSetup setup;
  setup.port = whole.sidecar().port();
  setup.threads = setup.users = 12;
  setup.fields = "Sec-Fetch-Mode: navigate\r\n";
  Load load(setup);
  await(
      "the scaler to act",
      [&] {
        const json status = whole.status();
        return status.at("rollout").is_object() && status.at("rollout").at("state") == "idle" &&
               status.at("scaler").at("under_way").is_null();
      },
      Millis{60'000});
  LoadFigures during = load.lap();
  const int64_t sent = load.sent();
  await("users on the new color", [&] { return load.sent() > sent + 100; });
  LoadFigures after = load.stop();

  EXPECT_EQ(during.errors(), 0) << json(during.complaints).dump() << whole.story();
  EXPECT_EQ(after.errors(), 0) << json(after.complaints).dump() << whole.story();
  EXPECT_GT(during.by_color["blue"].answers, 50);
  EXPECT_GT(during.by_color["green"].answers, 20);
  EXPECT_EQ(after.by_color["blue"].answers, 0);
  EXPECT_GT(after.by_color["green"].answers, 90);
  EXPECT_GE(during.moved_from["blue"], 12) << "each user once";

  EXPECT_EQ(whole.last_rollout().at("end"), "done") << whole.story();
  EXPECT_EQ(whole.env(),
            "IMAGE_BLUE=odoo:17\nIMAGE_GREEN=" + kDigest17 + "\nWORKERS_BLUE=2\nWORKERS_GREEN=4\n");
  const json green = whole.container("odoo_green");
  EXPECT_EQ(green.at("image"), blue.at("image")) << "green had another release before";
  EXPECT_EQ(green.at("environment").at("WORKERS"), "4");
  EXPECT_NE(::kill(green.at("pid").get<pid_t>(), 0), -1);
  EXPECT_EQ(whole.container("odoo_blue").at("id"), blue.at("id"));
  EXPECT_EQ(whole.container("odoo_blue").at("pid"), 0) << "stopped";
  EXPECT_EQ(whole.container("db"), database);

  // Nobody can ask the agent for anything, and the sidecar does not hold what the agent uses.
  EXPECT_EQ(agent_tests::listening_sockets(whole.agent().pid()), 0);
  EXPECT_EQ(agent_tests::unix_connections(whole.sidecar().pid()), 0);

  const json status = whole.status();
  EXPECT_EQ(status.at("colors").at("blue").at("state"), "maint");
  EXPECT_GT(status.at("scaler").at("cooldown_up_s").get<int>(), 0);
  whole.await_count("shifter_scaler_changes_total", "result=\"done\"", 1);
  whole.await_count("shifter_workers", "color=\"green\",source=\"observed\"", 4);
}

constexpr const char* kSwitch = "switch green bake=no reason=release image=odoo:17";

// R47, R46: a stop that fails is told with its last lines, once, and moves nobody.
TEST(Whole, AStopThatFailsIsLoudAndIsNotTriedAgain) {
  std::mutex mutex;
  std::vector<json> notices;
  ScriptedBackend pager([&](Peer& peer, const std::string& head) {
    const std::string field = "Content-Length: ";
    const size_t at = head.find(field);
    const std::string body =
        peer.read_body(at == std::string::npos ? 0 : std::stoul(head.substr(at + field.size())));
    {
      const std::lock_guard lock(mutex);
      notices.push_back(json::parse(body, nullptr, false));
    }
    peer.send_last(plain_answer(200, "ok"));
  });
  Whole whole("{ warm_for: 0s, look: 100ms, notify: { webhook: \"http://" + pager.address() +
              "/page\" } }");
  const json blue = whole.container("odoo_blue");
  whole.misbehave("stop", "fail");
  ASSERT_TRUE(whole.ask(kSwitch).at("ok").get<bool>());
  whole.await_end();
  const json rollout = whole.last_rollout();
  EXPECT_EQ(rollout.at("end"), "stop_failed") << whole.story();
  const std::string text = rollout.at("text");
  EXPECT_EQ(text.rfind("compose stop 5 odoo_blue: exit code 1: no answer from the daemon\n", 0), 0u)
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20) << text;
  EXPECT_NE(text.find("\nline 29\nno answer from the daemon"), std::string::npos) << text;
  const json colors = whole.status().at("colors");
  EXPECT_EQ(colors.at("blue").at("state"), "maint");
  EXPECT_EQ(colors.at("blue").at("weight"), 0);
  EXPECT_EQ(colors.at("green").at("state"), "ready");
  EXPECT_EQ(whole.container("odoo_blue"), blue) << "it runs on";
  whole.await_count("shifter_hook_failures_total", "hook=\"stop\"", 1);
  whole.await_count("shifter_rollouts_total", "end=\"stop_failed\"", 1);
  await("the notice", [&] {
    const std::lock_guard lock(mutex);
    return !notices.empty();
  });
  const std::lock_guard lock(mutex);
  EXPECT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].at("kind"), "end");
  EXPECT_EQ(notices[0].at("rollout").at("text"), text);
  EXPECT_EQ(whole.calls("stop"), 2) << "one was the test's own";
}

// R46: a stop that hangs is ended at its deadline; meanwhile everybody is answered.
TEST(Whole, AStopThatHangsIsEndedAndNobodyWaitsForIt) {
  Whole whole("{ warm_for: 0s, look: 100ms, stop_max: 1s }");
  whole.misbehave("stop", "hang");
  ASSERT_TRUE(whole.ask(kSwitch).at("ok").get<bool>());
  await("the stop", [&] { return whole.status().at("rollout").at("state") == "stopping"; });
  const auto asked = SteadyClock::now();
  EXPECT_EQ(get(whole.sidecar().port(), "/nonce?n=1").status, 200);
  EXPECT_LT(seconds_since(asked), 0.8 * kSlowness);
  whole.await_end();
  const json rollout = whole.last_rollout();
  EXPECT_EQ(rollout.at("end"), "stop_failed") << whole.story();
  EXPECT_NE(rollout.at("text").get<std::string>().find("not over after its deadline of"),
            std::string::npos)
      << rollout;
  EXPECT_EQ(whole.status().at("colors").at("blue").at("state"), "maint");
}

// R48: the agent is killed while the stop runs. What is left of the stop is ended, what the
// container does is said, and there is no second stop.
TEST(Whole, AStopWhoseAgentIsKilledIsUnknownAndIsNotBegunAgain) {
  Whole whole("{ warm_for: 0s, look: 100ms }");
  whole.misbehave("stop", "hang");
  ASSERT_TRUE(whole.ask(kSwitch).at("ok").get<bool>());
  await("the stop", [&] { return whole.calls("stop") == 2; });
  whole.agent().signal(SIGKILL);
  whole.agent().wait(Millis{10'000});
  whole.start_agent();
  whole.await_end();
  const json rollout = whole.last_rollout();
  EXPECT_EQ(rollout.at("end"), "stop_unknown") << whole.story();
  EXPECT_NE(rollout.at("text").get<std::string>().find("the container is running"),
            std::string::npos)
      << rollout;
  EXPECT_EQ(whole.calls("stop"), 2);
  whole.await_count("shifter_hook_failures_total", "hook=\"stop\"", 1);
  EXPECT_EQ(whole.status().at("colors").at("blue").at("state"), "maint");
}

}  // namespace
