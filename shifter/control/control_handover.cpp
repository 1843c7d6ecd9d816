// The control plane's part in an upgrade: what the old process gives and what the new one takes.
#include "shifter/control/control_parts.h"

namespace control {

base::Result<> Control::Parts::open_door() {
  door = std::make_unique<HandoverDoor>(
      loop, config.admin.allow_uids,
      HandoverDoor::Hooks{[this] { return why_not_now(); }, [this] { return freeze(); },
                          [this](const std::string& why) { thaw(why); },
                          [this](auto link) { move_to(std::move(link)); }});
  return listen_for_successor(inherited.has_value());
}

base::Result<> Control::Parts::listen_for_successor(bool replace) {
  auto listener = loop.listen_unix(handover_path(config.admin.socket), 0600, *door, replace);
  if (!listener) return tl::unexpected(listener.error());
  door->serve(std::move(*listener));
  return {};
}

std::string Control::Parts::why_not_now() const {
  if (lame_duck) return "this process is shutting down";
  if (joined.is_joined()) return "this process is still replacing another";
  return {};
}

// Nothing is decided from here on, and what was decided is on disk.
base::Result<std::vector<int>> Control::Parts::freeze() {
  if (!control->save_now()) {
    return base::fail(base::ErrorCode::io_failed, base::Side::proxy, "the state cannot be saved");
  }
  frozen = true;
  commands->freeze(true);
  judge->shut_down();
  rest();
  metrics.reset();
  std::vector<int> sockets = {state_lock.descriptor()};
  for (const int one : host.listening_sockets()) sockets.push_back(one);
  events.add(base::Level::info, "hands_over");
  return sockets;
}

void Control::Parts::rest() {
  tick_timer.stop();
  names_timer.stop();
  pages_timer.stop();
  probes.set_targets({});
}

// The other process has left before it served: all goes on as it was. What it replaced is put back.
void Control::Parts::thaw(const std::string& why) {
  events.add(base::Level::error, "hand_over_failed", base::LogLine().add("detail", why));
  frozen = false;
  commands->freeze(false);
  const auto tell = [this](const base::Result<>& opened) {
    if (opened) return;
    events.add(base::Level::error, "not_opened_again",
               base::LogLine().add("detail", opened.error().detail));
  };
  // Who waits in the queue of a socket that is still ours must not lose it.
  if (!server->is_reachable()) tell(listen_for_admins(/*replace=*/true));
  if (!door->is_reachable()) tell(listen_for_successor(/*replace=*/true));
  tell(open_metrics());
  take_targets();
  look_up_names();
  pages_timer.start(control->config().health.page_interval);
  tick_timer.start(kTick);
}

// From here on the other process decides and saves.
void Control::Parts::move_to(std::unique_ptr<LineLink> link) {
  is_shut = true;
  state_lock = {};
  commands->send_away();  // whoever still waits in the queue of the old admin socket as well
  server->end_commands();
  door->close();
  events.add(base::Level::info, "moved");
  follower = std::make_unique<Follower>(
      loop, plane, control->publisher().current(), std::move(link), [this](std::string_view why) {
        events.add(base::Level::warning, "alone", base::LogLine().add("detail", why));
      });
  host.moved();
}

base::Result<> Control::Parts::take_over() {
  if (auto said = say_serving(inherited->link); !said) {  // it has ended meanwhile
    inherited.reset();
    control->share_slots(false);
    events.add(base::Level::warning, "took_over",
               base::LogLine().add("predecessor", said.error().detail));
    return {};
  }
  auto link = loop.adopt_stream(inherited->link.release(), base::Side::proxy);
  inherited.reset();
  if (!link) return tl::unexpected(link.error());
  joined.join(std::move(*link), [this](std::string_view why) {
    events.add(base::Level::info, "predecessor_ended", base::LogLine().add("detail", why));
    control->share_slots(false);
  });
  events.add(base::Level::info, "took_over");
  return {};
}

}  // namespace control
