// All workers of the process: one thread, one loop and one listening socket each, and the
// DataPlane that the control plane sees. Made, called and destroyed on the main thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "proxy/base/log.h"
#include "proxy/base/mailbox.h"
#include "proxy/relay/config.h"
#include "proxy/routing/data_plane.h"

namespace base {
class UvLoop;
}

namespace relay {

struct RelayCore;
class Worker;

class Workers final : public routing::DataPlane {
 public:
  // `main`: where answers to the control plane are posted. `access_log`: nullptr is off.
  Workers(const RelayConfig& config, std::shared_ptr<base::Mailbox> main, base::Log* access_log);
  // Ends the threads; what is still in flight is cut.
  ~Workers() override;

  // Needs: a table was published. Every worker listens on the same address; the port that the
  // kernel chose for the first is taken by all.
  base::Result<base::Address> listen();

  // The health page says no from now on; everything else goes on.
  void begin_lame_duck();
  // Stops accepting; `empty` is called on the main thread once nothing is in flight.
  void leave(std::function<void()> empty);

  // DataPlane
  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override;
  uint64_t applied_version() const override;
  routing::Totals totals() const override;
  void list(routing::ColorIndex color_or_none, size_t most,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override;
  void close_idle(routing::ColorIndex color) override;
  void close_websockets(routing::ColorIndex color, base::Millis over) override;
  void cut(routing::ColorIndex color) override;

  int count() const { return static_cast<int>(threads_.size()); }

 private:
  struct Thread {
    std::unique_ptr<base::UvLoop> loop;
    std::unique_ptr<Worker> worker;  // lives and dies on its thread
    std::atomic<uint64_t> applied{0};
    std::thread thread;
  };
  void on_each(const std::function<void(Thread&)>& work);
  void configure_slots();
  void on_applied(uint64_t version);

  std::unique_ptr<RelayCore> core_;
  std::shared_ptr<base::Mailbox> main_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::shared_ptr<const routing::RoutingTable> table_;
  // Those that some worker may still use, oldest first; the last is table_.
  std::deque<std::shared_ptr<const routing::RoutingTable>> in_use_;
};

}  // namespace relay
