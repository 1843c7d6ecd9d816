#include "tests/simulation/scenario.h"

namespace simulation {
namespace {

NetworkMood mood_of(Random& random) {
  NetworkMood mood;
  switch (random.below(6)) {
    case 0:  // a byte or a few at a time
      mood.read_max = random.size_between(1, 7);
      break;
    case 1:
      mood.read_max = random.size_between(8, 200);
      break;
    default:
      mood.read_max = size_t{1} << random.between(9, 16);
  }
  if (random.percent(40)) mood.write_max = random.size_between(1, 3) << random.between(3, 12);
  if (mood.write_max < 64) mood.write_max = 64;
  mood.capacity = size_t{1} << random.between(10, 17);
  mood.latency_max = nanoseconds(int64_t{1'000} << random.between(0, 14));  // up to 16 ms
  mood.gap_percent = static_cast<int>(random.between(0, 30));
  mood.gap_max = nanoseconds(int64_t{1'000} << random.between(4, 14));
  if (random.percent(30)) mood.stall_permille = static_cast<int>(random.between(1, 10));
  mood.post_max = nanoseconds(int64_t{1'000} << random.between(0, 16));  // up to 65 ms
  if (random.percent(10)) mood.post_max = std::chrono::seconds(1);
  return mood;
}

}  // namespace

Scenario::Scenario(World& world) {
  Random& random = world.random;
  world.mood = mood_of(random);
  gentle = random.percent(35);
  with_control = random.percent(40);
  workers = static_cast<int>(random.between(1, 4));
  users = static_cast<int>(random.between(1, 8));
  requests_each = static_cast<int>(random.between(1, 8));
  active = Millis(random.between(1'000, 15'000));
  trusted = random.percent(50);
  proxied = trusted && random.percent(20);
  http_backends = static_cast<int>(random.between(1, 3));
  websocket_backends = static_cast<int>(random.between(1, 2));
  slots = static_cast<int>(random.between(1, random.percent(50) ? 3 : 8));
  reuse[0] = random.percent(35);
  reuse[1] = random.percent(35);
  large_percent = random.percent(50) ? static_cast<int>(random.between(0, 15)) : 0;
  if (world.mood.read_max < 16) {  // each byte is an event
    body_max = 300;
    body_large = 2'000;
  }
  if (world.mood.read_max >= 2048 && random.percent(25)) {
    body_large = 500'000;
    large_percent = 8;
  }
  spools_to_disk = random.percent(10);
  pipelining = random.percent(40);
  operator_acts = random.percent(80);
  addresses_move = random.percent(25);
  if (addresses_move && with_control) websocket_backends = http_backends;  // one name for both
  clock_jumps = random.percent(20);
  websocket_percent = random.percent(60) ? static_cast<int>(random.between(5, 40)) : 0;
  stream_percent = random.percent(50) ? static_cast<int>(random.between(0, 40)) : 0;
  leaves_early = random.percent(12);
  if (gentle) return;
  client_faults = random.percent(60);
  backend_faults = random.percent(60);
  connect_faults = random.percent(40);
  tight = random.percent(25);
  if (tight && world.mood.read_max >= 2048) {
    body_large = 500'000;
    large_percent = 15;
  }
  disk_fails = random.percent(20);
  retry_safe = random.percent(20);
}

void Scenario::tell(World& world) const {
  const NetworkMood& mood = world.mood;
  world.trace("reads up to %zu, writes up to %zu, capacity %zu, latency %lld us, mail %lld us",
              mood.read_max, mood.write_max, mood.capacity,
              static_cast<long long>(mood.latency_max.count() / 1000),
              static_cast<long long>(mood.post_max.count() / 1000));
  world.trace("%d workers, %d users, %d requests each, %d+%d backends, %d slots, reuse %d %d",
              workers, users, requests_each, http_backends, websocket_backends, slots, reuse[0],
              reuse[1]);
  const std::pair<bool, const char*> flags[] = {{gentle, "gentle"},
                                                {with_control, "control"},
                                                {trusted, "trusted"},
                                                {proxied, "PROXY header"},
                                                {spools_to_disk, "to disk"},
                                                {tight, "tight"},
                                                {client_faults, "client faults"},
                                                {backend_faults, "backend faults"},
                                                {connect_faults, "connect faults"},
                                                {addresses_move, "addresses move"},
                                                {clock_jumps, "clock jumps"},
                                                {disk_fails, "disk fails"},
                                                {pipelining, "pipelining"},
                                                {retry_safe, "retries GET"},
                                                {leaves_early, "leaves early"}};
  for (const auto& [on, name] : flags) {
    if (on) world.trace("with: %s", name);
  }
}

}  // namespace simulation
