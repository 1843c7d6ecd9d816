#include "proxy/config.h"

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "proxy/base/mac.h"
#include "shifter/control/tls_files.h"

namespace sidecar {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string text_of(base::Millis value) { return base::duration_text(value); }
std::string text_of(bool value) { return value ? "on" : "off"; }
std::string text_of(const std::string& value) { return value; }
std::string text_of(int value) { return std::to_string(value); }

std::string bytes_text(int64_t bytes) {
  constexpr std::pair<int64_t, const char*> kUnits[] = {
      {int64_t{1} << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};
  for (const auto& [unit, name] : kUnits) {
    if (bytes > 0 && bytes % unit == 0) return std::to_string(bytes / unit) + name;
  }
  return std::to_string(bytes);
}

std::string bytes_text(size_t bytes) { return bytes_text(static_cast<int64_t>(bytes)); }

std::string list_text(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? ", " : "") + word;
  return text + "]";
}

std::string host_port_text(const base::HostPort& at) {
  const bool is_v6 = at.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

std::string list_text(const std::vector<base::HostPort>& list) {
  std::vector<std::string> words;
  for (const auto& at : list) words.push_back(host_port_text(at));
  return list_text(words);
}

std::string list_text(const std::vector<base::Cidr>& list) {
  std::vector<std::string> words;
  for (const auto& block : list) {
    const base::Address address{block.ip, 0};
    const int bits = address.is_v4() ? block.bits - 96 : block.bits;
    words.push_back(address.host() + "/" + std::to_string(bits));
  }
  return list_text(words);
}

// One prefix ("queue.") and the lines below it.
class Block {
 public:
  Block(Lines& lines, std::string prefix) : lines_(lines), prefix_(std::move(prefix)) {}
  template <class Value>
  Block& add(std::string_view key, const Value& value) {
    lines_.emplace_back(prefix_ + std::string(key), text_of(value));
    return *this;
  }
  template <class Value>
  Block& add_bytes(std::string_view key, Value bytes) {
    lines_.emplace_back(prefix_ + std::string(key), bytes_text(bytes));
    return *this;
  }

 private:
  Lines& lines_;
  std::string prefix_;
};

void describe_relay(const relay::RelayConfig& relay, Lines& lines) {
  Block(lines, "")
      .add("listen", relay.listen.text())
      .add("workers", relay.workers == 0 ? std::string("auto") : std::to_string(relay.workers))
      .add("trusted_proxies", list_text(relay.trusted_proxies))
      .add("proxy_protocol", relay.proxy_protocol);
  Block(lines, "spool.")
      .add("dir", relay.spool.dir)
      .add_bytes("memory", relay.spool.memory_bytes_max)
      .add_bytes("disk", relay.spool.disk_bytes_max)
      .add_bytes("min_free", relay.spool.disk_free_min)
      .add_bytes("memory_each", relay.spool.memory_bytes_each)
      .add_bytes("answer_max", relay.answer_spool_max);
  Block(lines, "queue.").add("length", relay.queue_length).add("timeout", relay.queue_timeout);
  Block(lines, "limits.")
      .add_bytes("head", relay.limits.head_bytes)
      .add_bytes("target", relay.limits.target_bytes)
      .add_bytes("line", relay.limits.line_bytes)
      .add("fields", static_cast<int>(relay.limits.fields))
      .add_bytes("body", static_cast<int64_t>(relay.limits.body_bytes))
      .add_bytes("response_head", relay.limits.response_head_bytes)
      .add("response_fields", static_cast<int>(relay.limits.response_fields))
      .add("body_rate", relay.body_rate_min)
      .add_bytes("pipelined", relay.pipelined_bytes)
      .add("keep_alive_requests", relay.keep_alive_requests)
      .add("connections", relay.connections_max)
      .add("memory", relay.memory_max == 0 ? "auto" : std::to_string(relay.memory_max))
      .add("reuse_idle", relay.reuse_idle_max);
  const relay::Timeouts& t = relay.timeouts;
  Block(lines, "timeouts.")
      .add("first_byte", t.first_byte)
      .add("head", t.head)
      .add("body_idle", t.body_idle)
      .add("body_grace", t.body_grace)
      .add("keep_alive", t.keep_alive)
      .add("connection_age", t.connection_age)
      .add("connect", t.connect)
      .add("answer_idle", t.answer_idle)
      .add("send_idle", t.send_idle)
      .add("tunnel_idle", t.tunnel_idle)
      .add("linger", t.linger)
      .add("backend_idle", t.backend_idle);
  Block(lines, "retry.").add("safe_methods", relay.retry_safe_methods);
  Block(lines, "shutdown.").add("lame_duck", relay.lame_duck).add("finish", relay.shutdown);
  Block(lines, "upgrade.").add("idle", relay.upgrade_idle).add("grace", relay.upgrade_grace);
  Block(lines, "").add("access_log", relay.access_log);
}

void describe_route(const routing::Route& route, const routing::RoutingConfig& routing,
                    Lines& lines) {
  Block block(lines, "routes." + route.name + ".");
  block.add("prefix", list_text(route.prefixes))
      .add("port", std::string(route.port == routing::Port::http ? "http" : "websocket"))
      .add("buffer", route.buffer)
      .add("asset_fallback", route.asset_fallback)
      .add("entry", route.entry)
      .add("identity",
           std::string(route.identity == routing::Identity::address ? "address" : "none"))
      .add("answer_timeout", route.answer_timeout);
  if (route.pin && *route.pin < routing.colors.size()) {
    block.add("pin", routing.colors[*route.pin].name);
  }
  if (route.deny_all) block.add("deny", std::string("all"));
  if (!route.allow.empty()) block.add("allow", list_text(route.allow));
}

void describe_routing(const routing::RoutingConfig& routing, Lines& lines) {
  for (const routing::ColorConfig& color : routing.colors) {
    Block(lines, "colors." + color.name + ".")
        .add("weight", color.weight)
        .add("slots", color.slots == 0 ? std::string("auto") : std::to_string(color.slots))
        .add("reuse", color.reuse)
        .add("tls.use", color.tls.use)
        .add("tls.ca", color.tls.ca)
        .add("tls.name", color.tls.name)
        .add("tls.verify", color.tls.verify)
        .add("http", list_text(color.http))
        .add("websocket", list_text(color.websocket));
  }
  Block(lines, "affinity.")
      .add("cookie", routing.affinity.cookie)
      .add("secret_file", routing.affinity.secret_file)
      .add("session_keys", list_text(routing.affinity.session_keys));
  Block(lines, "").add("fallback", std::string(routing.fallback_allow ? "allow" : "deny"));
  Block(lines, "hold.").add("max", routing.hold.max).add("timeout", routing.hold.timeout);
  Block(lines, "force.")
      .add("header", routing.force.header)
      .add("token_file", routing.force.token_file);
  const routing::MirrorRule mirror = routing.mirror.value_or(routing::MirrorRule{});
  Block(lines, "mirror.")
      .add("to", routing.mirror ? routing.colors[mirror.color].name : std::string())
      .add("percent", mirror.percent)
      .add("in_flight", mirror.in_flight)
      .add("timeout", mirror.timeout);
  Block(lines, "tls.").add("certificate", routing.tls.certificate).add("key", routing.tls.key);
  for (const routing::Route& route : routing.routes) describe_route(route, routing, lines);
}

void describe_control(const control::ControlConfig& control, Lines& lines) {
  char mode[8];
  std::snprintf(mode, sizeof mode, "0%03o", static_cast<unsigned>(control.admin.mode));
  std::vector<std::string> uids;
  for (uint32_t uid : control.admin.allow_uids) uids.push_back(std::to_string(uid));
  std::vector<std::string> agents;
  for (uint32_t uid : control.admin.agent_uids) agents.push_back(std::to_string(uid));
  Block(lines, "admin.")
      .add("socket", control.admin.socket)
      .add("mode", std::string(mode))
      .add("allow_uids", list_text(uids))
      .add("agent_uids", list_text(agents));
  Block(lines, "metrics.").add("listen", control.metrics.listen.text());
  Block(lines, "state.").add("file", control.state.file);
  const control::HealthConfig& health = control.health;
  Block(lines, "health.")
      .add("http_path", health.http_path)
      .add("websocket_path", health.websocket_path)
      .add("page_path", health.page_path)
      .add("host", health.host)
      .add("interval", health.interval)
      .add("page_interval", health.page_interval)
      .add("timeout", health.timeout)
      .add("page_timeout", health.page_timeout)
      .add("busy_max", health.busy_max)
      .add("rise", health.rise)
      .add("fall", health.fall);
  const control::DrainConfig& drain = control.drain;
  Block(lines, "drain.")
      .add("deadline", drain.deadline)
      .add("wait", drain.wait)
      .add("quiet", drain.quiet)
      .add("ws_close_over", drain.ws_close_over)
      .add("ws_max_after_switch", drain.ws_max_after_switch);
  Block(lines, "eject.")
      .add("percent", control.eject.percent)
      .add("requests", control.eject.requests)
      .add("window", control.eject.window)
      .add("time", control.eject.time);
  Block(lines, "slow_start.")
      .add("warm_up", control.slow_start.warm_up)
      .add("ramp", control.slow_start.ramp);
  Block(lines, "names.").add("interval", control.names.interval);
  const control::RolloutConfig& rollout = control.rollout;
  Block(lines, "rollout.")
      .add("steps", control::text_of_steps(rollout.steps))
      .add("step_min", rollout.step_min)
      .add("hold_max", rollout.hold_max)
      .add("bake", rollout.bake)
      .add("bake_hold_max", rollout.bake_hold_max)
      .add("on_no_evidence", std::string(control::text_of(rollout.on_no_evidence)))
      .add("warm_for", rollout.warm_for)
      .add("prepare_max", rollout.prepare_max)
      .add("look", rollout.look)
      .add("rollback_step", rollout.rollback_step)
      .add("scale_bake", rollout.scale_bake)
      .add("stop_max", rollout.stop_max)
      .add("pre_canary", rollout.pre_canary)
      .add("post_switch", rollout.post_switch)
      .add("window", control::text_of(rollout.window))
      .add("notify.webhook", rollout.notify.webhook)
      .add("notify.exec", rollout.notify.exec)
      .add("notify.timeout", rollout.notify.timeout);
  Block(lines, "scaling.").add("policy", control.scaling.file);
  Block(lines, "").add("log", control.log).add("audit_log", control.audit);
}

bool same_names(const routing::RoutingConfig& a, const routing::RoutingConfig& b) {
  return std::equal(a.colors.begin(), a.colors.end(), b.colors.begin(), b.colors.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name; });
}

// Weights are initial values; a saved weight wins anyhow.
bool is_taken_over(std::string_view key) {
  constexpr std::string_view kTaken[] = {"colors.", "fallback",    "hold.",  "routes.",  "health.",
                                         "drain.",  "names.",      "tls.",   "scaling.", "rollout.",
                                         "eject.",  "slow_start.", "mirror."};
  for (std::string_view one : kTaken) {
    if (key.substr(0, one.size()) == one) return true;
  }
  return key == "affinity.cookie" || key == "affinity.session_keys";
}

std::string hash_of(const Lines& lines) {
  std::string text;
  for (const auto& [key, value] : lines) text += key + "=" + value + "\n";
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx",
                static_cast<unsigned long long>(base::sip_hash({}, text)));
  return digits;
}

