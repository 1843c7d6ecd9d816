// The stand-in Odoo as a process: its ports, its nonce log, its settings while it runs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/harness/process.h"
#include "tests/integration/harness/sidecar_process.h"

namespace harness {

// One executed request, in the order in which the stand-ins of one log executed them.
struct Executed {
  std::string nonce, method, target, color, version;
};

class Standin {
 public:
  // `options`: more words of its command line, such as {"--workers", "4"}. Stand-ins given the same
  // log file write into one log, in order.
  explicit Standin(std::string color, std::vector<std::string> options = {},
                   std::string nonce_log = "");
  ~Standin();

  uint16_t http_port() const { return http_port_; }
  uint16_t websocket_port() const { return websocket_port_; }
  uint16_t control_port() const { return control_port_; }
  std::string http() const { return "127.0.0.1:" + std::to_string(http_port_); }
  std::string websocket() const { return "127.0.0.1:" + std::to_string(websocket_port_); }
  ColorSetup as_color(int weight, std::string slots = "auto") const;

  // "latency_ms=50&page=fail", taken at once.
  void set(const std::string& settings);
  std::vector<Executed> executed() const;
  Process& process() { return *process_; }
  void kill();
  void start();  // again, on the same ports

 private:
  TempFolder folder_;
  std::string color_, nonce_log_;
  std::vector<std::string> options_;
  std::unique_ptr<Process> process_;
  uint16_t http_port_ = 0, websocket_port_ = 0, control_port_ = 0;
};

std::vector<Executed> read_nonce_log(const std::string& path);

}  // namespace harness
