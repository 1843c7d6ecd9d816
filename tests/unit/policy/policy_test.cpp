#include "shifter/policy/policy.h"

#include <gtest/gtest.h>

#include "proxy/base/counter.h"
#include "proxy/base/files.h"

namespace policy {
namespace {

using namespace std::chrono_literals;

std::string faults_of(std::string_view text) {
  std::string all;
  for (const base::ConfigFault& fault : parse("policy.yml", text).faults) {
    all += fault.text() + "\n";
  }
  return all;
}

// The file as the first design has it.
constexpr std::string_view kFirst =
    "min_workers: 2\nmax_workers: 16\nscale_up:\n  p95_latency_s: 1.2  # 5m\n  step: 2\n"
    "scale_down:\n  p95_latency_s: 0.6\n  step: 1\ncooldown_up_s: 600\ncooldown_down_s: 1800\n";

TEST(Policy, ReadsTheFileOfTheFirstDesignAsItIs) {
  const Loaded loaded = parse("policy.yml", kFirst);
  ASSERT_TRUE(loaded.faults.empty()) << loaded.faults[0].text();
  EXPECT_EQ(loaded.policy.min_workers, 2);
  EXPECT_EQ(loaded.policy.max_workers, 16);
  EXPECT_EQ(loaded.policy.up.edge_us, 1'200'000);
  EXPECT_EQ(loaded.policy.up.step, 2);
  EXPECT_EQ(loaded.policy.up.over, base::Millis(5min));
  EXPECT_EQ(loaded.policy.down.edge_us, 600'000);
  EXPECT_EQ(loaded.policy.down.step, 1);
  EXPECT_EQ(loaded.policy.down.over, base::Millis(15min));
  EXPECT_EQ(loaded.policy.cooldown_up, base::Millis(10min));
  EXPECT_EQ(loaded.policy.cooldown_down, base::Millis(30min));
}

std::string said(const Policy& p) {
  std::string text;
  for (int64_t number :
       {int64_t{p.min_workers}, int64_t{p.max_workers}, p.up.edge_us, int64_t{p.up.step},
        p.up.over.count(), p.up.requests, p.down.edge_us, int64_t{p.down.step},
        p.down.over.count(), int64_t{p.down.utilisation_permille}, p.cooldown_up.count(),
        p.cooldown_down.count(), p.window.count(), p.window_requests,
        int64_t{p.waiting_permille}, p.blind_after.count(), int64_t{p.capacity.workers_per_cpu},
        p.capacity.memory_per_worker, p.capacity.memory_reserve,
        int64_t{p.capacity.connections_per_worker}, int64_t{p.capacity.connections_permille},
        p.retry.first.count(), p.retry.most.count(), int64_t{p.retry.failures}}) {
    text += std::to_string(number) + " ";
  }
  return text + std::string(text_of(p.apply)) + " " + std::string(text_of(p.down.rule));
}

TEST(Policy, ShipsEveryKeyWithItsDefault) {
  const Loaded shipped = load("conf/policy.yml");  // tests run in the root of the sources
  ASSERT_TRUE(shipped.faults.empty()) << shipped.faults[0].text();
  EXPECT_EQ(said(shipped.policy), said(Policy{}));
  const std::string text = *base::read_file("conf/policy.yml", 1 << 16);
  for (const char* key :
       {"min_workers:", "max_workers:", "scale_up:", "p95_latency_s:", "step:", "for:",
        "min_requests:", "scale_down:", "rule:", "utilisation:", "cooldown_up_s:",
        "cooldown_down_s:", "window:", "window_requests:", "waiting_share:", "blind_after:",
        "apply:", "workers_per_cpu:", "memory_per_worker:", "memory_reserve:",
        "connections_per_worker:", "connections_share:", "first:", "most:", "failures:"}) {
    EXPECT_NE(text.find(key), std::string::npos) << key;
  }
}

// R67: every fault in one run, with its line.
TEST(Policy, TellsAllFaultsWithFileAndLine) {
  const std::string faults = faults_of(
      "max_workers: 1\nscale_up:\n  p95_latency_s: fast\n  stepp: 3\ncooldown_up: 5\n");
  EXPECT_NE(faults.find("policy.yml:1: max_workers: 1 is below min_workers (2)"),
            std::string::npos)
      << faults;
  EXPECT_NE(faults.find("policy.yml:3: scale_up.p95_latency_s: must be seconds"),
            std::string::npos)
      << faults;
  // R5: the nearest valid name.
  EXPECT_NE(faults.find("policy.yml:4: scale_up.stepp: unknown key; did you mean step?"),
            std::string::npos)
      << faults;
  EXPECT_NE(faults.find("policy.yml:5: cooldown_up: unknown key; did you mean cooldown_up_s?"),
            std::string::npos)
      << faults;
}

// R83: a threshold that no bucket ends at could only be guessed.
TEST(Policy, RefusesThresholdsBetweenTheEdgesAndNamesTheNearest) {
  EXPECT_EQ(faults_of("scale_up: { p95_latency_s: 1.25 }\n"),
            "policy.yml:1: scale_up.p95_latency_s: 1.25 is no edge of the latency histogram, so it "
            "could only be guessed; the nearest are 1.2 s and 2.5 s\n");
  EXPECT_NE(faults_of("scale_down: { p95_latency_s: 100 }\n").find("nearest are 60.0 s"),
            std::string::npos);
  for (int64_t edge : base::kLatencyEdgesUs) {
    if (edge <= 600'000) continue;
    std::string seconds = seconds_text(edge);
    seconds.resize(seconds.size() - 2);
    EXPECT_EQ(faults_of("scale_up: { p95_latency_s: " + seconds + " }\n"), "");
  }
}

TEST(Policy, RefusesWhatContradictsItself) {
  const std::pair<const char*, const char*> cases[] = {
      {"scale_down: { p95_latency_s: 1.2 }\n", "must be below the one of scale_up"},
      {"scale_up: { for: 90s }\n", "whole number of windows (1m)"},
      {"scale_down: { for: 2h }\n", "at most 60 windows"},
      {"window: 601ms\n", "multiple of 6 ms"},
      {"retry: { first: 30m, most: 10m }\n", "is shorter than first"},
      {"scale_down: { rule: litle }\n", "little"},
      {"apply: signal\n", "redeploy"},
      {"waiting_share: 5\n", "share such as 0.6, from 0.001 to 1"},
      {"scale_up: { p95_latency_s: 1.2e3 }\n", "must be seconds such as 1.2"},
      {"scale_up: { p95_latency_s: -1.2 }\n", "must be seconds such as 1.2"},
      {"min_workers: 0\n", "from 1 to 256"},
      {"blind_after: 10s\n", "at least half a window"},
      {"cooldown_up_s: -1\n", "whole number from 0"},
  };
  for (const auto& [text, part] : cases) {
    const std::string faults = faults_of(text);
    EXPECT_NE(faults.find(part), std::string::npos) << text << faults;
  }
}

}  // namespace
}  // namespace policy
