// The parts of the control plane, wired. Within control.cpp and control_handover.cpp only.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proxy/base/files.h"
#include "proxy/base/metrics.h"
#include "proxy/base/resolver.h"
#include "shifter/control/admin_commands.h"
#include "shifter/control/admin_server.h"
#include "shifter/control/audit_log.h"
#include "shifter/control/control.h"
#include "shifter/control/control_loop.h"
#include "shifter/control/events.h"
#include "shifter/control/families.h"
#include "shifter/control/fleet_hands.h"
#include "shifter/control/follower.h"
#include "shifter/control/handover.h"
#include "shifter/control/joined_plane.h"
#include "shifter/control/live_judge.h"
#include "shifter/control/notice_sender.h"
#include "shifter/control/probes.h"
#include "shifter/control/rollout_control.h"
#include "shifter/control/scaling.h"

namespace control {

struct Control::Parts {
  static constexpr base::Millis kTick{100};

  Parts(base::UvLoop& uv_loop, routing::DataPlane& data_plane, ControlConfig control_config,
        routing::RoutingConfig routing_config, base::Log& main_log, Host process_host)
      : loop(uv_loop),
        joined(uv_loop, data_plane),
        plane(joined),
        log(main_log),
        host(std::move(process_host)),
        config(std::move(control_config)),
        routing(std::move(routing_config)),
        events(main_log),
        resolver(uv_loop),
        probes(uv_loop, config.health,
               [this](routing::BackendId id, ProbeOutcome outcome) {
                 control->on_probe(id, outcome);
               }),
        pages(uv_loop, [this](PageProbes::Round round) { control->on_pages(std::move(round)); }),
        warm_ups(uv_loop,
                 [this](const PageProbes::Round& round) {
                   for (size_t i = 0; i < round.size(); ++i) {
                     if (round[i]) control->on_warm_up(i);
                   }
                 }),
        tick_timer(uv_loop.timers(), this, base::fires<&Parts::tick>),
        names_timer(uv_loop.timers(), this, base::fires<&Parts::look_up_names>),
        pages_timer(uv_loop.timers(), this, base::fires<&Parts::probe_pages>) {}

  base::Result<> start();
  base::Result<> open_admin();
  base::Result<> open_door();
  base::Result<> listen_for_admins(bool replace);
  base::Result<> listen_for_successor(bool replace);
  base::Result<> open_metrics();
  std::string why_not_now() const;
  base::Result<std::vector<int>> freeze();
  void thaw(const std::string& why);
  void move_to(std::unique_ptr<LineLink> link);
  base::Result<> take_over();
  void rest();
  void tick();
  void look_up_names();
  void probe_pages();
  void warm_colors();
  std::optional<ProbeTarget> page_target(size_t color) const;
  void take_targets();
  void tell_refused(const ProbeTarget& target, const std::string& why);
  void refresh_metrics();
  ProbeTarget target_of(size_t color, const KnownAddress& known) const;
  AdminCommands::Reloaded reload();
  ProcessView process() const;

  base::UvLoop& loop;
  JoinedPlane joined;
  routing::DataPlane& plane;  // those together
  base::Log& log;
  Host host;
  ControlConfig config;
  routing::RoutingConfig routing;
  Events events;
  base::Resolver resolver;
  std::unique_ptr<ControlLoop> control;
  std::unique_ptr<NoticeSender> notices;
  std::unique_ptr<LiveJudge> judge;
  std::unique_ptr<RolloutControl> rollouts;
  std::unique_ptr<AdminRollout> rollout_commands;
  std::unique_ptr<FleetHands> scale_hands;
  std::unique_ptr<Scaling> scaling;
  std::unique_ptr<AuditLog> audit;
  std::unique_ptr<AdminCommands> commands;
  std::unique_ptr<AdminServer> server;
  std::unique_ptr<HandoverDoor> door;
  std::unique_ptr<Follower> follower;
  std::optional<Inheritance> inherited;
  std::unique_ptr<base::MetricsServer> metrics;
  base::FileLock state_lock;
  AddressProbes probes;
  PageProbes pages;
  PageProbes warm_ups;
  base::Timer tick_timer;
  base::Timer names_timer;
  base::Timer pages_timer;
  std::set<std::string> names_asked;  // whose answer is still to come
  base::Instant started{};
  base::WallTime started_wall{};
  bool lame_duck = false;
  bool frozen = false;  // handing over: what is on disk may be another's already
  bool is_shut = false;

  std::mutex metrics_mutex;  // guards what scrape threads copy
  ControlMetrics metrics_facts;
};

}  // namespace control
