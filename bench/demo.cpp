// ./dev demo: two stand-in colors, a sidecar between them and returning users, and what an operator
// does on a release day: a small share first, then the switch, then the old color is emptied and
// stopped. Prints what happened; exits 0 only if every expectation held.
#include <signal.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/sidecar_process.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;
using nlohmann::json;

constexpr int kUsers = 400;

class Demo {
 public:
  int run();

 private:
  void heading(const char* text) { std::printf("\n== %s\n", text); }
  void expect(bool held, const std::string& what) {
    std::printf("   %s %s\n", held ? "ok  " : "FAIL", what.c_str());
    if (!held) ++failed_;
  }
  json command(const std::string& line) {
    const std::string answer = sidecar_.ask(line);
    std::printf("   > %s\n   < %.160s%s\n", line.c_str(), answer.c_str(),
                answer.size() > 160 ? "…" : "");
    return json::parse(answer);
  }
  LoadFigures traffic_for(Millis time);
  static SidecarSetup setup_of(const Standin& blue, const Standin& green);

  TempFolder folder_;
  Standin blue_{"blue", {"--workers", "4", "--latency-ms", "4"}, folder_ / "requests"};
  Standin green_{"green", {"--workers", "4", "--latency-ms", "4"}, folder_ / "requests"};
  SidecarProcess sidecar_{setup_of(blue_, green_)};
  std::unique_ptr<Load> load_;
  int failed_ = 0;
  int64_t answers_ = 0, errors_ = 0;
};

SidecarSetup Demo::setup_of(const Standin& blue, const Standin& green) {
  SidecarSetup setup;
  setup.colors = {blue.as_color(1, "6"), green.as_color(0, "6")};
  return setup;
}

LoadFigures Demo::traffic_for(Millis time) {
  const Deadline end(time);
  while (!end.passed()) ::poll(nullptr, 0, end.left_ms());
  LoadFigures figures = load_->lap();
  answers_ += figures.sent;
  errors_ += figures.errors();
  std::printf("   %6s %9s %9s %11s %11s\n", "color", "answers", "users", "p50", "p95");
  for (const auto& [color, each] : figures.by_color) {
    std::printf("   %6s %9lld %9lld %8.1f ms %8.1f ms\n", color.c_str(),
                static_cast<long long>(each.answers), static_cast<long long>(each.users),
                each.p50_ms, each.p95_ms);
  }
  std::printf("   errors %lld, users that changed color %lld\n",
              static_cast<long long>(figures.errors()), static_cast<long long>(figures.moved));
  for (const std::string& each : figures.complaints) std::printf("   ! %s\n", each.c_str());
  return figures;
}

int Demo::run() {
  std::printf("blue on %s, green on %s, sidecar on 127.0.0.1:%u, admin socket %s\n",
              blue_.http().c_str(), green_.http().c_str(), sidecar_.port(),
              sidecar_.socket_path().c_str());
  sidecar_.wait_until_up({"blue", "green"});

  heading("90/10: one new user in ten tries green");
  expect(command("weights blue=9 green=1 reason=canary").at("ok"), "true on every worker");
  LoadSetup setup;
  setup.port = sidecar_.port();
  setup.threads = 8;
  setup.users = kUsers;
  setup.rate = 250;
  load_ = std::make_unique<Load>(setup);
  LoadFigures figures = traffic_for(Millis{8'000});
  const double users =
      static_cast<double>(figures.by_color["blue"].users + figures.by_color["green"].users);
  const double share = static_cast<double>(figures.by_color["green"].users) / users;
  std::printf("   share of users on green: %.1f %%\n", share * 100);
  expect(share > 0.05 && share < 0.16, "about a tenth of the users are on green");
  expect(figures.moved == 0, "every user stayed on one color");
  expect(figures.errors() == 0, "no error");

  heading("the switch: new users go to green, users of blue stay where they are");
  expect(command("weights blue=0 green=1 reason=switch").at("ok"), "true on every worker");
  figures = traffic_for(Millis{4'000});
  expect(figures.moved == 0 && figures.by_color["blue"].answers > 0,
         "nobody was thrown out of blue");
  expect(figures.errors() == 0, "no error");

  heading("the drain: after two seconds the users of blue move, running work is finished");
  const json drained = command("drain blue deadline=2s wait=20s reason=release");
  expect(drained.at("ok").get<bool>(), "blue is empty: safe to stop");
  figures = traffic_for(Millis{2'000});
  expect(figures.errors() == 0, "no error while users moved");

  heading("blue is stopped while the traffic goes on");
  const auto last = sidecar_.scrape();
  expect(last.sum("odoo_active_requests", "color=\"blue\"") == 0, "nothing in flight on blue");
  blue_.process().signal(SIGTERM);
  expect(blue_.process().wait(Millis{10'000}).has_value(), "blue ended");
  figures = traffic_for(Millis{4'000});
  expect(figures.by_color.count("blue") == 0, "every answer came from green");
  expect(figures.errors() == 0, "no error after blue was gone");

  heading("a new blue comes back as the next canary");
  blue_.start();
  expect(command("ready blue").at("ok"), "ready");
  sidecar_.wait_until_up({"blue"});
  expect(command("weights blue=1 green=9 reason=canary").at("ok"), "true on every worker");
  figures = traffic_for(Millis{3'000});
  expect(figures.moved_from.count("green") == 0, "users of green stay on green");
  figures = load_->stop();
  answers_ += figures.sent;
  errors_ += figures.errors();
  expect(errors_ == 0, "no error in all");

  std::map<std::string, int> times;
  int64_t doubled = 0;
  for (const Executed& one : read_nonce_log(folder_ / "requests")) {
    if (++times[one.nonce] > 1) ++doubled;
  }
  expect(doubled == 0, "no request was executed twice");
  std::printf("\n%lld requests, %lld errors, %zu executed by the colors, %s\n",
              static_cast<long long>(answers_), static_cast<long long>(errors_), times.size(),
              failed_ == 0 ? "all expectations held" : "some expectations FAILED");
  return failed_ == 0 ? 0 : 1;
}

}  // namespace

int main() {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    return Demo().run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "demo: %s\n", error.what());
    return 1;
  }
}