// Read with the config, so that --check and a reload refuse faulty files before anything changes.
void open_tls(const std::string& path, LoadedConfig& loaded) {
  for (control::TlsFault& fault : control::open_tls_files(loaded.config.routing)) {
    loaded.faults.push_back({path, 0, std::move(fault.key), std::move(fault.detail)});
  }
}

}  // namespace

LoadedConfig load_config(const std::string& path) {
  LoadedConfig loaded;
  base::YamlFile file = base::YamlFile::from_path(path);
  loaded.faults = file.faults();
  if (!loaded.faults.empty()) return loaded;  // nothing could be read: no key is to blame
  {
    base::Section top = file.top();
    loaded.config.relay = relay::read_relay_config(top);
    loaded.config.routing = routing::read_routing_config(top);
    loaded.config.control = control::read_control_config(top);
  }
  loaded.faults = file.faults();
  if (loaded.faults.empty()) open_tls(path, loaded);
  std::vector<base::ConfigFault> policy = control::load_policy(loaded.config.control.scaling);
  loaded.policy_failed = !policy.empty();
  loaded.faults.insert(loaded.faults.end(), policy.begin(), policy.end());
  if (loaded.faults.empty()) loaded.hash = hash_of(describe_config(loaded.config));
  return loaded;
}

Lines describe_config(const SidecarConfig& config) {
  Lines lines;
  describe_relay(config.relay, lines);
  describe_routing(config.routing, lines);
  describe_control(config.control, lines);
  return lines;
}

