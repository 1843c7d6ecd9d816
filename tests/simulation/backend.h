// One address of a color and the server behind it: takes connections or does not, checks every
// byte of what it is asked, and answers well, slowly, early, partly or not at all.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/ledger.h"
#include "tests/simulation/message_reader.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/tunnel_peer.h"

namespace simulation {

class BackendTalk;

class Backend final : public Host {
 public:
  Backend(World& world, SimLoop& outside, Ledger& ledger, const Scenario& scenario, int color,
          bool http_port, const base::Address& at);
  ~Backend();

  // Host
  SimLoop& loop() override { return outside_; }
  Answer answer_connect(SimLoop& from) override;
  void accept(std::unique_ptr<SimStream> stream, SimLoop& from) override;
  void on_dialed(SimLoop& from) override;
  void on_hung_up(SimLoop& from) override;
  void on_written(SimLoop& from, uint64_t connection, uint64_t bytes_read_before) override;

  const base::Address& address() const { return at_; }
  int color() const { return color_; }
  bool is_http() const { return http_port_; }
  // Connections and connects of workers, as the proxy holds them now.
  int open() const { return open_; }
  void close_all();  // at the end of a run
  // An answer that the proxy has read to its end holds no connection any more.
  void check_released() const;
  // What the proxy has read of an answer and not passed on fits into its limits.
  void check_kept(int64_t most) const;

  // What the overseer knows: nobody may be sent here now, and why.
  const char* forbidden = nullptr;
  bool reused = false;  // the proxy may keep connections
  int slots_most = 0;   // that any table of this run allowed, 0: not counted here
  // How it feels; the operator of the run changes it.
  bool answers_probes = true;
  Answer connects = Answer::accept;

 private:
  friend class BackendTalk;
  void check_allowed(const char* what);

  World& world_;
  SimLoop& outside_;
  Ledger& ledger_;
  const Scenario& scenario_;
  const int color_;
  const bool http_port_;
  const base::Address at_;
  int open_ = 0;
  std::vector<std::unique_ptr<BackendTalk>> talks_;
  std::map<uint64_t, BackendTalk*> by_connection_;
};

}  // namespace simulation
