// The agent's configuration, with every default. Commands are lists of words with {placeholders};
// no shell ever reads them. The reader is beside it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/yaml.h"

namespace agent {

using Words = std::vector<std::string>;

struct ColorTarget {
  std::string service;      // of the compose file
  std::string workers_key;  // in the env file
  std::string image_key;    // empty: images are not set by the agent
};

// What runs where docker is asked. Placeholders: {compose} {project} {service} {color} {container}
// {image} {signal} {pid} {grace} {epoch} {hook}. A command that is empty is left out.
struct CommandWords {
  Words up{"{compose}", "up", "-d", "--no-deps", "{service}"};
  Words create{"{compose}", "up", "--no-start", "--no-deps", "{service}"};  // not running before
  Words remove{"{compose}", "rm", "-s", "-f", "{service}"};                 // not there before
  Words stop{"{compose}", "stop", "-t", "{grace}", "{service}"};
  // The container's id, running or not. By label: 1.29 and v2 differ in what `ps -q` lists.
  Words find{"docker",
             "ps",
             "-a",
             "-q",
             "--no-trunc",
             "--filter",
             "label=com.docker.compose.project={project}",
             "--filter",
             "label=com.docker.compose.service={service}",
             "--filter",
             "label=com.docker.compose.oneoff=False"};
  // State, health ("none" without a check) and id of the image.
  Words inspect{"docker", "inspect", "--format",
                "{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}"
                " {{.Image}}",
                "{container}"};
  // The image's digests as JSON and its id.
  Words resolve{"docker", "image", "inspect", "--format", "{{json .RepoDigests}} {{.Id}}",
                "{image}"};
  Words pull{"docker", "pull", "-q", "{image}"};  // when resolve does not know the image
  Words count{"docker", "top", "{container}", "-eo", "pid,ppid,times,args"};
  Words signal_master{"docker", "kill", "--signal={signal}", "{container}"};
  Words signal_worker{"kill", "-INT", "{pid}"};
  Words health;      // exit code 0: healthy; beside docker's own
  Words background;  // exit code 0: no background work runs in the color; 3: some does
};

struct AgentConfig {
  std::string socket = "/run/sidecar/admin.sock";
  std::string journal = "/var/lib/shifter-agent/journal.json";
  std::string env_file = "/opt/odoo/.env";
  base::Millis reconnect{2'000};

  Words compose{"docker-compose"};   // or [docker, compose]
  std::string folder = "/opt/odoo";  // where compose runs
  std::string project = "odoo";
  std::vector<std::string> files;  // -f of each; none: compose finds its own

  CommandWords commands;
  // What people add: pre_canary and post_switch of a rollout, stop (before a color is stopped;
  // where it fails nothing is stopped), notify (of a notice). Empty: nothing is done.
  std::map<std::string, Words> hooks{
      {"pre_canary", {}}, {"post_switch", {}}, {"stop", {}}, {"notify", {}}};

  int workers_min = 1;
  int workers_max = 64;
  std::vector<std::string> count_without{"gevent", "WorkerCron"};  // in a command line: no worker
  int count_other = 0;  // children of the master that look like workers and are none (cron)

  base::Millis health_deadline{180'000};
  base::Millis settle{5'000};           // running for so long is healthy, where nothing checks
  base::Millis count_deadline{30'000};  // for the observed number of workers to agree
  base::Millis poll{1'000};
  base::Millis stop_grace{130'000};  // above Odoo's limit_time_real
  base::Millis background_deadline{600'000};
  base::Millis undo_deadline{120'000};
  base::Millis look_deadline{20'000};  // of a command that only looks

  Words connections;  // prints "USED MAX", or USED alone
  base::Millis figures_interval{30'000};

  std::map<std::string, ColorTarget> colors;
};

AgentConfig read_agent_config(base::Section& top);

// {name} of each word replaced; a word that is just {compose} becomes its words. Unknown names and
// docker's own {{…}} stay.
using Names = std::map<std::string, std::string>;
Words fill_in(const AgentConfig& config, const Words& words, const Names& names);

}  // namespace agent
