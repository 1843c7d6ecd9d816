// The DataPlane over workers whose loops somebody else runs: threads (Workers) or one thread and
// virtual time (tests). Made and called on the main thread; a worker is touched on its loop only.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/loop.h"
#include "proxy/base/mailbox.h"
#include "proxy/relay/config.h"
#include "proxy/relay/overload.h"
#include "proxy/routing/data_plane.h"

namespace relay {

struct RelayCore;
class Worker;

class Plane final : public routing::DataPlane {
 public:
  // `main`: where answers to the control plane are posted. `instance`: our name in Via, unique for
  // this process. `access_log`, `events`: nullptr is off.
  Plane(const RelayConfig& config, std::shared_ptr<base::Mailbox> main, std::string instance,
        base::Log* access_log, base::Log* events = nullptr);
  // Needs: no loop of a worker runs any more.
  ~Plane() override;

  // One worker more, on a loop that outlives this object. Before anything is published.
  void add_worker(base::Loop& loop, base::Mailbox& mailbox);
  // On that worker's loop: its worker ends, what is in flight there is cut.
  void end_worker(size_t index);

  // The health page says no from now on; everything else goes on.
  void begin_lame_duck();
  void set_overload(Overload step);
  // Stops accepting; `empty` is called on the main thread once nothing is in flight.
  void leave(std::function<void()> empty);
  // As Worker::hand_over, on all; `empty` is called on the main thread.
  void hand_over(base::Millis idle, base::Millis grace, std::function<void()> empty);

  // DataPlane
  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override;
  uint64_t applied_version() const override;
  routing::Totals totals() const override;
  void list(routing::ColorIndex color_or_none, size_t most,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override;
  void session_counts(uint64_t step,
                      std::function<void(const routing::SessionCounts&)> done) override;
  void close_idle(routing::ColorIndex color) override;
  void close_websockets(routing::ColorIndex color, base::Millis over) override;
  void cut(routing::ColorIndex color) override;

  int count() const { return static_cast<int>(seats_.size()); }
  Worker& worker(size_t index);
  RelayCore& core() { return *core_; }

 private:
  struct Seat;  // a worker's
  void on_each(const std::function<void(Seat&)>& work);
  // Made into what each worker calls: `empty` comes to the main thread once all have called.
  std::function<void()> when_all_have(std::function<void()> empty);
  void configure_slots();
  void on_applied(uint64_t version);

  std::unique_ptr<RelayCore> core_;
  std::shared_ptr<base::Mailbox> main_;
  std::vector<std::unique_ptr<Seat>> seats_;
  std::shared_ptr<const routing::RoutingTable> table_;
  // Those that some worker may still use, oldest first; the last is table_.
  std::deque<std::shared_ptr<const routing::RoutingTable>> in_use_;
};

}  // namespace relay
