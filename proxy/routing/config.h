// The part of the configuration that routing owns: colors, affinity, fallback, hold, force, mirror
// and routes, with their defaults. A pure reader; nothing is opened or resolved here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/tls.h"
#include "proxy/base/yaml.h"
#include "proxy/routing/routing_table.h"

namespace routing {

// TLS towards the backends of a color.
struct BackendTls {
  bool use = false;    // a `tls` section means yes, unless it says otherwise
  std::string ca;      // PEM file of those who may vouch; empty: the system's
  std::string name;    // whom certificates must be for; empty: the host of the address
  bool verify = true;  // off: anybody is believed
};

struct ColorConfig {
  std::string name;
  int weight = 0;      // initial: a saved weight wins
  int slots = 0;       // 0 is `auto`
  bool reuse = false;  // a real Odoo closes after each answer
  BackendTls tls;
  // Made of that by whoever opens files (shifter/control/tls_files.h), by the host of an address.
  std::map<std::string, std::shared_ptr<const base::TlsContext>> tls_contexts{};
  std::vector<base::HostPort> http;
  std::vector<base::HostPort> websocket;
};

struct AffinityConfig {
  std::string cookie = "ofitec_color";
  std::string secret_file = "/var/lib/sidecar/affinity.key";
  std::vector<std::string> session_keys = {"session_id", "X-Openerp-Session-Id"};
};

struct HoldConfig {
  int max = 200;  // 0: nobody waits, 503 at once
  base::Millis timeout{15'000};
};

struct ForceConfig {
  std::string header = "X-Sidecar-Color";
  std::string token_file = "/var/lib/sidecar/force.key";  // no such file: nobody can force
  std::vector<std::string> tokens;                        // what the control plane read there
};

struct RoutingConfig {
  std::vector<ColorConfig> colors;  // 1 or 2, in the order of the file
  AffinityConfig affinity;
  bool fallback_allow = true;
  HoldConfig hold;
  ForceConfig force;
  std::optional<MirrorRule> mirror{};  // to one of the colors
  base::TlsIdentity tls;  // of the listening side; no certificate: plain
  // Made of those files by whoever opens them (shifter/control/tls_files.h); goes into the table.
  std::shared_ptr<const base::TlsContext> tls_context;
  std::vector<Route> routes;  // complete, as a table takes them; first match wins
};

// Every fault is reported to the file with its line and key; the value is then of no use.
RoutingConfig read_routing_config(base::Section& top);

// What `routes` is when the key is absent.
std::vector<Route> default_routes();

}  // namespace routing
