// All workers of the process: one thread, one loop and one listening socket each, and the
// DataPlane that the control plane sees. Made, called and destroyed on the main thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/descriptors.h"
#include "proxy/relay/plane.h"

namespace relay {

class Workers final : public routing::DataPlane {
 public:
  // `main`: where answers to the control plane are posted. `access_log`, `events`: nullptr is off.
  Workers(const RelayConfig& config, std::shared_ptr<base::Mailbox> main, base::Log* access_log,
          base::Log* events = nullptr);
  // Ends the threads; what is still in flight is cut.
  ~Workers() override;

  // Needs: a table was published. Every worker listens on the same address; the port that the
  // kernel chose for the first is taken by all.
  base::Result<base::Address> listen();

  // Instead of listen(): sockets that listen already, handed over or by socket activation. Each is
  // served by some worker, and each worker serves one. Not empty; takes them all.
  base::Result<base::Address> serve(std::vector<base::Descriptor> sockets);
  // The listening sockets of all workers, still owned by them: to be handed over.
  std::vector<int> listening();

  // The health page says no from now on; everything else goes on.
  void begin_lame_duck() { plane_.begin_lame_duck(); }
  // On the main thread; all workers obey.
  void set_overload(Overload step) { plane_.set_overload(step); }
  // Stops accepting; `empty` is called on the main thread once nothing is in flight.
  void leave(std::function<void()> empty) { plane_.leave(std::move(empty)); }
  // Another process serves the sockets now; `empty` as above.
  void hand_over(base::Millis idle, base::Millis grace, std::function<void()> empty) {
    plane_.hand_over(idle, grace, std::move(empty));
  }

  // DataPlane
  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override {
    plane_.publish(std::move(table), std::move(applied));
  }
  uint64_t applied_version() const override { return plane_.applied_version(); }
  routing::Totals totals() const override { return plane_.totals(); }
  void list(routing::ColorIndex color_or_none, size_t most,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override {
    plane_.list(color_or_none, most, std::move(done));
  }
  void session_counts(uint64_t step,
                      std::function<void(const routing::SessionCounts&)> done) override {
    plane_.session_counts(step, std::move(done));
  }
  void close_idle(routing::ColorIndex color) override { plane_.close_idle(color); }
  void close_websockets(routing::ColorIndex color, base::Millis over) override {
    plane_.close_websockets(color, over);
  }
  void cut(routing::ColorIndex color) override { plane_.cut(color); }

  int count() const { return plane_.count(); }

 private:
  struct Thread;
  base::Address at_;
  std::vector<std::unique_ptr<Thread>> threads_;  // their loops outlive the plane's workers
  Plane plane_;
};

}  // namespace relay
