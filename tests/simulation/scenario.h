// What one seed is about: who takes part, how they behave, and what may break.
#pragma once

#include "tests/simulation/world.h"

namespace simulation {

struct Scenario {
  explicit Scenario(World& world);
  void tell(World& world) const;  // in the trace

  bool gentle = false;        // nobody breaks anything: every request must be answered well
  bool with_control = false;  // commands and probes, else tables out of thin air
  int workers = 2;
  int users = 4;
  int requests_each = 6;
  Millis active{10'000};  // users begin and operators act within this
  bool trusted = true;    // the clients are a trusted proxy
  bool proxied = false;   // and says by a PROXY header whose connection it is
  int http_backends = 1;  // each color
  int websocket_backends = 1;
  int slots = 6;
  bool reuse[2] = {false, false};
  size_t body_max = 4'000;
  size_t body_large = 60'000;
  int large_percent = 3;
  bool spools_to_disk = false;
  bool tight = false;           // short lines, little memory
  bool client_faults = false;   // resets, closes, stalls in the middle
  bool backend_faults = false;  // hangs, truncations, resets, nonsense
  bool connect_faults = false;  // refused, hung
  bool operator_acts = true;
  bool addresses_move = false;
  bool clock_jumps = false;
  bool disk_fails = false;  // the state file cannot be written, now and then
  bool pipelining = false;
  bool retry_safe = false;
  bool leaves_early = false;  // shutdown while users are at work
  int websocket_percent = 10;
  int stream_percent = 10;
};

}  // namespace simulation
