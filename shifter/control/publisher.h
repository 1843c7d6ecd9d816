// Fleet + health + addresses + config → a complete new routing table, checked, and its way to the
// workers. Main thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/mac.h"
#include "proxy/base/result.h"
#include "proxy/routing/config.h"
#include "proxy/routing/data_plane.h"
#include "proxy/routing/routing_table.h"
#include "shifter/control/addresses.h"
#include "shifter/control/fleet.h"
#include "shifter/control/health.h"

namespace control {

inline constexpr int kSlotsAuto = 6;   // without an agent that knows the workers
inline constexpr int kSlotsAbove = 2;  // those workers, so that one that is free finds the next
inline constexpr base::Millis kFirstVerdictMax{5'000};
inline constexpr base::Millis kSettledAfter{300'000};

struct TableFacts {
  const Fleet& fleet;
  const Health& health;
  const AddressBook& addresses;
  const routing::RoutingConfig& config;
  const std::vector<routing::Route>& routes;  // with the indexes that the metrics know
  const std::vector<base::Key>& cookie_keys;
  const std::array<uint8_t, 16>& draw_key;
  std::vector<bool> settled;          // by color: ready and up for kSettledAfter
  bool before_first_verdict = false;  // requests wait, but not for long
  std::vector<int> slots_auto{};      // by color, for `slots: auto`; none: kSlotsAuto
  std::vector<int> weight_shares{};   // by color, in percent, while it starts slowly; none: 100
};

// Without its version. Needs: fleet, health and config have the same colors.
routing::RoutingTable make_table(const TableFacts& facts);

// What no table may be: an empty string, or the fault.
std::string check_table(const routing::RoutingTable& table);

class Publisher {
 public:
  explicit Publisher(routing::DataPlane& plane) : plane_(plane) {}

  // `applied` is called on this thread once every worker uses this table or a newer one.
  void publish(routing::RoutingTable table, std::function<void()> applied);
  // Calls `then` once the last published table is true everywhere: now, if it is.
  void when_applied(std::function<void()> then);
  // Told after each publish, and when the last one was applied.
  void set_on_change(std::function<void()> told) { on_change_ = std::move(told); }
  uint64_t version() const { return version_; }
  uint64_t applied_version() const { return plane_.applied_version(); }
  const std::shared_ptr<const routing::RoutingTable>& current() const { return current_; }

 private:
  void on_applied(uint64_t version);

  routing::DataPlane& plane_;
  uint64_t version_ = 0;
  std::vector<std::function<void()>> waiting_;  // for the last version
  std::function<void()> on_change_;
  std::shared_ptr<const routing::RoutingTable> current_;
};

// Route names keep their number while the process lives, whatever a reload does to their order.
class RouteNumbers {
 public:
  static constexpr size_t kMax = routing::kRoutesMax - 1;  // the last: no route
  // False: more names than numbers; nothing was changed.
  bool number(std::vector<routing::Route>& routes);
  bool has_room_for(const std::vector<routing::Route>& routes) const;
  const std::vector<std::string>& names() const { return names_; }  // by RouteIndex

 private:
  std::vector<std::string> names_;
};

}  // namespace control
