// Where the colors' ports are: what the config names, what DNS makes of it, and the small numbers
// that the workers count by. A value of the main thread; whoever owns it runs the look-ups.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"
#include "proxy/routing/backend_id.h"
#include "proxy/routing/config.h"

namespace control {

struct KnownAddress {
  routing::BackendId id = 0;
  routing::Port port = routing::Port::http;
  base::Address address;
  std::string name;  // as the config has it, "odoo-blue:8069"
};

class AddressBook {
 public:
  static constexpr size_t kEachMax = 16;  // addresses of one port of one color
  static constexpr int kLostAfter = 3;    // failed look-ups in a row

  // Literal addresses are known at once, names after their first answer. Answers for names that
  // stay are kept.
  void configure(const std::vector<routing::ColorConfig>& colors);

  std::vector<std::string> names() const;  // to be resolved, each once
  // True: some address came or went. A failed look-up leaves what was known for a while: one lost
  // answer is not a color that left.
  bool take_answer(const std::string& name, const base::Result<std::vector<base::Address>>& answer);

  const std::vector<KnownAddress>& of_color(size_t color) const { return colors_[color].known; }
  bool has_websocket(size_t color) const { return colors_[color].has_websocket; }
  // A name of its http port does not resolve, and no address of that port is known.
  bool dns_failed(size_t color) const { return colors_[color].dns_failed; }
  // Addresses that got no number, because all are in use: not served.
  int left_out() const { return left_out_; }

 private:
  struct Name {
    std::vector<base::Address> addresses;  // port 0
    int failures = 0;                      // in a row
    bool answered = false;
  };
  struct Color {
    std::vector<std::pair<routing::Port, base::HostPort>> configured;
    std::vector<KnownAddress> known;
    bool has_websocket = false;
    bool dns_failed = false;
  };
  bool rebuild();
  // The number of an address: the one it had, a fresh one, or, once all have been given, that of
  // the address that left longest ago.
  using Place = std::tuple<size_t, routing::Port, base::Address>;
  std::optional<routing::BackendId> id_of(const Place& place);
  bool is_known(routing::BackendId id) const;

  std::vector<Color> colors_;
  std::map<std::string, Name> names_;
  struct Given {
    Place place;
    uint64_t last_used = 0;  // by rebuild
  };
  std::vector<Given> ids_;  // by BackendId
  uint64_t rebuilds_ = 0;
  int left_out_ = 0;
};

}  // namespace control
