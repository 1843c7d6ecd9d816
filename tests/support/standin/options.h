// What the stand-in is told at its start, and the part of it that may change while it runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace standin {

struct Options {
  std::string host = "127.0.0.1";
  int http_port = 0;
  int websocket_port = 0;
  int control_port = -1;  // -1: none
  int workers = 2;
  std::string version = "1";
  std::string color = "blue";
  int socket_timeout_ms = 2'000;
  int http_delay_ms = 0;       // from listening to the first answer
  int websocket_delay_ms = 0;  // until that port listens
  int websocket_ping_ms = 45'000;
  int stop_delay_ms = 0;  // from the last answer to the end
  int64_t asset_bytes = 3'849'149;
  std::string nonce_log;
  std::string ports_file;
  bool keepalive = false;  // the fast mode
  uint64_t seed = 1;
};

// Read by every thread at each request; set by the control port.
class Settings {
 public:
  enum class Page : uint8_t { ok, fail, hang };
  std::atomic<int64_t> latency_ms{0};
  std::atomic<int64_t> jitter_ms{0};
  std::atomic<double> error_rate{0};
  std::atomic<double> rpc_error_rate{0};
  std::atomic<double> slow_rate{0};
  std::atomic<int64_t> slow_ms{3'000};
  std::atomic<int> asset_miss{303};  // what another version's bundle is answered: 303, 404 or 200
  std::atomic<Page> page{Page::ok};
  std::atomic<Page> health{Page::ok};
  std::atomic<Page> websocket_health{Page::ok};

  // False: no such name or no such value.
  bool set(std::string_view name, std::string_view value);
  std::string rpc_error_name() const;

 private:
  mutable std::mutex mutex_;
  std::string rpc_error_name_ = "builtins.ValueError";
};

// True, or false with a message.
bool parse_options(const std::vector<std::string>& words, Options& options, Settings& settings,
                   std::string& message);
std::string usage();

}  // namespace standin
