// The agent as a process: once per id, loud failures, deadlines, crashes of either side, and what
// it does not have.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "shifter/agent/journal.h"
#include "tests/agent/process_sockets.h"
#include "tests/agent/site.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace agent_tests;
using control::Action;
using control::ActionAsk;
using control::ActionKind;
using control::ActionState;
using harness::await;
using namespace std::chrono_literals;

std::string hook(const std::string& name, const std::string& script) {
  return "hooks:\n  " + name + ": [/bin/sh, -c, '" + script + "']\n";
}
ActionAsk custom(const std::string& name, base::Millis deadline = 30s) {
  return {ActionKind::custom, "green", {{"hook", name}, {"epoch", "41"}}, deadline};
}
long lines_in(const std::string& path) {
  const std::string text = harness::read_text(path);
  return std::count(text.begin(), text.end(), '\n');
}

TEST(AgentLife, AHookGetsTheColorAndTheEpochAndNothingIsAShellOfOurs) {
  Site site(false,
            "hooks:\n  post_switch: [/bin/sh, -c, 'echo \"$SHIFTER_COLOR $SHIFTER_EPOCH $1\"',"
            " sh, '{color}; echo x']\n");
  const Action action = site.desk().run(custom("post_switch"));
  ASSERT_EQ(action.state, ActionState::done) << action.message << site.story();
  EXPECT_EQ(action.tail, std::vector<std::string>{"green 41 green; echo x"});
}

// R47: loud, with its last lines, and never by itself again.
TEST(AgentLife, AFailingHookIsToldWithItsLastLinesAndIsNotRunAgain) {
  Site site(false, hook("stop", "echo run >> $PWD/runs; seq 1 30; echo no luck >&2; exit 1"));
  const Action action = site.desk().run(custom("stop"));
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.message, "hook stop: exit code 1");
  ASSERT_EQ(action.tail.size(), 20u);
  EXPECT_EQ(action.tail.back(), "no luck");
  const Action next = site.desk().run(custom("post_switch"));
  EXPECT_EQ(next.state, ActionState::done) << "a hook without a command is no failure";
  EXPECT_EQ(lines_in(site.folder("runs")), 1);
}

// R46: TERM at the deadline, KILL 5 s later, to the whole group; others are answered meanwhile.
TEST(AgentLife, AHookThatHangsIsEndedWithItsGroup) {
  Site site(false, hook("stop", "trap \"\" TERM; sleep 3600 & echo $! > $PWD/child; wait"));
  const auto begun = harness::SteadyClock::now();
  const uint64_t id = site.desk().ask(custom("stop", 1s));
  site.desk().await_state(id, ActionState::started);
  await("its child", [&] { return lines_in(site.folder("child")) == 1; });
  const auto child = static_cast<pid_t>(std::stol(harness::read_text(site.folder("child"))));
  site.desk().await_state(id, ActionState::failed);
  EXPECT_NE(site.desk().find(id)->message.find("hook stop: not over after its deadline of "),
            std::string::npos)
      << site.desk().find(id)->message;
  EXPECT_GE(harness::seconds_since(begun), 5.9);
  await("the end of the whole group", [&] { return ::kill(child, 0) != 0; });
}

// R48: kill -9 right after the hook began: unknown, what is there is said, no second hook.
TEST(AgentLife, AnAgentThatIsKilledDoesNotRunTheHookAgain) {
  Site site(false, hook("stop", "echo $$ >> $PWD/runs; exec sleep 3600"));
  const uint64_t id = site.desk().ask(custom("stop"));
  await("the hook", [&] { return lines_in(site.folder("runs")) == 1; });
  site.agent().signal(SIGKILL);
  site.agent().wait(10s);
  site.start_agent();
  site.desk().await_state(id, ActionState::unknown);
  const Action action = *site.desk().find(id);
  EXPECT_EQ(action.result.at("container"), "running");
  EXPECT_EQ(action.result.at("workers"), "2");
  EXPECT_EQ(action.result.at("env_workers"), "2");
  const Action next = site.desk().run({ActionKind::set_workers, "green", {{"workers", "3"}}, 10s});
  EXPECT_EQ(next.state, ActionState::done) << next.message;
  EXPECT_EQ(site.desk().find(id)->state, ActionState::unknown);
  EXPECT_EQ(lines_in(site.folder("runs")), 1);
  const auto hook = static_cast<pid_t>(std::stol(harness::read_text(site.folder("runs"))));
  // Nobody else would end it at its deadline.
  await("the end of what was left", [&] { return ::kill(hook, 0) != 0; });
}

