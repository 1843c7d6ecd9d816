// Is a backend, is a color able to serve? Facts in, verdict out: probe outcomes, what is in
// flight, and time. Starts nothing and knows no loop. Weights and states are no part of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/routing/backend_id.h"
#include "proxy/routing/totals.h"
#include "shifter/control/config.h"

namespace control {

enum class ProbeOutcome : uint8_t {
  pass,
  bad_status,  // an answer, but not the one that means health
  time_out,
  refused,
  reset,
  certificate,  // of a backend over TLS, refused
  failed,       // unreachable, or bytes that are no answer
};

enum class DownReason : uint8_t {
  starting,  // nothing is known yet
  status,
  time_out,
  refused,
  reset,
  certificate,
  failed,
  page,       // the page that asks the database fails here and works elsewhere
  dns,        // its name does not resolve
  websocket,  // http is up, but a color that starts needs a websocket address too
  ejected,    // its answers failed, whatever its probes say
  warming,    // it gets requests of ours before those of users
};
std::string_view text_of(DownReason reason);

// What the data plane knows about one backend at the moment of a probe.
struct BackendLoad {
  int64_t in_flight = 0;
  base::Millis without_progress{0};  // since an answer ended or nothing was in flight
};

struct AddressHealth {
  bool up = false;
  bool unproven = false;  // up by what was saved; one failure ends it
  bool busy = false;      // up; the last probe timed out, which its load explains
  bool judged = false;    // a first verdict was reached
  int passes = 0;         // in a row
  int failures = 0;       // in a row, those that count
  DownReason reason = DownReason::starting;
  base::Instant since{};  // of `up`
};

AddressHealth judge_address(AddressHealth before, ProbeOutcome outcome, const BackendLoad& load,
                            base::Instant now, const HealthConfig& limits);

struct ColorHealth {
  bool up = false;
  bool able = false;  // up by its probes, though something else may keep it out
  bool busy = false;
  bool unproven = false;
  bool no_websocket = false;  // up, but its websocket requests get 503
  bool judged = false;
  DownReason reason = DownReason::starting;
  base::Instant since{};  // of `up`
};
// "up", "up(busy)", "up(unproven)", "down(refused)".
std::string text_of(const ColorHealth& health);
std::string text_of(const AddressHealth& health);

struct ColorFacts {
  std::vector<AddressHealth> http;
  std::vector<AddressHealth> websocket;
  bool has_websocket = true;  // configured
  bool dns_failed = false;
  bool page_down = false;
  std::optional<DownReason> kept_out{};  // ejected or warming
};
ColorHealth judge_color(const ColorHealth& before, const ColorFacts& facts, base::Instant now);

// The page probe over all colors. A failure counts against a color only if another color passed in
// the same round; a round that nobody passed speaks of what they share.
struct PageHealth {
  bool down = false;
  int passes = 0;
  int failures = 0;
};
struct PageVerdict {
  std::vector<PageHealth> colors;
  int shared_failures = 0;  // rounds in a row that nobody passed
  bool dependency(const HealthConfig& limits) const { return shared_failures >= limits.fall; }
};
// One outcome a color; nothing: not asked (its http port is down), or busy.
void judge_pages(PageVerdict& verdict, const std::vector<std::optional<ProbeOutcome>>& round,
                 const HealthConfig& limits);

// As the state file keeps it.
struct SavedHealth {
  std::string color;
  routing::Port port = routing::Port::http;
  std::string address;
  base::WallTime seen;  // when it was last known to be up
};

struct HealthAddress {
  routing::BackendId id = 0;
  routing::Port port = routing::Port::http;
  base::Address address;
};

// All addresses and colors. Main thread.
class Health {
 public:
  Health(const HealthConfig& limits, std::vector<std::string> colors);
  void set_limits(const HealthConfig& limits) { limits_ = limits; }

  // What the config and DNS say. Known addresses keep their health, new ones start down (or
  // unproven, if they were saved as up less than a minute ago).
  void set_addresses(size_t color, const std::vector<HealthAddress>& addresses, bool has_websocket,
                     bool dns_failed, base::Instant now);
  void restore(std::vector<SavedHealth> saved, base::WallTime wall, base::Instant now);
  std::vector<SavedHealth> save(base::WallTime wall) const;

  void observe(const routing::Totals& totals, base::Instant now);  // before probes are judged
  void on_probe(routing::BackendId id, ProbeOutcome outcome, base::Instant now);
  // By color; nothing: not asked.
  void on_pages(std::vector<std::optional<ProbeOutcome>> round, base::Instant now);

  // Down for this reason although its probes pass; nothing: as they say.
  void keep_out(size_t color, std::optional<DownReason> reason, base::Instant now);

  const ColorHealth& color(size_t color) const { return colors_[color].health; }
  const AddressHealth* address(routing::BackendId id) const;
  bool usable(routing::BackendId id) const;
  bool dependency_down() const { return pages_.dependency(limits_); }
  bool any_up() const;
  bool all_judged() const;
  // Grows whenever a table made of this would differ.
  uint64_t changes() const { return changes_; }

 private:
  struct Entry {
    HealthAddress at;
    AddressHealth health;
    int64_t in_flight = 0;
    int64_t finished = 0;
    base::Instant progress{};
    base::WallTime saved_seen{};  // while unproven: when it was last known to be up
  };
  struct Color {
    std::string name;
    std::vector<Entry> entries;
    bool has_websocket = true;
    bool dns_failed = false;
    std::optional<DownReason> kept_out;
    ColorHealth health;
  };
  void judge(size_t color, base::Instant now);
  Entry* find(routing::BackendId id, size_t* color = nullptr);
  BackendLoad load_of(const Entry& entry, base::Instant now) const;
  bool is_explained(size_t color, ProbeOutcome outcome, base::Instant now) const;

  HealthConfig limits_;
  std::vector<Color> colors_;
  std::vector<SavedHealth> saved_;
  base::WallTime saved_wall_{};
  base::Instant saved_at_{};
  PageVerdict pages_;
  uint64_t changes_ = 0;
};

}  // namespace control
