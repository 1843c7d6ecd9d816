// Every raw case of tests/unit/http/corpus over real sockets: what a client sends, what a backend
// answers; whole, byte by byte, in two halves at every place, and cut in seeded places.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/trial.h"

namespace wire {
namespace {

constexpr int kSplits = 20;
constexpr int kThreads = 24;

// SEED=… repeats a run of this test.
uint32_t seed_of_this_run() {
  const char* given = std::getenv("SEED");
  return given != nullptr ? static_cast<uint32_t>(std::strtoul(given, nullptr, 10)) : 20'261'127;
}

struct Faults {
  std::mutex mutex;
  std::vector<std::string> texts;
};

void play_all(const std::vector<Trial>& trials, Recorder& recorder, uint16_t port, Faults& faults) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < trials.size(); at = next++) {
        const std::string fault = play(trials[at], recorder, port);
        if (fault.empty()) continue;
        const std::lock_guard lock(faults.mutex);
        faults.texts.push_back(trials[at].one->id + " " + trials[at].how + ": " + fault);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(RawCases, HaveTheirOutcomeOverSockets) {
  const uint32_t seed = seed_of_this_run();
  const std::vector<RawCase> cases = read_corpus();
  EXPECT_EQ(cases.size(), 255u);
  std::vector<Trial> trials;
  for (const RawCase& one : cases) {
    for (Trial& trial : trials_of(one, kSplits, seed)) {
      trial.address = loopback_address(static_cast<uint32_t>(trials.size()));
      trials.push_back(std::move(trial));
    }
  }
  Recorder recorder;
  harness::SidecarSetup setup;
  setup.colors = {recorder.as_color(256)};
  harness::SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  const auto start = harness::SteadyClock::now();
  Faults faults;
  play_all(trials, recorder, sidecar.port(), faults);
  std::printf("raw cases over sockets: %zu cases, %zu/%zu trials, %.1f s, seed %u\n", cases.size(),
              trials.size() - faults.texts.size(), trials.size(), harness::seconds_since(start),
              seed);
  for (size_t i = 0; i < faults.texts.size() && i < 20; ++i) ADD_FAILURE() << faults.texts[i];
  EXPECT_EQ(recorder.strays(), 0u) << "bytes at the backend that no case explains";
  const harness::Scrape end = sidecar.scrape();
  EXPECT_EQ(end.sum("odoo_active_requests"), 0);
}

}  // namespace
}  // namespace wire
