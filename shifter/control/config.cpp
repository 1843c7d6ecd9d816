#include "shifter/control/config.h"

#include <unistd.h>

#include <algorithm>

namespace control {
namespace {

using base::Millis;
using base::Section;

constexpr Millis kDay{86'400'000};

void read_address(Section& section, std::string_view key, base::Address& address) {
  std::string text = address.text();
  section.read(key, text);
  auto parsed = base::parse_address(text);
  if (parsed) {
    address = *parsed;
  } else {
    section.fault(key, "\"" + text + "\" is not ADDRESS:PORT (a literal address)");
  }
}

void read_mode(Section& section, int& mode) {
  std::string text = "0660";
  section.read("mode", text);
  const bool octal =
      text.size() == 4 && text[0] == '0' && text.find_first_not_of("01234567") == std::string::npos;
  if (!octal) {
    section.fault("mode", "\"" + text + "\" is not a quoted octal mode such as \"0660\"");
    return;
  }
  mode = std::stoi(text, nullptr, 8);
  if ((mode & 07) != 0) section.fault("mode", "others may not command: the last digit must be 0");
}

void read_uids(Section& section, std::string_view key, std::vector<uint32_t>& uids) {
  std::vector<std::string> words = {"self", "0"};
  section.read(key, words);
  for (const std::string& word : words) {
    const bool digits = !word.empty() && word.size() <= 9 &&
                        word.find_first_not_of("0123456789") == std::string::npos;
    if (word == "self") {
      uids.push_back(static_cast<uint32_t>(geteuid()));
    } else if (digits) {
      uids.push_back(static_cast<uint32_t>(std::stoul(word)));
    } else {
      section.fault(key, "\"" + word + "\" is neither a number nor self");
    }
  }
}

void read_path(Section& section, std::string_view key, std::string& path, bool may_be_empty) {
  section.read(key, path);
  if (path.empty() && may_be_empty) return;
  const bool plain = !path.empty() && path[0] == '/' &&
                     std::all_of(path.begin(), path.end(),
                                 [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  if (!plain) section.fault(key, "a path starts with / and has no spaces");
}

void read_file_name(Section& section, std::string_view key, std::string& file) {
  section.read(key, file);
  if (file.empty()) section.fault(key, "a file name is needed");
}

HealthConfig read_health(Section section) {
  HealthConfig health;
  read_path(section, "http_path", health.http_path, false);
  read_path(section, "websocket_path", health.websocket_path, false);
  read_path(section, "page_path", health.page_path, true);
  section.read("host", health.host);
  section.read("interval", health.interval, Millis{100}, Millis{3'600'000});
  section.read("page_interval", health.page_interval, Millis{100}, Millis{3'600'000});
  section.read("timeout", health.timeout, Millis{50}, Millis{60'000});
  section.read("page_timeout", health.page_timeout, Millis{50}, Millis{60'000});
  section.read("busy_max", health.busy_max, Millis{1'000}, Millis{3'600'000});
  section.read("rise", health.rise, 1, 100);
  section.read("fall", health.fall, 1, 100);
  return health;
}

DrainConfig read_drain(Section section) {
  DrainConfig drain;
  section.read("deadline", drain.deadline, Millis{0}, kDay);
  section.read("wait", drain.wait, Millis{0}, kDay);
  section.read("quiet", drain.quiet, Millis{0}, kDay);
  section.read("ws_close_over", drain.ws_close_over, Millis{0}, Millis{3'600'000});
  section.read("ws_max_after_switch", drain.ws_max_after_switch, Millis{0}, kDay);
  return drain;
}

EjectConfig read_eject(Section section) {
  EjectConfig eject;
  section.read("percent", eject.percent, 0, 100);
  section.read("requests", eject.requests, 1, 1'000'000);
  section.read("window", eject.window, Millis{1'000}, Millis{3'600'000});
  section.read("time", eject.time, Millis{1'000}, kDay);
  return eject;
}

SlowStartConfig read_slow_start(Section section) {
  SlowStartConfig slow_start;
  section.read("warm_up", slow_start.warm_up, 0, 1'000);
  section.read("ramp", slow_start.ramp, Millis{0}, Millis{3'600'000});
  return slow_start;
}

}  // namespace

ControlConfig read_control_config(Section& top) {
  ControlConfig config;
  Section admin = top.section("admin");
  read_file_name(admin, "socket", config.admin.socket);
  // The kernel's limit for the name of a Unix socket.
  if (config.admin.socket.size() > 107) admin.fault("socket", "at most 107 bytes");
  read_mode(admin, config.admin.mode);
  read_uids(admin, "allow_uids", config.admin.allow_uids);
  read_uids(admin, "agent_uids", config.admin.agent_uids);

  config.metrics.listen = *base::parse_address("127.0.0.1:9145");
  Section metrics = top.section("metrics");
  read_address(metrics, "listen", config.metrics.listen);
  Section state = top.section("state");
  read_file_name(state, "file", config.state.file);
  config.health = read_health(top.section("health"));
  config.drain = read_drain(top.section("drain"));
  config.eject = read_eject(top.section("eject"));
  config.slow_start = read_slow_start(top.section("slow_start"));
  Section names = top.section("names");
  names.read("interval", config.names.interval, Millis{500}, Millis{3'600'000});
  config.rollout = read_rollout_config(top.section("rollout"));
  Section scaling = top.section("scaling");
  read_path(scaling, "policy", config.scaling.file, /*may_be_empty=*/true);
  read_file_name(top, "log", config.log);
  read_file_name(top, "audit_log", config.audit);
  if (config.audit == "-" || config.audit == "stderr") {
    top.fault("audit_log", "the audit log is a file of its own");
  }
  return config;
}

std::vector<base::ConfigFault> load_policy(ScalingConfig& scaling) {
  if (scaling.file.empty()) return {};
  policy::Loaded loaded = policy::load(scaling.file);
  if (loaded.faults.empty()) scaling.policy = loaded.policy;
  return std::move(loaded.faults);
}

}  // namespace control
