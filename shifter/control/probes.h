// Runs the health probes: one request, one answer, one deadline, on a connection of its own. Takes
// no slot. Judges nothing. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/http/client.h"
#include "shifter/control/config.h"
#include "shifter/control/health.h"

namespace control {

struct ProbeTarget {
  routing::BackendId id = 0;
  routing::Port port = routing::Port::http;
  base::Address address;
  std::string host;                               // the Host field
  std::shared_ptr<const base::TlsContext> tls{};  // nothing: plain
};

// Any status below 500 means that the page could be made; health pages must say 200.
ProbeOutcome outcome_of(const base::Result<http::ClientAnswer>& answer, bool is_page);

// Every address, every `interval`; the first time at once.
class AddressProbes {
 public:
  using Seen = std::function<void(routing::BackendId, ProbeOutcome)>;
  AddressProbes(base::Loop& loop, const HealthConfig& config, Seen seen);
  ~AddressProbes();

  void set_config(const HealthConfig& config) { config_ = config; }
  // Told why a certificate was refused: once, until the reason is another one.
  using Refused = std::function<void(const ProbeTarget&, const std::string& why)>;
  void set_on_refused(Refused refused) { refused_ = std::move(refused); }
  // Known targets go on as they are, new ones are probed at once, others stop.
  void set_targets(const std::vector<ProbeTarget>& targets);

 private:
  class Task;
  base::Loop& loop_;
  HealthConfig config_;
  Seen seen_;
  Refused refused_;
  std::vector<std::unique_ptr<Task>> tasks_;
};

// One page of every color, in rounds: told when all have ended.
class PageProbes {
 public:
  using Round = std::vector<std::optional<ProbeOutcome>>;  // by color
  PageProbes(base::Loop& loop, std::function<void(Round)> seen);
  ~PageProbes();
  bool is_running() const { return running_ > 0; }
  // One target a color; nothing: not asked. Needs: !is_running().
  void ask(const std::vector<std::optional<ProbeTarget>>& targets, const HealthConfig& config);

 private:
  void take(size_t color, ProbeOutcome outcome);

  base::Loop& loop_;
  std::function<void(Round)> seen_;
  std::vector<std::unique_ptr<http::Client>> clients_;
  Round round_;
  int running_ = 0;
};

}  // namespace control
