// An operator at work while users are: colors are replaced, websockets moved, and nobody notices.
#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "proxy/base/files.h"
#include "tests/integration/harness/load.h"
#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/websocket.h"

namespace {

using namespace harness;
using nlohmann::json;

double share_of_users(LoadFigures& readers, LoadFigures& writers, const std::string& color) {
  int64_t here = 0, all = 0;
  for (const LoadFigures* figures : {&readers, &writers}) {
    for (const auto& [name, each] : figures->by_color) {
      all += each.users;
      if (name == color) here += each.users;
    }
  }
  return all == 0 ? 0 : static_cast<double>(here) / static_cast<double>(all);
}

struct Tally {
  int64_t sent = 0, errors = 0, resets = 0;
  std::map<int, int64_t> bad;
  std::string complaint;
  void add(const LoadFigures& figures) {
    sent += figures.sent;
    errors += figures.errors();
    resets += figures.resets + figures.cut;
    for (const auto& [status, count] : figures.by_status) {
      if (status >= 400) bad[status] += count;
    }
    if (complaint.empty() && !figures.complaints.empty()) complaint = figures.complaints.front();
  }
};

// C31: colors are drained, stopped, started and made ready again in turn, under load.
TEST(Operating, ReplacingColorsInTurnUnderLoadLosesNoRequest) {
  constexpr int kRounds = 20;
  const TempFolder folder;
  const std::vector<std::string> options = {"--workers", "12", "--latency-ms", "50"};
  Standin blue("blue", options, folder / "nonces");
  Standin green("green", options, folder / "nonces");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1, "12"), green.as_color(1, "12")};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  LoadSetup load;
  load.port = sidecar.port();
  load.threads = 12;
  load.users = 36;
  load.rate = 100;
  load.fresh = 0.2;
  Load readers(load);
  load.method = "POST";
  load.body = std::string(2'000, 'b');
  load.nonce_prefix = "post";
  load.seed = 2;
  Load writers(load);
  Tally gets, posts;
  for (int round = 1; round <= kRounds; ++round) {
    Standin& color = round % 2 == 1 ? blue : green;
    const std::string name = round % 2 == 1 ? "blue" : "green";
    // Each drain meets users and work, else it would prove nothing.
    double share = 0, at_work = 0;
    await("work and users on " + name, [&] {
      LoadFigures got = readers.lap(), posted = writers.lap();
      gets.add(got);
      posts.add(posted);
      share = share_of_users(got, posted, name);
      at_work = sidecar.in_flight("color", name);
      if (share >= 0.3 && at_work >= 5) return true;
      ::poll(nullptr, 0, 200);  // a lap long enough to tell a share
      return false;
    });
    const auto begun = SteadyClock::now();
    const json drained = json::parse(sidecar.command("drain " + name + " deadline=0 wait=20s"));
    const double drain_ms = seconds_since(begun) * 1000;
    ASSERT_TRUE(drained.at("empty").get<bool>()) << drained.dump();
    color.process().signal(SIGTERM);
    ASSERT_TRUE(color.process().wait(Millis{20'000}).has_value());
    color.start();
    sidecar.command("ready " + name);
    sidecar.wait_until_up({name});
    std::printf(
        "round %2d: %-5s had %2.0f in flight and %2.0f %% of the users, empty after %3.0f ms\n",
        round, name.c_str(), at_work, share * 100, drain_ms);
  }
  gets.add(readers.stop());
  posts.add(writers.stop());
  EXPECT_EQ(gets.errors, 0) << gets.complaint;
  EXPECT_EQ(posts.errors, 0) << posts.complaint;
  std::map<std::string, int> times;
  for (const Executed& one : read_nonce_log(folder / "nonces")) ++times[one.nonce];
  const auto doubled =
      std::count_if(times.begin(), times.end(), [](const auto& one) { return one.second > 1; });
  EXPECT_EQ(doubled, 0);
  EXPECT_EQ(static_cast<int64_t>(times.size()), gets.sent + posts.sent);
  std::printf(
      "%lld GET, %lld POST: %lld and %lld answers of 400 and more, %lld resets, %lld seen twice\n",
      static_cast<long long>(gets.sent), static_cast<long long>(posts.sent),
      static_cast<long long>(gets.errors - gets.resets),
      static_cast<long long>(posts.errors - posts.resets),
      static_cast<long long>(gets.resets + posts.resets), static_cast<long long>(doubled));
}

// C37: open websockets do not notice what an operator does.
TEST(Operating, WebsocketsSurviveEveryCommandThatDoesNotCloseThem) {
  constexpr size_t kSockets = 500;
  constexpr int kChanges = 100;
  base::raise_file_limit();
  Standin blue("blue"), green("green");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(1)};
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  std::vector<WebsocketClient> sockets;
  for (size_t i = 0; i < kSockets; ++i) sockets.emplace_back(sidecar.port());
  int weights = 0, routes = 0, health = 0;
  for (int i = 1; i <= kChanges; ++i) {
    if (i % 10 == 0) {  // a color goes down or comes back
      const bool down = i % 20 == 10;
      blue.set(down ? "health=fail" : "health=ok");
      await("blue to be " + std::string(down ? "down" : "up"),
            [&] { return sidecar.is_up("blue") != down; });
      ++health;
    } else if (i % 3 == 0) {  // routes, probes and a pin
      const std::string pin = i % 2 == 0 ? "blue" : "green";
      sidecar.setup().keys["routes"] =
          "[{ name: websocket, prefix: /websocket, port: websocket, buffer: off }, "
          "{ name: rpc, prefix: /xmlrpc, pin: " +
          pin + " }, { name: web, prefix: / }]";
      sidecar.setup().keys["health"] =
          "{ interval: " + std::to_string(100 + i) + "ms, page_interval: 500ms, fall: 3 }";
      sidecar.write_config();
      sidecar.command("reload");
      ++routes;
    } else {
      sidecar.command("weights blue=" + std::to_string(i % 5) +
                      " green=" + std::to_string(i % 2 + 1));
      ++weights;
    }
    const std::string text = "during " + std::to_string(i);
    EXPECT_EQ(sockets[static_cast<size_t>(i * 7) % kSockets].echo(text), text);
  }
  for (size_t i = 0; i < kSockets; ++i) {
    const std::string text = "hello " + std::to_string(i);
    EXPECT_EQ(sockets[i].echo(text), text);
  }
  EXPECT_EQ(sidecar.scrape().sum("odoo_active_requests", "kind=\"websocket\""), kSockets);
  std::printf(
      "%zu websockets echo after %d changes of weight, %d of routes and probes, %d of health\n",
      kSockets, weights, routes, health);
}

// C38: a drain moves them within ws_close_over, politely and at an even pace, and each comes back
// on the other color.
TEST(Operating, ADrainMovesWebsocketsAtAnEvenPaceWith1012) {
  constexpr size_t kSockets = 600, kParts = 5;
  constexpr double kOver = 3.0;
  base::raise_file_limit();
  const Standin blue("blue"), green("green");
  SidecarSetup setup;
  setup.colors = {blue.as_color(1), green.as_color(0)};
  setup.keys["drain"] = "{ ws_close_over: 3s }";
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue", "green"});
  std::vector<WebsocketClient> sockets, again;
  for (size_t i = 0; i < kSockets; ++i) sockets.emplace_back(sidecar.port());
  AdminClient admin(sidecar.socket_path());
  const auto begun = SteadyClock::now();
  admin.send("drain blue deadline=0 wait=30s");
  std::vector<pollfd> watched;
  for (WebsocketClient& each : sockets) {
    watched.push_back({each.client().socket().descriptor(), POLLIN, 0});
  }
  std::array<size_t, kParts> parts{};
  double last = 0;
  const Deadline deadline(Millis{20'000} * kSlowness);
  while (again.size() < kSockets && !deadline.passed()) {
    ::poll(watched.data(), watched.size(), deadline.left_ms());
    for (size_t i = 0; i < kSockets; ++i) {
      if (watched[i].fd < 0 || watched[i].revents == 0) continue;
      watched[i].fd = -1;
      last = seconds_since(begun);
      ++parts[std::min(kParts - 1, static_cast<size_t>(last / kOver * kParts))];
      EXPECT_EQ(sockets[i].wait_for_close(), 1012);
      again.emplace_back(sidecar.port());
    }
  }
  ASSERT_EQ(again.size(), kSockets);
  EXPECT_LE(last, kOver + 0.5 * kSlowness);
  for (const size_t count : parts) {
    EXPECT_GE(count, kSockets / kParts / 2);
    EXPECT_LE(count, kSockets / kParts * 3 / 2);
  }
  const json drained = json::parse(admin.read_line(Millis{20'000}));
  EXPECT_TRUE(drained.at("empty").get<bool>()) << drained.dump();
  EXPECT_EQ(again.back().echo("back"), "back");
  const Scrape after = sidecar.scrape();
  EXPECT_EQ(after.sum("odoo_active_requests", "color=\"green\"", "kind=\"websocket\""), kSockets);
  EXPECT_EQ(after.sum("odoo_active_requests", "color=\"blue\"", "kind=\"websocket\""), 0);
  std::printf("%zu closed with 1012 over %.2f s, by fifths:", kSockets, last);
  for (const size_t count : parts) std::printf(" %zu", count);
  std::printf("\n");
}

}  // namespace
