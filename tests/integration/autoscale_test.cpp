// The scaler end to end: load drives p95 over the threshold, the sidecar decides, an agent deploys
// the cold color with more workers, the users move, the old color drains and is stopped. The agent
// here is the test: it takes actions from the socket and says how they ended.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/integration/harness/deadline.h"
#include "tests/integration/harness/raw_client.h"
#include "tests/integration/harness/scripted_agent.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;
using nlohmann::json;

// So many requests at a time take 50 ms each; the rest wait, as at a real Odoo.
class Workers {
 public:
  explicit Workers(int count) : free_(count) {}
  void serve(Peer& peer) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return free_ > 0; });
      --free_;
    }
    (void)peer.is_closed_within(Millis{50});
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
    peer.send_last(plain_answer(200, "ok"));
  }
  void add(int count) {
    const std::lock_guard lock(mutex_);
    free_ += count;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int free_;
};

constexpr const char* kPolicy =
    "min_workers: 1\nmax_workers: 8\n"
    "scale_up: { p95_latency_s: 0.2, step: 4, for: 1800ms, min_requests: 20 }\n"
    "scale_down: { p95_latency_s: 0.1, step: 1, for: 36s }\n"
    "window: 600ms\nwindow_requests: 5\nblind_after: 10s\n";

struct ScaledSite {
  ScaledSite()
      : blue([this](Peer& peer, const std::string&) { blue_workers.serve(peer); }),
        green([this](Peer& peer, const std::string&) { green_workers.serve(peer); }) {
    std::ofstream(policy_path()) << kPolicy;
    SidecarSetup setup;
    setup.colors = {{"blue", 10, {blue.address()}, {blue.address()}},
                    {"green", 0, {green.address()}, {green.address()}}};
    setup.keys = {{"scaling", "{ policy: " + policy_path() + " }"},
                  {"rollout", "{ warm_for: 300ms, scale_bake: 1s, look: 100ms }"},
                  {"drain", "{ deadline: 2s, quiet: 1s, wait: 10s }"}};
    sidecar = std::make_unique<SidecarProcess>(std::move(setup));
    sidecar->wait_until_up({"blue", "green"});
  }
  std::string policy_path() const { return folder / "policy.yml"; }
  json status() const { return json::parse(sidecar->ask("status")); }

  TempFolder folder;
  Workers blue_workers{2};
  Workers green_workers{2};
  ScriptedBackend blue, green;
  std::unique_ptr<SidecarProcess> sidecar;
};

// Deploys green with the workers that are asked for.
class ScalingAgent {
 public:
  explicit ScalingAgent(ScaledSite& site)
      : site_(site),
        agent_(
            *site.sidecar,
            [this] { return "cpus=8 workers=blue:2,green:" + std::to_string(green_); },
            [this](const json& action) { return carry_out(action); }) {}
  std::vector<std::string> did() const { return agent_.did(); }
  std::string fault() const { return agent_.fault(); }
  int green() const { return green_; }

 private:
  std::string carry_out(const json& action) {
    if (action.at("kind") != "deploy") return {};
    const int workers = std::stoi(action.at("arguments").at("workers").get<std::string>());
    site_.green_workers.add(workers - green_);
    green_ = workers;
    return "workers=" + action.at("color").get<std::string>() + ":" + std::to_string(workers);
  }

  ScaledSite& site_;
  std::atomic<int> green_{2};
  ScriptedAgent agent_;
};

// Users who come again and again, half of them with the cookie that they were given.
class ScaleUsers {
 public:
  ScaleUsers(uint16_t port, int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this, port, keeps = i % 2 == 0] { come(port, keeps); });
    }
  }
  ~ScaleUsers() { leave(); }
  void leave() {
    ending_ = true;
    for (std::thread& one : threads_) {
      if (one.joinable()) one.join();
    }
  }
  int served() const { return served_; }
  int failed() const { return failed_; }

 private:
  void come(uint16_t port, bool keeps) {
    std::string cookie;
    while (!ending_) {
      std::string fields = "Sec-Fetch-Mode: navigate\r\n";
      if (!cookie.empty()) fields += "Cookie: ofitec_color=" + cookie + "\r\n";
      try {
        const Answer answer = get(port, "/web", fields);
        ++(answer.status == 200 ? served_ : failed_);
        const std::string given = answer.set_cookie("ofitec_color");
        if (keeps && !given.empty()) cookie = given;
      } catch (const std::exception&) {
        ++failed_;
      }
    }
  }
  std::atomic<bool> ending_{false};
  std::atomic<int> served_{0}, failed_{0};
  std::vector<std::thread> threads_;
};

