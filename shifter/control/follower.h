// The end of a process that was replaced: its workers finish what they have, by the decisions of
// the process that took over, which hears of every count. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/routing/data_plane.h"
#include "shifter/control/line_link.h"

namespace control {

class Follower {
 public:
  // `table`: the last that was published here. `alone` is told when the other process has left
  // before us: then the last decisions stay.
  Follower(base::Loop& loop, routing::DataPlane& plane,
           std::shared_ptr<const routing::RoutingTable> table, std::unique_ptr<LineLink> link,
           std::function<void(std::string_view why)> alone);
  // The last counts, before this process ends.
  void finish();

  // What it keeps of the slots of an address while both serve.
  static int kept_slots(int slots) { return slots > 4 ? slots / 4 : 1; }

 private:
  void take(const std::string& line);
  std::shared_ptr<const routing::RoutingTable> decided(const nlohmann::json& decisions);
  void report();
  void send_totals();
  void leave(std::string_view why);

  base::Loop& loop_;
  routing::DataPlane& plane_;
  const std::shared_ptr<const routing::RoutingTable> table_;  // as we had decided
  uint64_t version_;
  std::unique_ptr<LineLink> link_;
  std::function<void(std::string_view)> alone_;
  base::Timer report_;
};

}  // namespace control
