// A backend that keeps every byte of every connection, told apart by the address of the client that
// the sidecar served. So hundreds of cases share one sidecar, each client on a loopback address of
// its own (127.1.0.1, 127.1.0.2, …), without a byte of a case being changed.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/strict_http.h"

namespace wire {

// What a connection is answered with.
struct Script {
  std::vector<std::string> pieces;  // sent one after another
  bool ends = true;                 // FIN behind them; else it waits for the sidecar to close
  bool resets = false;              // RST behind them
};

// A loopback address for each number; never 127.0.0.1, which the sidecar's config trusts.
std::string loopback_address(uint32_t number);
// A client whose address that is.
harness::Socket connect_from(const std::string& address, uint16_t port);

// A whole answer that says whose it is: its body.
std::string answer_text(const std::string& client, size_t nth);

class Recorder {
 public:
  Recorder();

  const harness::ScriptedBackend& backend() const { return backend_; }
  harness::ColorSetup as_color(int slots) const;

  // The answer to the client's first connection. Later ones, and clients without a script, get 200
  // with answer_text() for a body.
  void set_script(const std::string& client, Script script);
  // Waits until `count` connections for this client have ended, and returns all their bytes.
  std::vector<std::string> records_of(const std::string& client, size_t count);
  // Waits until every connection that the sidecar opened so far has ended.
  void settle();
  // Records that no client's address leads to, and connections without a whole head.
  size_t strays() const;
  size_t total() const;

 private:
  void serve(harness::Peer& peer, const std::string& head);

  mutable std::mutex mutex_;
  std::map<std::string, Script> scripts_;
  std::map<std::string, std::map<size_t, std::string>> records_;  // by client and number
  std::map<std::string, size_t> begun_;
  size_t strays_ = 0;
  size_t total_ = 0;
  harness::ScriptedBackend backend_;  // last: its threads use what stands above
};

}  // namespace wire
