// The agent's actions on a machine of the test's own: time is fake, docker is a few lines.
#include "shifter/agent/performer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace agent {
namespace {

using namespace std::chrono_literals;

struct Machine final : Commands {
  base::Instant time{std::chrono::hours(100)};
  bool asked_to_stop = false;
  std::vector<std::string> calls;
  std::string status = "running";
  std::string health = "healthy";
  std::string image = "sha256:1";
  int workers = 4;
  int target = 4;      // of the master
  bool heeds = true;   // signals
  int busy_looks = 0;  // background work is there for so many looks
  int gone = 0;        // workers that left while still wanted
  base::Millis took{10};
  std::vector<std::pair<std::string, std::string>> environment;  // of the last hook
  int hook_code = 0;

  ChildEnd run(const ChildAsk& ask, bool) override {
    time += took;
    std::string line;
    for (const std::string& word : ask.words) line += (line.empty() ? "" : " ") + word;
    ChildEnd end;
    if (line.rfind("docker ps", 0) == 0) {
      end.output = status == "none" ? "" : "c1\n";
    } else if (line.rfind("docker inspect", 0) == 0) {
      end.output = status + " " + health + " " + image + "\n";
    } else if (line.rfind("docker image inspect", 0) == 0) {
      end.output = R"(["other/odoo@sha256:aa","odoo@sha256:bb"] sha256:1)";
    } else if (line.rfind("docker top", 0) == 0) {
      end.output = "PID PPID TIME COMMAND\n100 1 0 odoo\n";
      for (int i = 0; i < workers; ++i) end.output += std::to_string(101 + i) + " 100 0 odoo\n";
      end.output += "99 100 0 odoo gevent\n";
    } else if (line.rfind("check-background", 0) == 0) {
      end.code = busy_looks-- > 0 ? 3 : 0;
    } else if (line == "hook") {
      calls.push_back(line);
      environment = ask.environment;
      end.code = hook_code;
    } else {
      calls.push_back(line);
      if (heeds && line == "docker kill --signal=TTIN c1") workers = ++target;
      if (heeds && line == "docker kill --signal=TTOU c1") --target;
      if (heeds && line.rfind("kill -INT", 0) == 0) {
        if (target < workers)
          --workers;
        else
          ++gone;
      }
      if (line.find(" stop ") != std::string::npos) status = "exited";
    }
    return end;
  }
  void wait(base::Millis span) override { time += span; }
  base::Instant now() const override { return time; }
  bool stops() const override { return asked_to_stop; }
};

struct Bench {
  std::string folder = [] {
    char name[] = "/tmp/performer_XXXXXX";
    return std::string(::mkdtemp(name));
  }();
  AgentConfig config;
  Machine machine;

