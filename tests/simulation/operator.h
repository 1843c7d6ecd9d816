// Whoever changes where requests go, at any moment: tables made out of thin air, or commands,
// probes and names through the real control loop.
#pragma once

#include <memory>
#include <vector>

#include "proxy/routing/routing_table.h"
#include "tests/simulation/backend.h"
#include "tests/simulation/overseer.h"
#include "tests/simulation/scenario.h"

namespace simulation {

using Backends = std::vector<std::unique_ptr<Backend>>;

class Operator {
 public:
  virtual ~Operator() = default;
  virtual void start() = 0;  // publishes the first table
  virtual void stop() = 0;   // changes nothing any more
  virtual void check() {}    // now and then
};

struct Surroundings {
  World& world;
  SimLoop& main;
  const Scenario& scenario;
  Overseer& plane;
  Backends& backends;
  Millis answer_timeout;
  Millis hold_timeout;
  int hold_max;
};

std::vector<routing::Route> some_routes(const Surroundings& around);
inline bool uses_http_port(routing::RouteIndex route) { return route >= 2; }  // of those

std::unique_ptr<Operator> make_table_operator(const Surroundings& around);
std::unique_ptr<Operator> make_control_operator(const Surroundings& around);

}  // namespace simulation
