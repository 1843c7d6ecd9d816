// A copy of a safe request to another color, for comparing versions; its answer is thrown away.
// It cannot hurt: it takes a slot only if one is free and nobody waits, there are never more than
// the rule says, nothing is kept of it but its head, and whatever becomes of it is told to nobody.
// Belongs to the worker; ends by its answer, a failure or the rule's time.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/timer_wheel.h"
#include "proxy/relay/backend_connection.h"
#include "proxy/relay/roster.h"
#include "proxy/relay/slot_pool.h"
#include "proxy/relay/worker_counters.h"

namespace relay {

class Mirror final : public base::Disposable, public Rostered, private BackendConnection::User {
 public:
  // `head`: the rewritten request head but for its end. `slot`: of `color`, goes back at the end.
  Mirror(Worker& worker, routing::ColorIndex color, const Slot& slot, http::Method method,
         std::string_view head);
  ~Mirror() override;
  void begin(const routing::Backend& backend, base::Millis timeout);

 private:
  void on_backend_ready() override;
  void on_backend_interim(const http::ResponseHead&) override {}
  void on_backend_head(const http::ResponseHead&) override {}
  void on_backend_content(std::string_view) override {}
  void on_backend_read() override {}
  void on_backend_done() override;
  void on_backend_upgraded(const http::ResponseHead& head, std::string_view early) override;
  void on_backend_flushed() override {}
  void on_backend_failed(const base::Error& error) override;
  void on_deadline();
  void end(bool answered);
  void give_all_back();

  Worker& worker_;
  const routing::ColorIndex color_;
  const Slot slot_;
  const http::Method method_;
  std::string head_;
  base::Timer deadline_;
  InFlight in_flight_;
  std::unique_ptr<BackendConnection> backend_;
};

}  // namespace relay