// R48, the other side: the sidecar goes and comes back while the hook runs.
TEST(AgentLife, ASidecarThatRestartsHearsHowItEnded) {
  Site site(false, hook("stop", "echo run >> $PWD/runs; while [ ! -e go ]; do sleep 0.05; done"));
  const uint64_t id = site.desk().ask(custom("stop"));
  await("the hook", [&] { return lines_in(site.folder("runs")) == 1; });
  site.desk().restart();
  EXPECT_EQ(site.desk().find(id)->state, ActionState::started);
  harness::write_text(site.folder("go"), "");
  site.desk().await_state(id, ActionState::done);
  EXPECT_EQ(lines_in(site.folder("runs")), 1);
  const Action next = site.desk().run({ActionKind::set_workers, "green", {{"workers", "3"}}, 10s});
  EXPECT_GT(next.id, id) << "ids go on";
}

// An id that begins anew is another action: the journal knows what it was asked for.
TEST(AgentLife, ASidecarThatLostItsStateIsNotToldOfOldEnds) {
  Site site(false, hook("stop", "echo run >> $PWD/runs"));
  const Action first = site.desk().run(custom("stop"));
  EXPECT_EQ(first.state, ActionState::done) << first.message;
  site.desk().lose_state();
  const Action again = site.desk().run(custom("stop"));
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.state, ActionState::done) << again.message;
  EXPECT_EQ(lines_in(site.folder("runs")), 2) << "it was not done, only said to be";
}

// What comes in the moment of the end is not begun and not lost.
TEST(AgentLife, AnActionThatMeetsTheEndIsForTheNextAgent) {
  Site site(false, hook("stop", "echo run >> $PWD/runs"));
  harness::await("the agent to wait for work", [&] { return site.desk().has_taker(); });
  site.agent().signal(SIGSTOP);
  const uint64_t id = site.desk().ask(custom("stop"));
  site.desk().await_state(id, ActionState::taken);
  site.agent().signal(SIGTERM);
  site.agent().signal(SIGCONT);
  EXPECT_EQ(site.agent().wait(10s), 0) << site.story();
  site.desk().await_state(id, ActionState::pending);
  EXPECT_EQ(lines_in(site.folder("runs")), 0);
  site.start_agent();
  site.desk().await_state(id, ActionState::done);
  EXPECT_EQ(lines_in(site.folder("runs")), 1);
}

TEST(AgentLife, WhatCannotBeWrittenDownIsNotBegun) {
  Site site(false, hook("stop", "echo run >> $PWD/runs"));
  std::filesystem::remove_all(site.folder("journal"));
  const Action action = site.desk().run(custom("stop"));
  EXPECT_EQ(action.state, ActionState::failed);
  EXPECT_EQ(action.message, "not begun: the agent's journal cannot be written");
  EXPECT_EQ(lines_in(site.folder("runs")), 0);
  std::filesystem::create_directory(site.folder("journal"));
  EXPECT_EQ(site.desk().run(custom("stop")).state, ActionState::done);
}

// Encoded, some bytes take three: what does not fit into a line is left out, not the report.
TEST(AgentLife, AReportFitsWhateverWasPrinted) {
  Site site(false, hook("stop",
                        "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
                        "printf \"%0200d\\n\" 0 | tr 0 %; done; exit 1"));
  const Action action = site.desk().run(custom("stop"));
  EXPECT_EQ(action.state, ActionState::failed) << site.story();
  ASSERT_GE(action.tail.size(), 5u);
  EXPECT_EQ(action.tail.back(), std::string(200, '%'));
}

// Of no color, and with what it is about.
TEST(AgentLife, ANoticeIsAHookToo) {
  Site site(false, hook("notify", "echo \"$SHIFTER_KIND|$SHIFTER_SUMMARY\""));
  const Action action = site.desk().run(
      {ActionKind::custom, "", {{"hook", "notify"}, {"kind", "end"}, {"summary", "a \"b\""}}, 10s});
  ASSERT_EQ(action.state, ActionState::done) << action.message;
  EXPECT_EQ(action.tail, std::vector<std::string>{"end|a \"b\""});
}

// R58: failures, again and again, leave the file as it was.
TEST(AgentLife, ThreeFailedRedeploysLeaveTheEnvFileAsItWas) {
  Site site(false, "", "health: 15s, count: 1s");
  const std::string env = site.env();
  for (const char* workers : {"4", "6", "8"}) {
    const Action action = site.desk().run({ActionKind::deploy,
                                           "green",
                                           {{"workers", workers}, {"image", "shifter-stub:deaf2"}},
                                           20s});
    EXPECT_EQ(action.state, ActionState::failed);
    EXPECT_EQ(site.env(), env);
  }
  for (const char* workers : {"6", "8"}) {
    const Action action = site.desk().run(
        {ActionKind::deploy, "green", {{"workers", workers}, {"image", "shifter-stub:deaf"}}, 20s});
    EXPECT_EQ(action.message.rfind("observed 4, wanted ", 0), 0u) << action.message;
    EXPECT_EQ(site.env(), env);
  }
}

