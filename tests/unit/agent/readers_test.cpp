// What the agent reads: its config, the list of processes, the machine.
#include <gtest/gtest.h>

#include "proxy/base/files.h"
#include "shifter/agent/capacity.h"
#include "shifter/agent/config.h"
#include "shifter/agent/workers.h"

namespace agent {
namespace {

struct Read {
  AgentConfig config;
  std::string faults;
};
Read read_config(const std::string& text) {
  base::YamlFile file = base::YamlFile::from_text("agent.yaml", text);
  Read read;
  {
    base::Section top = file.top();
    read.config = read_agent_config(top);
  }
  for (const base::ConfigFault& fault : file.faults()) read.faults += fault.text() + "\n";
  return read;
}

constexpr const char* kColors = "colors: { green: { service: odoo_green, workers_key: W } }\n";

TEST(AgentConfig, TheShippedFileHasEveryKeyWithItsDefault) {
  auto text = base::read_file("conf/agent.yaml", 1 << 20);
  ASSERT_TRUE(text.has_value());
  const Read shipped = read_config(*text);
  EXPECT_EQ(shipped.faults, "");
  const Read defaults = read_config(kColors);
  EXPECT_EQ(defaults.faults, "");
  const AgentConfig& a = shipped.config;
  const AgentConfig& b = defaults.config;
  EXPECT_EQ(a.socket, b.socket);
  EXPECT_EQ(a.journal, b.journal);
  EXPECT_EQ(a.env_file, b.env_file);
  EXPECT_EQ(a.compose, b.compose);
  EXPECT_EQ(a.folder, b.folder);
  EXPECT_EQ(a.project, b.project);
  EXPECT_EQ(a.files, b.files);
  EXPECT_EQ(a.commands.up, b.commands.up);
  EXPECT_EQ(a.commands.create, b.commands.create);
  EXPECT_EQ(a.commands.remove, b.commands.remove);
  EXPECT_EQ(a.commands.stop, b.commands.stop);
  EXPECT_EQ(a.commands.find, b.commands.find);
  EXPECT_EQ(a.commands.inspect, b.commands.inspect);
  EXPECT_EQ(a.commands.resolve, b.commands.resolve);
  EXPECT_EQ(a.commands.pull, b.commands.pull);
  EXPECT_EQ(a.commands.count, b.commands.count);
  EXPECT_EQ(a.commands.signal_master, b.commands.signal_master);
  EXPECT_EQ(a.commands.signal_worker, b.commands.signal_worker);
  EXPECT_EQ(a.commands.health, b.commands.health);
  EXPECT_EQ(a.commands.background, b.commands.background);
  EXPECT_EQ(a.hooks, b.hooks);
  EXPECT_EQ(a.workers_min, b.workers_min);
  EXPECT_EQ(a.workers_max, b.workers_max);
  EXPECT_EQ(a.count_without, b.count_without);
  EXPECT_EQ(a.count_other, b.count_other);
  EXPECT_EQ(a.health_deadline, b.health_deadline);
  EXPECT_EQ(a.settle, b.settle);
  EXPECT_EQ(a.count_deadline, b.count_deadline);
  EXPECT_EQ(a.poll, b.poll);
  EXPECT_EQ(a.stop_grace, b.stop_grace);
  EXPECT_EQ(a.background_deadline, b.background_deadline);
  EXPECT_EQ(a.undo_deadline, b.undo_deadline);
  EXPECT_EQ(a.look_deadline, b.look_deadline);
  EXPECT_EQ(a.figures_interval, b.figures_interval);
  EXPECT_EQ(a.reconnect, b.reconnect);
  EXPECT_EQ(a.connections, b.connections);
}

TEST(AgentConfig, ReportsEveryFaultWithItsLine) {
  const Read read = read_config(
      "socket: here\ncolors:\n  green: { service: odoo, workers_key: 'A B' }\n"
      "times: { pol: 1s }\ncommands: { up: [] }\nworkers: { least: 9, most: 2 }\n");
  EXPECT_NE(read.faults.find("agent.yaml:1: socket"), std::string::npos) << read.faults;
  EXPECT_NE(read.faults.find("agent.yaml:3: colors.green.workers_key"), std::string::npos);
  EXPECT_NE(read.faults.find("agent.yaml:4: times.pol"), std::string::npos);
  EXPECT_NE(read.faults.find("agent.yaml:5: commands.up"), std::string::npos);
  EXPECT_NE(read.faults.find("agent.yaml:6: workers.least"), std::string::npos);
  EXPECT_NE(read_config("socket: /x\n").faults.find("colors"), std::string::npos);
}

TEST(AgentConfig, FillsPlaceholdersAndLeavesDockersOwnBraces) {
  AgentConfig config;
  config.files = {"a.yml"};
  const Names names = {{"service", "odoo_green"}, {"container", "c1"}};
  EXPECT_EQ(fill_in(config, {"{compose}", "up", "{service}"}, names),
            (Words{"docker-compose", "-p", "odoo", "-f", "a.yml", "up", "odoo_green"}));
  EXPECT_EQ(
      fill_in(config, {"{{.State.Status}} {{if .X}}{other}", "x={container}{service}"}, names),
      (Words{"{{.State.Status}} {{if .X}}{other}", "x=c1odoo_green"}));
}

constexpr const char* kTop =
    "PID    PPID   TIME   COMMAND\n"
    "100    1      2      python3 /usr/bin/odoo --workers=3\n"
    "101    100    10     python3 /usr/bin/odoo --workers=3\n"
    "102    100    11     python3 /usr/bin/odoo --workers=3\n"
    "103    100    12     python3 /usr/bin/odoo --workers=3\n"
    "104    100    0      python3 /usr/bin/odoo gevent --workers=3\n"
    "110    102    0      wkhtmltopdf\n";

TEST(Workers, AreTheMastersChildrenButForTheWebsocketProcess) {
  auto list = read_processes(kTop, {"gevent"}, 0);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ(list->master, 100);
  ASSERT_EQ(list->workers.size(), 3u);
  EXPECT_EQ(list->workers[2].pid, 103);
  EXPECT_EQ(read_processes(kTop, {"gevent"}, 2)->workers.size(), 1u) << "two of them are for cron";
  EXPECT_FALSE(read_processes("PID PPID TIME COMMAND\n", {}, 0).has_value());
}

TEST(Workers, AWrapperAboveTheMasterIsNoMaster) {
  auto list = read_processes(
      "9 1 0 tini\n10 9 0 sh run.sh\n100 10 0 odoo\n101 100 0 odoo\n102 100 0 odoo\n", {}, 0);
  EXPECT_EQ(list->master, 100);
  EXPECT_EQ(list->workers.size(), 2u);
}

TEST(Workers, TheOneThatIsAskedToLeaveDidNothingMeanwhile) {
  const ProcessList before{1, {{101, 10}, {102, 11}, {103, 12}}};
  EXPECT_EQ(idle_worker(before, {1, {{101, 10}, {102, 11}, {103, 13}}}), 102);
  EXPECT_EQ(idle_worker(before, {1, {{101, 11}, {102, 12}, {103, 13}}}), 103) << "all work";
  EXPECT_FALSE(idle_worker(before, {1, {}}).has_value());
}

TEST(Capacity, SaysWhatItCouldRead) {
  Figures figures;
  read_memory("MemTotal:  8388608 kB\nMemFree: 1 kB\nMemAvailable: 1048576 kB\nX: y\n", figures);
  read_connections("88 100\n", figures);
  figures.cpus = 4;
  figures.workers = {{"blue", 4}, {"green", 2}};
  EXPECT_EQ(figures.words(),
            " cpus=4 memory=8589934592 memory_free=1073741824 connections=88 connections_max=100 "
            "workers=blue:4,green:2");
  Figures nothing;
  read_memory("nonsense", nothing);
  read_connections("psql: error", nothing);
  read_connections("-5", nothing);
  EXPECT_EQ(nothing.words(), "");
}

}  // namespace
}  // namespace agent
