// The whole configuration file of the sidecar: the parts that its folders own, read in one go with
// all faults. Used by main for start, `--check` and `reload`.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proxy/base/yaml.h"
#include "proxy/relay/config.h"
#include "proxy/routing/config.h"
#include "shifter/control/config.h"

namespace sidecar {

struct SidecarConfig {
  relay::RelayConfig relay;
  routing::RoutingConfig routing;
  control::ControlConfig control;
};

struct LoadedConfig {
  SidecarConfig config;                   // of no use when there are faults
  std::vector<base::ConfigFault> faults;  // in the order of lines
  bool policy_failed = false;             // some of them are the scaling policy's
  std::string hash;                       // of the effective values; 16 hex digits
};
LoadedConfig load_config(const std::string& path);

// Every key with its effective value, in the order of the shipped file ("queue.length" → "512").
std::vector<std::pair<std::string, std::string>> describe_config(const SidecarConfig& config);

// What `reload` takes over, from a config without faults. Colors keep their names and order.
void take_over(SidecarConfig& running, const SidecarConfig& fresh);
// Keys whose values differ and that take_over() leaves as they are.
std::vector<std::string> needs_restart(const SidecarConfig& running, const SidecarConfig& fresh);

}  // namespace sidecar
