// What the judge's counts cost a request: nanoseconds for each attempt that is counted, with many
// sessions, so that caches miss as they would. A request through the sidecar costs about 8 to 12 µs
// of CPU (./dev bench keepalive): three percent of that are some 250 ns.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "proxy/relay/rpc_outcome.h"
#include "proxy/relay/session_sample.h"

namespace {

constexpr uint64_t kStep = 1;
constexpr int kRounds = 9;
constexpr int kRequests = 2'000'000;

uint64_t random_id(uint64_t& state) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t value = state;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return (value ^ (value >> 31)) | 1;
}

template <typename Work>
double best_ns(int times, Work&& work) {
  double best = 1e18;
  for (int round = 0; round < kRounds; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) work(i);
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begun;
    best = std::min(best, took.count() / times);
  }
  return best;
}

}  // namespace

int main() {
  for (const size_t sessions : {200u, 20'000u}) {
    relay::SessionFilter filter;
    filter.begin(kStep);
    relay::SessionSample sample(filter);
    routing::JudgeStep step;
    step.id = kStep;
    step.canary = 1;
    step.stable = 0;
    sample.apply(step);
    uint64_t state = 7;
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < sessions; ++i) {
      ids.push_back(random_id(state));
      sample.mark(ids.back(), i % 10 == 0 ? 1 : 0, routing::Group::drawn);
    }
    // Visited in an order that no prefetcher knows.
    std::vector<uint32_t> order(1 << 16);
    for (uint32_t& each : order) each = static_cast<uint32_t>(random_id(state) % sessions);
    relay::AttemptEnd end;
    const double ns = best_ns(kRequests, [&](int i) {
      const uint32_t at = order[static_cast<size_t>(i) & (order.size() - 1)];
      end.color = at % 10 == 0 ? 1 : 0;
      end.session = ids[at];
      end.us = 20'000 + at;
      end.failed = (i & 255) == 0;
      sample.note(end);
    });
    std::printf("one attempt, %zu sessions: %.1f ns (%lld counted)\n", sessions, ns,
                static_cast<long long>(sample.parts().counts(kStep).stable.requests));
    relay::SampleParts sum;
    const double us = best_ns(20, [&](int) { sum.add(sample.parts()); }) / 1'000;
    std::printf("gathering one worker, once a second, %zu sessions: %.1f us\n", sessions, us);
  }
  const std::string answer = R"({"jsonrpc": "2.0", "id": 24, "result": [{"id": 7, "name": "x"}]})";
  int fine = 0;
  const double ns = best_ns(kRequests, [&](int) {
    fine += relay::read_rpc_outcome(answer) == relay::RpcOutcome::fine ? 1 : 0;
  });
  std::printf("a JSON-RPC answer's outcome: %.1f ns (%d)\n", ns, fine > 0 ? 1 : 0);
  return 0;
}
