// The control plane: owns what the operator wants (the fleet), watches the colors, and tells the
// workers where requests go. Lives on the main thread; thin wiring of the parts beside it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/result.h"
#include "proxy/base/uv_loop.h"
#include "proxy/routing/config.h"
#include "proxy/routing/data_plane.h"
#include "shifter/control/config.h"
#include "shifter/control/handover.h"

namespace control {

// A config file read again. One fault, and nothing of it is taken.
struct ReloadedConfig {
  ControlConfig control;
  routing::RoutingConfig routing;
  std::vector<std::string> faults;         // each with file, line and key
  std::vector<std::string> needs_restart;  // keys that changed and count only at the next start
  std::string hash;
  bool policy_failed = false;   // among the faults are some of the scaling policy
  std::function<void()> taken;  // called if it was taken over
};

// What the process around this library offers.
struct Host {
  std::function<ReloadedConfig()> reload;
  // Key and value of everything configured, defaults included; secrets are only named by file.
  std::function<std::vector<std::pair<std::string, std::string>>()> describe_config;
  std::function<std::vector<std::string>()> listening;  // bound addresses for traffic
  std::function<std::vector<int>()> listening_sockets;  // to be handed over; stay the workers'
  // Another process has taken over: nobody is accepted any more, end when all is done.
  std::function<void()> moved;
  std::string config_hash;
  std::string version;
};

class Control {
 public:
  Control(base::UvLoop& loop, routing::DataPlane& plane, ControlConfig config,
          routing::RoutingConfig routing, base::Log& log, Host host);
  ~Control();

  // Takes over from the process that gave this (`sidecar --takeover`). Before start().
  void inherit(Inheritance inheritance);
  // The workers accept: the process before is told, and follows.
  base::Result<> take_over();

  // Loads the state, reads the keys, opens the admin socket and the metrics port, publishes the
  // first table (before this returns) and begins to probe. An error ends the start of the process.
  base::Result<> start();

  // Reads certificates, keys and authorities of both sides again. An error keeps the old ones.
  base::Result<> renew_tls();
  void reopen_logs();  // after the audit log was moved away

  // Health of the process is said to be over; `status` shows it and changes are refused.
  void begin_lame_duck();
  // Saves the state and closes the admin socket and the metrics port. The last call.
  void shut_down();

  std::optional<base::Address> metrics_bound() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace control
