// One seed: a proxy of several workers, its operator, users and backends, until everything has
// ended; what must hold is looked at after every turn and at the end.
#pragma once

#include <cstdint>

namespace simulation {

struct RunTotals {
  uint64_t runs = 0;
  uint64_t turns = 0;
  uint64_t requests = 0;
  uint64_t whole = 0;   // answered whole by a backend
  uint64_t own = 0;     // answered by the proxy itself
  uint64_t broken = 0;  // ended without a whole answer
  uint64_t tables = 0;
  uint64_t tunnels = 0;
  double seconds = 0;  // virtual
};

void run_seed(uint64_t seed, bool traced, RunTotals& totals);

}  // namespace simulation
