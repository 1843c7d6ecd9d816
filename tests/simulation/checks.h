// What must hold after every turn, and when all is over.
#pragma once

#include <memory>
#include <vector>

#include "proxy/relay/plane.h"
#include "tests/simulation/ledger.h"
#include "tests/simulation/operator.h"
#include "tests/simulation/overseer.h"
#include "tests/simulation/run.h"

namespace simulation {

class Checks {
 public:
  Checks(World& world, relay::Plane& plane, Overseer& overseer, Backends& backends, Ledger& ledger,
         std::vector<std::unique_ptr<SimLoop>>& loops, Operator& whoever)
      : world_(world),
        plane_(plane),
        overseer_(overseer),
        backends_(backends),
        ledger_(ledger),
        loops_(loops),
        operator_(whoever) {}

  void after_turn();
  // A request has reached a backend: was it right to send it there?
  void on_attempt(const Request& request, const Attempt& attempt, const Scenario& scenario) const;
  void at_end(const Scenario& scenario);
  [[noreturn]] void tell_what_is_left();
  void add_to(RunTotals& totals) const;

 private:
  void check_bounds() const;
  void check_backends() const;
  void check_kinds() const;
  void check_slots_taken() const;
  void check_nothing_left() const;
  void check_requests(const Scenario& scenario) const;
  void check_accounts(const Scenario& scenario) const;
  int64_t accounted(int slot_of_code) const;

  World& world_;
  relay::Plane& plane_;
  Overseer& overseer_;
  Backends& backends_;
  Ledger& ledger_;
  std::vector<std::unique_ptr<SimLoop>>& loops_;
  Operator& operator_;
};

}  // namespace simulation
