// The workers of this process and, during an upgrade, those of the process that it replaces, as one
// DataPlane: a table is applied when it is true on both sides, totals are sums. Main thread, but
// for totals().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/routing/data_plane.h"
#include "shifter/control/line_link.h"

namespace control {

class JoinedPlane final : public routing::DataPlane {
 public:
  JoinedPlane(base::Loop& loop, routing::DataPlane& own);

  // The process at the other end follows our tables from here on, until it ends; its counters stay
  // in the totals. `parted` is called then, or when it is silent for too long.
  // Needs: a table was published.
  void join(std::unique_ptr<base::Stream> link, std::function<void(std::string_view why)> parted);
  bool is_joined() const { return link_ != nullptr; }

  // DataPlane
  void publish(std::shared_ptr<const routing::RoutingTable> table,
               std::function<void()> applied) override;
  uint64_t applied_version() const override;
  routing::Totals totals() const override;  // any thread
  void list(routing::ColorIndex color_or_none, size_t most,
            std::function<void(std::vector<routing::InFlightEntry>)> done) override;
  // Of our own workers: the judge begins anew with the process.
  void session_counts(uint64_t step,
                      std::function<void(const routing::SessionCounts&)> done) override;
  void close_idle(routing::ColorIndex color) override;
  void close_websockets(routing::ColorIndex color, base::Millis over) override;
  void cut(routing::ColorIndex color) override;

 private:
  struct Published {
    uint64_t version = 0;
    std::function<void()> applied;
    bool own_done = false;
  };
  struct Asked {
    size_t most = 0;
    std::vector<routing::InFlightEntry> own;
    std::function<void(std::vector<routing::InFlightEntry>)> done;
  };
  void take(const std::string& line);
  void send_table();
  void tell_applied();
  void part(std::string_view why);
  void on_silence() { part("it was silent"); }

  base::Loop& loop_;
  routing::DataPlane& own_;
  std::unique_ptr<LineLink> link_;
  std::function<void(std::string_view)> parted_;
  base::Timer silence_;
  std::shared_ptr<const routing::RoutingTable> current_;
  std::deque<Published> published_;  // not true on both sides yet
  uint64_t other_applied_ = 0;
  std::map<uint64_t, Asked> asked_;  // lists, by number
  uint64_t last_asked_ = 0;
  mutable std::mutex mutex_;  // guards others_
  routing::Totals others_;    // of processes before this one
};

}  // namespace control