// A compose that answers nobody: both the deploy and its way back end in time.
TEST(AgentLife, ADeployThatHangsIsEndedAndItsFileIsPutBack) {
  Site site(false, "", "undo: 1s");
  const std::string env = site.env();
  harness::write_text(site.folder("behave.json"), "{\"up\": \"hang\"}");
  const auto begun = harness::SteadyClock::now();
  const Action action = site.desk().run({ActionKind::deploy, "green", {{"workers", "6"}}, 4s});
  EXPECT_EQ(action.state, ActionState::failed);
  const std::string late = "compose up odoo_green: not over after its deadline of ";
  EXPECT_EQ(action.message.rfind(late, 0), 0u) << action.message;
  EXPECT_NE(action.message.find("; undoing it failed: " + late), std::string::npos)
      << action.message << site.story();
  EXPECT_LT(harness::seconds_since(begun), 15.0 * harness::kSlowness);
  EXPECT_EQ(site.env(), env);
  harness::write_text(site.folder("behave.json"), "{}");
  EXPECT_EQ(site.desk().run({ActionKind::deploy, "green", {{"workers", "6"}}, 20s}).state,
            ActionState::done);
}

TEST(AgentLife, AnAgentThatIsAskedToEndUndoesFirst) {
  Site site(false);
  const std::string env = site.env();
  const uint64_t id = site.desk().ask(
      {ActionKind::deploy, "green", {{"workers", "6"}, {"image", "shifter-stub:sick"}}, 60s});
  await("the edit", [&] { return site.env() != env; });
  site.agent().signal(SIGTERM);
  EXPECT_EQ(site.agent().wait(20s), 0) << site.story();
  EXPECT_EQ(site.env(), env);
  EXPECT_EQ(site.image_of("odoo_green"), site.image_id("shifter-stub:1"));
  EXPECT_EQ(site.desk().find(id)->state, ActionState::failed);
}

TEST(AgentLife, RefusesWhatItsConfigDoesNotKnow) {
  Site site(false, "workers: { most: 8 }\n");
  const std::string env = site.env();
  EXPECT_EQ(site.desk().run({ActionKind::deploy, "green", {{"workers", "9"}}, 10s}).message,
            "workers 9: the agent's config allows 1 to 8");
  EXPECT_EQ(site.desk().run({ActionKind::set_workers, "green", {{"workers", "-1"}}, 10s}).state,
            ActionState::failed);
  EXPECT_EQ(site.desk().run({ActionKind::set_workers, "green", {}, 10s}).message,
            "workers= is needed");
  EXPECT_EQ(site.desk().run({ActionKind::deploy, "green", {{"image", "a b"}}, 10s}).state,
            ActionState::failed);
  EXPECT_EQ(site.env(), env);
}

// R75: what the file says and what runs are both told.
TEST(AgentLife, SaysWhatTheFileSaysAndWhatRuns) {
  Site site(false, "capacity: { connections: [echo, 88 100] }\n");
  site.set_env("WORKERS_BLUE", "8");
  site.agent().signal(SIGTERM);
  site.agent().wait(10s);
  site.start_agent();
  await("the new figures", [&] { return site.desk().figures().env_workers["blue"] == 8; });
  const auto figures = site.desk().figures();
  EXPECT_EQ(figures.workers.at("blue"), 2);
  EXPECT_GT(figures.cpus.value_or(0), 0);
  EXPECT_GT(figures.memory_bytes.value_or(0), figures.memory_free_bytes.value_or(0));
  EXPECT_GT(figures.memory_free_bytes.value_or(0), 0);
  EXPECT_EQ(figures.connections, 88);
  EXPECT_EQ(figures.connections_max, 100);
}

TEST(AgentLife, OneJournalHasOneAgent) {
  Site site(false);
  const auto second = harness::run_program(
      {harness::program("shifter"), "agent", "--config", site.folder("agent.yaml")});
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.output.find("journal.json.lock"), std::string::npos) << second.output;
}

