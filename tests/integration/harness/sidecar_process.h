// A real sidecar with a config of its own in a temporary folder, every port chosen by the kernel.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/harness/admin_client.h"
#include "tests/integration/harness/process.h"
#include "tests/integration/harness/scrape.h"

namespace harness {

struct ColorSetup {
  std::string name;
  int weight = 0;
  std::vector<std::string> http;  // "127.0.0.1:8069"
  std::vector<std::string> websocket;
  std::string slots = "auto";
  bool reuse = false;
  std::string tls{};  // YAML; empty: plain
};

struct SidecarSetup {
  std::vector<ColorSetup> colors;
  int workers = 2;
  // Other top-level keys, as YAML: {"queue", "{ length: 64 }"}. A key here replaces the harness's.
  std::map<std::string, std::string> keys;
  std::vector<std::string> environment;
  int activated_socket = -1;  // listens already: the sidecar gets it as from a supervisor
};

class SidecarProcess {
 public:
  explicit SidecarProcess(SidecarSetup setup);  // starts, waits until it listens
  ~SidecarProcess();

  uint16_t port() const { return port_; }
  uint16_t metrics_port() const { return metrics_port_; }
  pid_t pid() const { return process_->pid(); }
  Process& process() { return *process_; }
  const TempFolder& folder() const { return folder_; }
  std::string socket_path() const { return folder_ / "admin.sock"; }
  std::string config_path() const { return folder_ / "sidecar.yaml"; }
  SidecarSetup& setup() { return setup_; }

  // One command on a connection of its own.
  std::string ask(const std::string& line) { return AdminClient(socket_path()).ask(line); }
  // The same, and it must say "ok":true.
  std::string command(const std::string& line);
  // In flight with this label, "kind" or "color".
  double in_flight(const std::string& label, const std::string& value) const {
    return scrape().sum("odoo_active_requests", label + "=\"" + value + "\"");
  }
  Scrape scrape() const { return Scrape::of(metrics_port_); }
  Scrape scrape_again() {  // where the port may have changed
    read_ports();
    return scrape();
  }
  void wait_until_up(const std::vector<std::string>& colors, Millis within = Millis{15'000});
  bool is_up(const std::string& color) const;  // as `status` shows it

  void write_config();  // after a change of setup(), before `reload`
  // Ends it (SIGTERM, then as it must) and starts it again in the same folder.
  void start();
  // SIGTERM and the exit code; nothing when it did not end.
  std::optional<int> stop(Millis within = Millis{20'000});
  void kill();
  // A new process takes over from this one (--takeover), which is asked for from then on.
  void take_over(Millis within = Millis{20'000});
  // The exit code of the process before, which ends by itself; -1: it does not.
  int wait_for_previous(Millis within = Millis{20'000});

  // What a good process never says: sanitizer reports, broken invariants. Read at the end as well:
  // a destructor that finds one ends the test program.
  std::string alarms() const { return process_->alarms() + read_alarms(); }
  std::string log() const { return read_text(folder_ / "sidecar.log"); }
  std::string access_log() const { return read_text(folder_ / "access.log"); }

 private:
  std::string read_alarms() const;
  bool read_ports();  // false: not there yet
  std::unique_ptr<Process> launch(bool takeover);
  TempFolder folder_;
  SidecarSetup setup_;
  std::unique_ptr<Process> process_;
  std::unique_ptr<Process> previous_;
  uint16_t port_ = 0;
  uint16_t metrics_port_ = 0;
  bool killed_ = false;
};

}  // namespace harness
