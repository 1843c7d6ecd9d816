// How one process takes over from another (docs/design.md, "Upgrade"). A Unix socket beside the
// admin socket; each side says lines of JSON:
//
//   new                                     old
//   {"take_over":1,"pid":N}          ──►    freezes its decisions, saves its state
//                                    ◄──    {"ok":true,"listening":N} with descriptors: the lock of
//                                           the state file, then the listening sockets
//   reads the state, opens its admin socket, accepts
//   {"serving":true}                 ──►    accepts no more; from here on it follows (follower.h)
//
// Until "serving" the old process can go on as if nobody had come, and does when the new one
// leaves.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/base/descriptors.h"
#include "proxy/base/loop.h"
#include "shifter/control/line_link.h"

namespace control {

std::string handover_path(const std::string& admin_socket);

// What the new process got.
struct Inheritance {
  base::Descriptor link;
  base::Descriptor lock;  // of the state file; held without a gap
  std::vector<base::Descriptor> listening;
};

// The new side, before it has a loop. Nothing: nobody is there to take over from, or its start must
// be ordinary. Waits while the old process cannot (it is still replacing another one, or ends);
// `waits` is told why, once for each reason.
base::Result<std::optional<Inheritance>> take_over(
    const std::string& admin_socket, const std::function<void(const std::string& why)>& waits);
base::Result<> say_serving(const base::Descriptor& link);

// The old side. Main thread.
class HandoverDoor final : public base::AcceptHandler {
 public:
  struct Hooks {
    std::function<std::string()> why_not;  // empty: it may
    // Stops deciding and saves. The descriptors to send: the lock, then listening sockets.
    std::function<base::Result<std::vector<int>>()> freeze;
    std::function<void(const std::string& why)> thaw;  // the new one has left: go on
    std::function<void(std::unique_ptr<LineLink> link)> moved;
  };
  HandoverDoor(base::Loop& loop, std::vector<uint32_t> allowed_uids, Hooks hooks);
  ~HandoverDoor();

  void serve(std::unique_ptr<base::Listener> listener) { listener_ = std::move(listener); }
  void close() { listener_.reset(); }
  bool is_reachable() const;  // under the name that it was given
  void on_accepted(std::unique_ptr<base::Stream> stream) override;

 private:
  enum class Stage : uint8_t { open, asked, frozen, moved };
  void take(const std::string& line);
  void answer();
  void leave(std::string_view why);
  void on_late() { leave("it took too long"); }

  base::Loop& loop_;
  std::vector<uint32_t> allowed_uids_;
  Hooks hooks_;
  std::unique_ptr<base::Listener> listener_;
  std::unique_ptr<LineLink> link_;
  Stage stage_ = Stage::open;
  base::Timer late_;
};

}  // namespace control