void take_over(SidecarConfig& running, const SidecarConfig& fresh) {
  if (same_names(running.routing, fresh.routing)) running.routing.colors = fresh.routing.colors;
  running.routing.fallback_allow = fresh.routing.fallback_allow;
  running.routing.hold = fresh.routing.hold;
  running.routing.mirror = fresh.routing.mirror;
  running.routing.routes = fresh.routing.routes;
  running.routing.tls = fresh.routing.tls;
  running.routing.tls_context = fresh.routing.tls_context;
  running.routing.affinity.cookie = fresh.routing.affinity.cookie;
  running.routing.affinity.session_keys = fresh.routing.affinity.session_keys;
  running.control.health = fresh.control.health;
  running.control.drain = fresh.control.drain;
  running.control.eject = fresh.control.eject;
  running.control.slow_start = fresh.control.slow_start;
  running.control.names = fresh.control.names;
  running.control.rollout = fresh.control.rollout;
  running.control.scaling = fresh.control.scaling;
}

std::vector<std::string> needs_restart(const SidecarConfig& running, const SidecarConfig& fresh) {
  const Lines before = describe_config(running);
  const Lines after = describe_config(fresh);
  std::vector<std::string> keys;
  for (const auto& line : after) {
    if (is_taken_over(line.first)) continue;
    if (std::find(before.begin(), before.end(), line) == before.end()) keys.push_back(line.first);
  }
  return keys;
}

}  // namespace sidecar