TEST(AgentLife, UsageAndFaultsOfTheConfigEndWith2) {
  const harness::TempFolder folder;
  const std::string agent = harness::program("shifter");
  EXPECT_EQ(harness::run_program({agent, "agent"}).code, 2);
  EXPECT_EQ(harness::run_program({agent, "agent", "--what"}).code, 2);
  harness::write_text(folder / "a.yaml", "sockets: /x\n");
  const auto faulty = harness::run_program({agent, "agent", "--config", folder / "a.yaml"});
  EXPECT_EQ(faulty.code, 2);
  EXPECT_NE(faulty.output.find("a.yaml:1: sockets"), std::string::npos) << faulty.output;
  EXPECT_EQ(harness::run_program({agent, "agent", "--check", "--config", "conf/agent.yaml"}).code,
            0);
}

TEST(Journal, KnowsAfterACrashWhatWasBegun) {
  const harness::TempFolder folder;
  const std::string path = folder / "deep/journal.json";
  std::string name;
  {
    auto journal = agent::Journal::open(path);
    ASSERT_TRUE(journal.has_value()) << journal.error().detail;
    name = journal->name();
    ASSERT_TRUE(journal->start(7, 70, "deploy", "green").has_value());
    ASSERT_TRUE(journal->start(8, 80, "stop", "blue").has_value());
    ASSERT_TRUE(
        journal->end(8, 80, {agent::End::failed, "m", {"t"}, {{"workers", "4"}}}).has_value());
    EXPECT_FALSE(agent::Journal::open(path).has_value()) << "it is taken";
  }
  auto again = agent::Journal::open(path);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->name(), name);
  EXPECT_EQ(again->find(7, 70)->outcome.end, agent::End::started);
  EXPECT_EQ(again->find(8, 80)->outcome.end, agent::End::failed);
  EXPECT_EQ(again->find(8, 80)->outcome.result.at("workers"), "4");
  EXPECT_EQ(again->find(9, 80), nullptr);
  EXPECT_EQ(again->find(8, 81), nullptr) << "asked for at another time: another action";
  for (uint64_t id = 100; id < 300; ++id)
    ASSERT_TRUE(again->start(id, 1, "stop", "blue").has_value());
  EXPECT_LE(again->entries().size(), agent::Journal::kKept);
}

// S26: a daemon with the engine in its hands is root on the machine.
TEST(AgentLife, TheAgentListensOnNothingAndTheSidecarDoesNotKnowDocker) {
  const harness::ScriptedBackend backend;
  harness::SidecarSetup setup;
  setup.workers = 1;
  setup.colors = {{"blue", 10, {backend.address()}, {backend.address()}, "auto", false}};
  harness::SidecarProcess sidecar(setup);
  const harness::TempFolder folder;
  harness::write_text(folder / ".env", "WORKERS_BLUE=2\n");
  harness::write_text(folder / "agent.yaml",
                      "socket: " + sidecar.socket_path() + "\njournal: " + folder / "journal.json" +
                          "\nenv_file: " + folder / ".env" +
                          "\ncompose: { folder: " + folder.path() + " }\n" +
                          "commands: { count: [] }\ntimes: { reconnect: 50ms }\n" +
                          "colors: { blue: { service: b, workers_key: WORKERS_BLUE } }\n");
  harness::Process agent({harness::program("shifter"), "agent", "--config", folder / "agent.yaml"},
                         folder / "log");
  await("the agent's hello",
        [&] { return sidecar.ask("actions").find("\"connected\":true") != std::string::npos; });
  EXPECT_GE(sockets_of(agent.pid()).size(), 1u) << "it is connected";
  EXPECT_EQ(listening_sockets(agent.pid()), 0);
  EXPECT_GE(listening_sockets(sidecar.pid()), 3) << "traffic, metrics, admin: the look sees them";
  EXPECT_EQ(unix_connections(agent.pid()), 1) << "to the sidecar: the look sees connections";
  EXPECT_EQ(unix_connections(sidecar.pid()), 0) << "to docker's socket or any other";
  const std::string program = harness::read_text("/proc/" + std::to_string(sidecar.pid()) + "/exe");
  EXPECT_EQ(program.find("docker.sock"), std::string::npos) << "it has no name for it either";
  await("its figures", [&] { return sidecar.scrape().sum("shifter_agent_connected", "") == 1; });
  const harness::Scrape scrape = sidecar.scrape();
  EXPECT_EQ(scrape.sum("shifter_workers", "source=\"env\""), 2);
  EXPECT_GT(scrape.sum("shifter_agent_memory_bytes", ""), 0);
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(10s), 0);
  await("it to be missed",
        [&] { return sidecar.ask("actions").find("\"connected\":false") != std::string::npos; });
}

}  // namespace