template <class Until>
bool reached(Until until, Millis within) {
  const Deadline deadline(within * kSlowness);
  while (deadline.left_ms() > 0) {
    if (until()) return true;
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable().wait_for(lock, Millis{100}, [] { return false; });
  }
  return false;
}

// R60, R59 and the whole way of one decision.
TEST(Autoscale, MovesTheUsersToTheColdColorWithMoreWorkersAndLosesNobody) {
  ScaledSite site;
  ScalingAgent agent(site);
  ScaleUsers users(site.sidecar->port(), 16);
  const bool done = reached(
      [&] {
        const auto did = agent.did();
        return !did.empty() && did.back() == "stop blue";
      },
      Millis{60'000});
  EXPECT_TRUE(done) << site.status().dump(1) << site.sidecar->ask("actions");
  const int before = users.served();
  EXPECT_TRUE(reached([&] { return users.served() > before + 50; }, Millis{10'000}));
  users.leave();
  EXPECT_EQ(users.failed(), 0);
  EXPECT_GT(users.served(), 100);
  const auto did = agent.did();
  ASSERT_GE(did.size(), 2u);
  EXPECT_EQ(did[0], "deploy green");
  EXPECT_EQ(agent.green(), 6);
  EXPECT_EQ(did[1], "stop blue");
  EXPECT_EQ(agent.fault(), "");
  EXPECT_TRUE(reached([&] { return site.status().at("scaler").at("under_way").is_null(); },
                      Millis{10'000}));
  const json status = site.status();
  EXPECT_EQ(status.at("colors").at("blue").at("state"), "maint");
  EXPECT_GT(status.at("scaler").at("cooldown_up_s").get<int>(), 0);
  const Scrape scrape = site.sidecar->scrape();
  EXPECT_EQ(scrape.sum("shifter_scaler_changes_total", "result=\"done\""), 1);
  EXPECT_EQ(site.sidecar->alarms(), "");
}

// R66, R67: the command and the policy, as an operator meets them.
TEST(Autoscale, ObeysAnOperatorAndKeepsItsPolicyOverAFaultyOne) {
  ScaledSite site;
  EXPECT_EQ(json::parse(site.sidecar->ask("scale 9")).at("error").at("code"), "refused");
  EXPECT_EQ(json::parse(site.sidecar->ask("scale many")).at("error").at("code"), "usage");
  const json frozen = json::parse(site.sidecar->command("scale freeze for=1h reason=filing"));
  EXPECT_EQ(frozen.at("mode"), "freeze");
  site.sidecar->stop();
  site.sidecar->start();
  json scaler = site.status().at("scaler");
  EXPECT_EQ(scaler.at("mode"), "freeze");
  EXPECT_EQ(scaler.at("reason"), "filing");
  EXPECT_NEAR(scaler.at("for_s").get<int>(), 3600, 60);
  site.sidecar->command("scale auto");
  EXPECT_EQ(site.status().at("scaler").at("mode"), "auto");

  std::ofstream(site.policy_path()) << "max_workers: 0\nscale_up: { p95_latency_s: 1.25 }\n";
  const json refused = json::parse(site.sidecar->ask("reload"));
  EXPECT_EQ(refused.at("error").at("code"), "bad_config");
  const std::string message = refused.at("error").at("message");
  EXPECT_NE(message.find("policy.yml:1: max_workers"), std::string::npos) << message;
  EXPECT_NE(message.find("policy.yml:2: scale_up.p95_latency_s"), std::string::npos) << message;
  EXPECT_TRUE(
      reached([&] { return site.sidecar->scrape().sum("shifter_policy_load_failed", "") == 1; },
              Millis{5'000}));
  EXPECT_EQ(site.status().at("scaler").at("max_workers"), 8);
  std::ofstream(site.policy_path()) << "max_workers: 12\n";
  site.sidecar->command("reload");
  EXPECT_EQ(site.status().at("scaler").at("max_workers"), 12);
  EXPECT_TRUE(
      reached([&] { return site.sidecar->scrape().sum("shifter_policy_load_failed", "") == 0; },
              Millis{5'000}));
}

}  // namespace