  Bench() {
    config.env_file = folder + "/.env";
    config.colors["green"] = {"odoo_green", "WORKERS_GREEN", "IMAGE_GREEN"};
    std::ofstream(config.env_file) << "WORKERS_GREEN=4\nIMAGE_GREEN=odoo:latest\n";
  }
  ~Bench() { std::filesystem::remove_all(folder); }
  std::string env() const {
    std::ostringstream text;
    text << std::ifstream(config.env_file).rdbuf();
    return text.str();
  }
  Outcome perform(const std::string& kind, std::map<std::string, std::string> arguments,
                  base::Millis deadline = 600s) {
    return Performer(config, machine)
        .perform({7, 0, kind, "green", std::move(arguments), deadline});
  }
  long count(const std::string& call) const {
    return std::count(machine.calls.begin(), machine.calls.end(), call);
  }
};

// R63: up by one signal each, down by TTOU and INT each, the file in step, no worker lost.
TEST(Performer, ChangesWorkersOneSignalAtATime) {
  Bench bench;
  Outcome up = bench.perform("signal_workers", {{"workers", "8"}});
  ASSERT_EQ(up.end, End::done) << up.message;
  EXPECT_EQ(bench.machine.calls, std::vector<std::string>(4, "docker kill --signal=TTIN c1"));
  EXPECT_EQ(bench.env(), "WORKERS_GREEN=8\nIMAGE_GREEN=odoo:latest\n");
  EXPECT_EQ(up.result.at("workers"), "8");
  Outcome down = bench.perform("signal_workers", {{"workers", "6"}});
  ASSERT_EQ(down.end, End::done) << down.message;
  EXPECT_EQ(bench.count("docker kill --signal=TTOU c1"), 2);
  EXPECT_EQ(bench.count("kill -INT 108"), 1);
  EXPECT_EQ(bench.count("kill -INT 107"), 1);
  EXPECT_EQ(bench.machine.gone, 0) << "each was let go before it was asked to leave";
  EXPECT_EQ(bench.env(), "WORKERS_GREEN=6\nIMAGE_GREEN=odoo:latest\n");
}

// R63: the number does not follow within 30 s: the file says what runs.
TEST(Performer, WhenTheNumberDoesNotFollowTheFileSaysWhatRuns) {
  Bench bench;
  bench.machine.heeds = false;
  const auto begun = bench.machine.time;
  Outcome outcome = bench.perform("signal_workers", {{"workers", "8"}});
  EXPECT_EQ(outcome.end, End::failed);
  EXPECT_EQ(outcome.message, "observed 4, wanted 8: the number does not rise");
  EXPECT_EQ(bench.env(), "WORKERS_GREEN=4\nIMAGE_GREEN=odoo:latest\n");
  EXPECT_EQ(outcome.result.at("workers"), "4");
  EXPECT_GE(bench.machine.time - begun, 30s);
  EXPECT_LT(bench.machine.time - begun, 35s);
}

// R50: background work is waited for, and it is said which of the two it was.
TEST(Performer, AStopWaitsUntilBackgroundWorkIsOver) {
  Bench bench;
  bench.config.commands.background = {"check-background"};
  bench.machine.busy_looks = 5;
  Outcome outcome = bench.perform("stop", {});
  EXPECT_EQ(outcome.end, End::done) << outcome.message;
  EXPECT_EQ(outcome.result.at("background"), "idle");
  EXPECT_EQ(bench.count("docker-compose -p odoo stop -t 130 odoo_green"), 1);
}

TEST(Performer, AStopDoesNotWaitForBackgroundWorkForEver) {
  Bench bench;
  bench.config.commands.background = {"check-background"};
  bench.config.background_deadline = 60s;
  bench.machine.busy_looks = 1'000'000;
  const auto begun = bench.machine.time;
  Outcome outcome = bench.perform("stop", {});
  EXPECT_EQ(outcome.end, End::done) << outcome.message;
  EXPECT_EQ(outcome.result.at("background"), "deadline");
  EXPECT_GE(bench.machine.time - begun, 60s);
  EXPECT_LT(bench.machine.time - begun, 65s);
  // And where the action has less time than that, the stop keeps its own.
  Bench other;
  other.config.commands.background = {"check-background"};
  other.machine.busy_looks = 1'000'000;
  outcome = other.perform("stop", {}, 200s);
  EXPECT_EQ(outcome.end, End::done) << outcome.message;
  EXPECT_EQ(outcome.result.at("background"), "deadline");
}

// R46: what people do before a stop; where it fails nothing is stopped.
TEST(Performer, AStopRunsItsHookFirst) {
  Bench bench;
  bench.config.hooks["stop"] = {"hook"};
  EXPECT_EQ(bench.perform("stop", {{"epoch", "41"}}).end, End::done);
  EXPECT_EQ(bench.machine.calls,
            (std::vector<std::string>{"hook", "docker-compose -p odoo stop -t 130 odoo_green"}));
  EXPECT_EQ(bench.machine.environment.size(), 2u);
  Bench other;
  other.config.hooks["stop"] = {"hook"};
  other.machine.hook_code = 3;
  const Outcome outcome = other.perform("stop", {});
  EXPECT_EQ(outcome.end, End::failed);
  EXPECT_EQ(outcome.message, "not stopped: hook stop: exit code 3");
  EXPECT_EQ(other.machine.calls, std::vector<std::string>{"hook"});
}

TEST(Performer, ANoticeIsOfNoColor) {
  Bench bench;
  bench.config.hooks["notify"] = {"hook"};
  Performer performer(bench.config, bench.machine);
  const Outcome outcome = performer.perform(
      {7, 0, "custom", "", {{"hook", "notify"}, {"kind", "end"}, {"summary", "a b"}}, 5s});
  EXPECT_EQ(outcome.end, End::done) << outcome.message;
  const auto& seen = bench.machine.environment;
  EXPECT_NE(std::find(seen.begin(), seen.end(),
                      std::pair<std::string, std::string>("SHIFTER_SUMMARY", "a b")),
            seen.end());
  EXPECT_EQ(performer.perform({8, 0, "stop", "", {}, 5s}).end, End::failed);
}

// R60: the image that the other color runs, whatever its own key says.
TEST(Performer, DeploysWhatAnotherColorRuns) {
  Bench bench;
  bench.config.colors["blue"] = {"odoo_blue", "WORKERS_BLUE", "IMAGE_BLUE"};
  std::ofstream(bench.config.env_file)
      << "IMAGE_BLUE=other/odoo:9\nWORKERS_GREEN=4\nIMAGE_GREEN=odoo:latest\n";
  const Outcome outcome = bench.perform("deploy", {{"workers", "4"}, {"like", "blue"}});
  ASSERT_EQ(outcome.end, End::done) << outcome.message;
  EXPECT_EQ(bench.env(),
            "IMAGE_BLUE=other/odoo:9\nWORKERS_GREEN=4\nIMAGE_GREEN=other/odoo@sha256:aa\n");
  EXPECT_EQ(outcome.result.at("digest"), "other/odoo@sha256:aa");
  EXPECT_EQ(bench.perform("deploy", {{"like", "red"}}).message,
            "the agent's config has no color red");
  bench.machine.status = "none";
  EXPECT_EQ(bench.perform("deploy", {{"like", "blue"}}).message,
            "blue has no container whose image could be taken");
}

// R77: of several repositories the one that was named; a digest is not resolved to another.
TEST(Performer, WritesTheDigestOfTheRepositoryThatWasNamed) {
  Bench bench;
  Outcome outcome = bench.perform("deploy", {});
  ASSERT_EQ(outcome.end, End::done) << outcome.message;
  EXPECT_EQ(outcome.result.at("digest"), "odoo@sha256:bb");
  EXPECT_EQ(bench.env(), "WORKERS_GREEN=4\nIMAGE_GREEN=odoo@sha256:bb\n");
  const std::string exact = "odoo@sha256:" + std::string(64, 'c');
  outcome = bench.perform("deploy", {{"digest", exact}});
  EXPECT_EQ(outcome.result.at("digest"), exact);
}

// R74: never healthy within its time.
TEST(Performer, WaitsForHealthAndThenUndoes) {
  Bench bench;
  const std::string env = bench.env();
  bench.machine.health = "starting";
  const auto begun = bench.machine.time;
  Outcome outcome = bench.perform("deploy", {{"workers", "4"}});
  EXPECT_EQ(outcome.end, End::failed);
  EXPECT_EQ(outcome.message,
            "not healthy in time: the container is running, starting; the env file and the "
            "container are as before");
  EXPECT_EQ(bench.env(), env);
  EXPECT_GE(bench.machine.time - begun, 180s);
  EXPECT_LT(bench.machine.time - begun, 190s);
  EXPECT_EQ(bench.count("docker-compose -p odoo up -d --no-deps odoo_green"), 2);
}

TEST(Performer, AContainerThatEndsIsNotWaitedFor) {
  Bench bench;
  bench.machine.status = "exited";
  const auto begun = bench.machine.time;
  Outcome outcome = bench.perform("deploy", {});
  EXPECT_EQ(outcome.message.rfind("not healthy: the container is exited; ", 0), 0u)
      << outcome.message;
  EXPECT_LT(bench.machine.time - begun, 5s);
  EXPECT_EQ(bench.count("docker-compose -p odoo up --no-start --no-deps odoo_green"), 1);
}

TEST(Performer, WithoutACheckRunningForAWhileIsHealthy) {
  Bench bench;
  bench.machine.health = "none";
  const auto begun = bench.machine.time;
  EXPECT_EQ(bench.perform("deploy", {}).end, End::done);
  EXPECT_GE(bench.machine.time - begun, 5s);
}

TEST(Performer, AnotherImageThanWantedIsAFailure) {
  Bench bench;
  bench.machine.image = "sha256:2";
  Outcome outcome = bench.perform("deploy", {});
  EXPECT_EQ(outcome.message.rfind("it runs image sha256:2, wanted sha256:1; ", 0), 0u)
      << outcome.message;
}

TEST(Performer, BeginsNothingOnceItIsAskedToStopButUndoes) {
  Bench bench;
  const std::string env = bench.env();
  bench.machine.asked_to_stop = true;
  EXPECT_EQ(bench.perform("deploy", {{"workers", "6"}}).end, End::failed);
  EXPECT_EQ(bench.env(), env);
}

TEST(Performer, LooksWithoutTouching) {
  Bench bench;
  Outcome outcome = Performer(bench.config, bench.machine).look("green");
  EXPECT_EQ(outcome.end, End::unknown);
  EXPECT_EQ(outcome.result.at("container"), "running");
  EXPECT_EQ(outcome.result.at("workers"), "4");
  EXPECT_TRUE(bench.machine.calls.empty());
  EXPECT_EQ(Performer(bench.config, bench.machine).look("red").end, End::unknown);
}

}  // namespace
}  // namespace agent
