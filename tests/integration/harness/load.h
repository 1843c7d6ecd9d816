// Users who come again: each has cookies and its own pace; the connections are shared among them,
// as a reverse proxy in front shares its own. Used by tests, the demo and the benchmarks.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/harness/raw_client.h"

namespace harness {

struct LoadSetup {
  uint16_t port = 0;
  int threads = 4;                   // each with a connection of its own
  int users = 16;                    // in all; at least one for each thread
  bool cookies = true;               // without: every request is a new user's
  double fresh = 0;                  // this share of the requests comes from somebody new
  double rate = 0;                   // requests a second in all; 0: as fast as answers come
  std::string target = "/nonce?n=";  // a nonce is appended
  std::string method = "GET";
  std::string body;
  std::string fields;  // whole lines
  uint64_t seed = 1;
  std::string nonce_prefix = "n";
};

// The color that a stand-in's answer names; "" for the sidecar's own answers.
std::string color_of(const Answer& answer);

struct ColorFigures {
  int64_t answers = 0;
  int64_t users = 0;  // whose last answer came from this color
  double p50_ms = 0, p95_ms = 0;
};

struct LoadFigures {
  int64_t sent = 0;
  int64_t resets = 0;  // connections that ended under a request
  int64_t cut = 0;     // answers that were not whole
  int64_t moved = 0;   // times that a user's color changed, and from which
  std::map<std::string, int64_t> moved_from;
  std::map<int, int64_t> by_status;
  std::map<std::string, ColorFigures> by_color;
  std::vector<std::string> complaints;  // the first few
  int64_t answered(int status) const;
  // Everything that a user would call an error.
  int64_t errors() const;
};

class Load {
 public:
  explicit Load(LoadSetup setup);  // begins at once
  ~Load();
  LoadFigures stop();
  // So far, while it runs.
  int64_t sent() const { return sent_; }
  // Figures of what was answered since the last call of this.
  LoadFigures lap();

 private:
  struct User;
  struct Record;
  void run(int thread);
  void keep(const Record& record);
  LoadFigures summed(std::vector<Record> records) const;

  LoadSetup setup_;
  std::atomic<bool> ending_{false};
  std::atomic<int64_t> sent_{0};
  mutable std::mutex mutex_;
  std::vector<Record> records_;
  std::vector<std::thread> threads_;
};

}  // namespace harness
