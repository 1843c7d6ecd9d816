#include "shifter/agent/config.h"

#include <algorithm>
#include <array>

namespace agent {
namespace {

using base::Millis;
using base::Section;

constexpr Millis kHour{3'600'000};
constexpr std::array kHookNames = {"pre_canary", "post_switch", "stop", "notify"};

void read_path(Section& section, std::string_view key, std::string& path) {
  section.read(key, path);
  if (path.empty() || path[0] != '/') section.fault(key, "a path starts with /");
}

void read_words(Section& section, std::string_view key, Words& words, bool may_be_empty) {
  section.read(key, words);
  const bool fits = words.size() <= 64 && (may_be_empty || !words.empty()) &&
                    (words.empty() || !words[0].empty());
  if (!fits) section.fault(key, "a command is a list of 1 to 64 words");
}

void read_commands(Section section, CommandWords& commands) {
  read_words(section, "up", commands.up, false);
  read_words(section, "create", commands.create, false);
  read_words(section, "remove", commands.remove, false);
  read_words(section, "stop", commands.stop, false);
  read_words(section, "find", commands.find, false);
  read_words(section, "inspect", commands.inspect, false);
  read_words(section, "resolve", commands.resolve, false);
  read_words(section, "pull", commands.pull, true);
  read_words(section, "count", commands.count, true);
  read_words(section, "signal_master", commands.signal_master, false);
  read_words(section, "signal_worker", commands.signal_worker, false);
  read_words(section, "health", commands.health, true);
  read_words(section, "background", commands.background, true);
}

void read_times(Section section, AgentConfig& config) {
  section.read("health", config.health_deadline, Millis{1'000}, kHour);
  section.read("settle", config.settle, Millis{0}, kHour);
  section.read("count", config.count_deadline, Millis{0}, kHour);
  section.read("poll", config.poll, Millis{10}, Millis{60'000});
  section.read("stop_grace", config.stop_grace, Millis{1'000}, kHour);
  section.read("background", config.background_deadline, Millis{0}, 24 * kHour);
  section.read("undo", config.undo_deadline, Millis{1'000}, Millis{140'000});
  section.read("look", config.look_deadline, Millis{100}, Millis{600'000});
  section.read("figures", config.figures_interval, Millis{1'000}, kHour);
  section.read("reconnect", config.reconnect, Millis{50}, Millis{60'000});
}

bool is_key_name(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

ColorTarget read_color(Section section) {
  ColorTarget color;
  section.read("service", color.service);
  if (color.service.empty() || color.service[0] == '-') {
    section.fault("service", "the name of a service of the compose file");
  }
  section.read("workers_key", color.workers_key);
  if (!is_key_name(color.workers_key)) {
    section.fault("workers_key", "a name of the env file is needed");
  }
  section.read("image_key", color.image_key);
  if (!color.image_key.empty() && !is_key_name(color.image_key)) {
    section.fault("image_key", "not a name of an env file");
  }
  return color;
}

}  // namespace

AgentConfig read_agent_config(Section& top) {
  AgentConfig config;
  read_path(top, "socket", config.socket);
  read_path(top, "journal", config.journal);
  read_path(top, "env_file", config.env_file);
  Section compose = top.section("compose");
  read_words(compose, "command", config.compose, false);
  read_path(compose, "folder", config.folder);
  compose.read("project", config.project);
  if (config.project.empty()) compose.fault("project", "a name is needed");
  compose.read("files", config.files);
  read_commands(top.section("commands"), config.commands);
  Section hooks = top.section("hooks");
  for (const char* name : kHookNames) {
    read_words(hooks, name, config.hooks[name], true);
  }
  Section workers = top.section("workers");
  workers.read("least", config.workers_min, 1, 1000);
  workers.read("most", config.workers_max, 1, 1000);
  workers.read("count_without", config.count_without);
  workers.read("count_other", config.count_other, 0, 1000);
  if (config.workers_min > config.workers_max) workers.fault("least", "above most");
  read_times(top.section("times"), config);
  Section capacity = top.section("capacity");
  read_words(capacity, "connections", config.connections, true);
  Section colors = top.section("colors");
  for (const std::string& name : colors.keys()) {
    config.colors[name] = read_color(colors.section(name));
  }
  if (config.colors.empty() || config.colors.size() > 16) {
    top.fault("colors", "1 to 16 colors are needed");
  }
  return config;
}

Words fill_in(const AgentConfig& config, const Words& words, const Names& names) {
  Words filled;
  for (const std::string& word : words) {
    if (word == "{compose}") {
      filled.insert(filled.end(), config.compose.begin(), config.compose.end());
      filled.insert(filled.end(), {"-p", config.project});
      for (const std::string& file : config.files) filled.insert(filled.end(), {"-f", file});
      continue;
    }
    std::string made;
    for (size_t at = 0; at < word.size();) {
      const size_t close = word[at] == '{' ? word.find('}', at) : std::string::npos;
      const auto name = close == std::string::npos
                            ? names.end()
                            : names.find(word.substr(at + 1, close - at - 1));
      if (name == names.end()) {
        made += word[at++];
      } else {
        made += name->second;
        at = close + 1;
      }
    }
    filled.push_back(std::move(made));
  }
  return filled;
}

}  // namespace agent
