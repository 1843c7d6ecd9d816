// One worker's ways to the backends: connections that are kept between requests where a backend
// can (`reuse: on`), and new ones.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "proxy/base/timer_wheel.h"
#include "proxy/base/tls.h"
#include "proxy/relay/backend_connection.h"

namespace relay {

class BackendGates {
 public:
  explicit BackendGates(Worker& worker);
  ~BackendGates();

  // Never nothing: a kept connection or a new one that must still connect.
  std::unique_ptr<BackendConnection> take(routing::ColorIndex color,
                                          const routing::Backend& backend, bool may_reuse);
  // After BackendConnection::release(): kept when it may be and there is room, else closed.
  void give(std::unique_ptr<BackendConnection> connection, bool reusable);
  // An idle connection that closed or spoke out of turn.
  void forget(BackendConnection& connection);
  void close_idle(routing::ColorIndex color);
  // After a new table: idle connections to backends that are gone, or trusted by other rules now,
  // close.
  void reconcile(const routing::RoutingTable& table);
  // What its next TLS connection may resume.
  const std::shared_ptr<base::TlsSession>& session_of(routing::BackendId backend);
  // Counts it, and says in the log whose certificate was refused and why: not each time.
  void tell_refused(const BackendConnection& connection, const base::Error& error);

 private:
  struct Kept {
    std::unique_ptr<BackendConnection> connection;
    base::Instant since;
  };
  void close_stale();
  void close(routing::BackendId backend, size_t at);

  Worker& worker_;
  std::array<std::vector<Kept>, routing::kBackendsMax> idle_;  // the latest at the back
  std::array<std::shared_ptr<base::TlsSession>, routing::kBackendsMax> sessions_;
  std::array<base::Instant, routing::kBackendsMax> refusal_told_{};
  base::Timer stale_;
};

}  // namespace relay
