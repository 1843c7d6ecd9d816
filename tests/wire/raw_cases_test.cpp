// Every raw case of tests/unit/http/corpus over real sockets: what a client sends, what a backend
// answers; whole, byte by byte, and cut in seeded places.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/trial.h"

namespace wire {
namespace {

constexpr int kSplits = 20;
constexpr int kSplitsStreamed = 5;
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
  const auto note = [&](const Trial& trial, const std::string& fault) {
    if (fault.empty()) return;
    const std::lock_guard lock(faults.mutex);
    faults.texts.push_back(trial.one->id + " " + trial.how + ": " + fault);
  };
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (size_t at = next++; at < trials.size(); at = next++) {
        note(trials[at], play(trials[at], recorder, port));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  recorder.settle();
  for (const Trial& trial : trials) note(trial, fault_at_backend(trial, recorder));
}

void expect_outcomes(const std::vector<RawCase>& cases, bool streaming) {
  const uint32_t seed = seed_of_this_run();
  std::vector<Trial> trials;
  for (const RawCase& one : cases) {
    for (Trial& trial : trials_of(one, streaming ? kSplitsStreamed : kSplits, seed)) {
      trial.address = loopback_address(static_cast<uint32_t>(trials.size()));
      trial.streaming = streaming;
      trials.push_back(std::move(trial));
    }
  }
  Recorder recorder;
  harness::SidecarSetup setup;
  setup.colors = {recorder.as_color(256)};
  if (streaming) setup.keys["routes"] = "[{ name: web, prefix: /, buffer: off }]";
  harness::SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  const auto start = harness::SteadyClock::now();
  Faults faults;
  play_all(trials, recorder, sidecar.port(), faults);
  std::printf("raw cases over sockets%s: %zu cases, %zu/%zu trials, %.1f s, seed %u\n",
              streaming ? ", streamed" : "", cases.size(), trials.size() - faults.texts.size(),
              trials.size(), harness::seconds_since(start), seed);
  for (size_t i = 0; i < faults.texts.size() && i < 20; ++i) ADD_FAILURE() << faults.texts[i];
  if (streaming) {
    size_t whole = 0;
    for (const Trial& trial : trials) whole += trial.one->messages.size();
    EXPECT_GT(recorder.total(), whole) << "some break off: a streamed head goes before its body";
  }
  EXPECT_EQ(recorder.strays(), 0u) << "bytes at the backend that no case explains";
  EXPECT_EQ(sidecar.scrape().sum("odoo_active_requests"), 0);
}

TEST(RawCases, HaveTheirOutcomeOverSockets) {
  const std::vector<RawCase> cases = read_corpus();
  EXPECT_EQ(cases.size(), 255u);
  expect_outcomes(cases, false);
}

// Bodies pass as they come, framed anew; a fault in one must never look like its end.
TEST(RawCases, HaveTheirOutcomeWhereNothingIsBuffered) {
  std::vector<RawCase> cases = read_corpus();
  std::erase_if(cases, [](const RawCase& one) { return one.from_backend; });
  EXPECT_EQ(cases.size(), 200u);
  expect_outcomes(cases, true);
}

}  // namespace
}  // namespace wire
