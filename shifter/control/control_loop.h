// The heart of the control plane, without sockets: owns the fleet, its file, health and addresses;
// once a tick it observes, decides, acts, and publishes at most once. Main thread.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/mac.h"
#include "proxy/routing/config.h"
#include "proxy/routing/data_plane.h"
#include "shifter/control/actions.h"
#include "shifter/control/addresses.h"
#include "shifter/control/config.h"
#include "shifter/control/drain.h"
#include "shifter/control/ejection.h"
#include "shifter/control/events.h"
#include "shifter/control/families.h"
#include "shifter/control/fleet.h"
#include "shifter/control/health.h"
#include "shifter/control/publisher.h"
#include "shifter/control/rollout_state.h"
#include "shifter/control/slow_start.h"
#include "shifter/control/state_file.h"

namespace control {

class ControlLoop {
 public:
  ControlLoop(const base::Clock& clock, routing::DataPlane& plane, Events& events,
              ControlConfig config, routing::RoutingConfig routing,
              std::vector<base::Key> cookie_keys);

  // Loads the state and publishes the first table. An error: state files are there and unusable.
  base::Result<> start();

  // What is: for commands and pages.
  const Fleet& fleet() const { return fleet_; }
  const Health& health() const { return health_; }
  const AddressBook& addresses() const { return addresses_; }
  const Publisher& publisher() const { return publisher_; }
  // Saved with the fleet, in one write; RolloutControl owns what it says.
  SavedRollout& rollout() { return rollout_; }
  const SavedRollout& rollout() const { return rollout_; }
  // The scaler's, saved in the same way; Scaling owns what it says.
  ScaleState& scale() { return scale_; }
  const ScaleState& scale() const { return scale_; }
  Actions& actions() { return actions_; }
  const Actions& actions() const { return actions_; }
  void set_on_publish(std::function<void()> told) { publisher_.set_on_change(std::move(told)); }
  const ControlConfig& config() const { return config_; }
  const routing::RoutingConfig& routing() const { return routing_; }
  const std::vector<routing::Route>& routes() const { return routes_; }
  const RouteNumbers& route_numbers() const { return route_numbers_; }
  base::Instant now() const { return clock_.now(); }
  base::WallTime wall() const { return clock_.wall(); }
  bool is_saved() const { return !unsaved_; }
  std::vector<std::string> degraded() const;  // reasons, in words
  bool is_before_first_verdict() const;
  // As of the last tick: it is closing, every worker knew, and what was then in flight is known.
  bool closing_seen(size_t color) const { return watches_[color].closing_seen; }
  std::function<bool(size_t)> is_up() const;

  // An operator's change: saved, then published; `applied` once it is true on every worker. The
  // value says whether it is on disk. must_act: a failed save does not stop it. `take` runs
  // between the two, for what the table is made of beside the fleet.
  Answer<bool> change(Fleet next, bool must_act, std::function<void()> applied,
                      const std::function<void()>& take = {});
  // The drain's deadline is now (force). Needs: the color is draining.
  void end_drain(size_t color);
  // A config that was read again; published by whoever calls. Needs: colors have the same names in
  // the same order, and there are numbers for the routes.
  void take_config(const ControlConfig& config, routing::RoutingConfig routing);

  // Another process's workers serve as well: they keep a part of the slots; publishes.
  void share_slots(bool on);
  // What open_tls_files made of this object's routing(); publishes.
  void take_tls(const routing::RoutingConfig& opened);

  // What the workers count for the judge from now on; publishes.
  void take_judge_step(const std::optional<routing::JudgeStep>& step);

  // What probes and look-ups saw.
  void on_probe(routing::BackendId id, ProbeOutcome outcome);
  void on_pages(std::vector<std::optional<ProbeOutcome>> round);
  void on_name(const std::string& name, const base::Result<std::vector<base::Address>>& answer);

  // Requests of ours that the color still needs before it is sent users, and one that has ended.
  int warm_ups_left(size_t color) const { return slow_start_.warm_ups_left(color); }
  void on_warm_up(size_t color) { slow_start_.on_warm_up(color); }
  // Percent of its weight that a color takes now.
  int weight_share(size_t color) const;

  void tick();
  // Publishes what is due, and calls `then` once what is shown here is what the workers do.
  void when_true_everywhere(std::function<void()> then);
  bool save_now();  // health with its time included; at shutdown

  // Told after the addresses changed: whoever probes takes the new ones.
  void set_on_addresses(std::function<void()> told) { on_addresses_ = std::move(told); }

  void fill(ControlMetrics& metrics) const;

 private:
  struct ColorWatch {
    Visits visits;
    uint64_t closing_version = 0;  // the table that said so first
    base::Instant serving_since{};
    bool serving = false;
    bool closing_seen = false;
    bool websockets_told = false;  // asked to leave in this drain
    std::string health_text;       // as the last event said
  };

  void publish(std::function<void()> applied);
  bool is_publish_due() const;
  void publish_if_changed();
  bool save(const Fleet& fleet);
  void apply_addresses();
  void watch_drains(const routing::Totals& totals);
  void close_long_drained(size_t color);
  void act_on_states(const Fleet& before);
  void tell_health();
  bool closing_applied(size_t color) const;
  bool is_settled(size_t color) const;
  void keep_out(const routing::Totals& totals);
  std::vector<int> weight_shares() const;
  std::vector<int> slots_auto() const;
  std::optional<std::string> why_not(const Action& action) const;

  const base::Clock& clock_;
  routing::DataPlane& plane_;
  Events& events_;
  ControlConfig config_;
  routing::RoutingConfig routing_;
  std::vector<base::Key> cookie_keys_;
  std::array<uint8_t, 16> draw_key_{};
  StateFile state_file_;
  std::string boot_id_;
  Fleet fleet_;
  Health health_;
  Ejection ejection_;
  SlowStart slow_start_;
  AddressBook addresses_;
  Actions actions_;
  SavedRollout rollout_;
  ScaleState scale_;
  Publisher publisher_;
  RouteNumbers route_numbers_;
  std::vector<routing::Route> routes_;
  std::vector<ColorWatch> watches_;
  std::function<void()> on_addresses_;
  std::optional<routing::JudgeStep> judge_step_;

  base::Instant started_{};
  base::Instant saved_at_{};  // tried
  bool unsaved_ = false;
  bool shares_slots_ = false;
  uint64_t published_changes_ = 0;  // of health
  std::vector<bool> published_settled_;
  std::vector<int> published_slots_;
  std::vector<int> published_shares_;
  bool published_starting_ = false;
  bool dependency_told_ = false;
  int64_t saves_ = 0;
  int64_t save_failures_ = 0;
  int64_t probes_ = 0;
  int64_t probe_failures_ = 0;
  int64_t name_failures_ = 0;
};

}  // namespace control
