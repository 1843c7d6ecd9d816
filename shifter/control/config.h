// The keys of the control plane, with their defaults and limits: admin, metrics, state, health,
// drain, eject, slow_start, names, rollout, scaling, log and audit_log.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/yaml.h"
#include "shifter/control/rollout_config.h"
#include "shifter/policy/policy.h"

namespace control {

struct AdminConfig {
  std::string socket = "/run/sidecar/admin.sock";
  int mode = 0660;
  std::vector<uint32_t> allow_uids;  // who may command; by default our own and root
  std::vector<uint32_t> agent_uids;  // who may be the agent, and nothing else; the same default
};

struct MetricsConfig {
  base::Address listen;  // 127.0.0.1:9145
};

struct StateConfig {
  std::string file = "/var/lib/sidecar/state.json";
};

struct HealthConfig {
  std::string http_path = "/web/health";
  std::string websocket_path = "/websocket/health";
  std::string page_path = "/web/login";  // asks the database; empty: no such probe
  std::string host;                      // the Host field; empty: the backend's name and port
  base::Millis interval{2'000};
  base::Millis page_interval{10'000};
  base::Millis timeout{1'000};
  base::Millis page_timeout{5'000};  // a first page builds its bundles
  base::Millis busy_max{130'000};    // above Odoo's limit_time_real
  int rise = 2;
  int fall = 3;
};

struct DrainConfig {
  base::Millis deadline{1'200'000};
  base::Millis wait{60'000};
  base::Millis quiet{300'000};
  base::Millis ws_close_over{30'000};
  base::Millis ws_max_after_switch{900'000};
};

// Passive ejection (ejection.h).
struct EjectConfig {
  int percent = 0;  // of a color's answers that failed; 0: off
  int requests = 20;
  base::Millis window{10'000};
  base::Millis time{30'000};
};

// Of a color that was down or out of service (slow_start.h).
struct SlowStartConfig {
  int warm_up = 0;  // requests of our own before the first user
  base::Millis ramp{0};
};

struct NamesConfig {
  base::Millis interval{5'000};  // how often host names are resolved again
};

struct ScalingConfig {
  std::string file;       // of the policy; empty: the defaults
  policy::Policy policy;  // as the file says, once load_policy() has read it
};

struct ControlConfig {
  AdminConfig admin;
  MetricsConfig metrics;
  StateConfig state;
  HealthConfig health;
  DrainConfig drain;
  EjectConfig eject;
  SlowStartConfig slow_start;
  NamesConfig names;
  RolloutConfig rollout;
  ScalingConfig scaling;
  std::string log = "stderr";                          // "-", "stderr" or a file
  std::string audit = "/var/lib/sidecar/audit.jsonl";  // a file
};

// Faults go to the file with line and key.
ControlConfig read_control_config(base::Section& top);
// Reads the file that `scaling.policy` names. Its faults; then the policy is as it was.
std::vector<base::ConfigFault> load_policy(ScalingConfig& scaling);

}  // namespace control
