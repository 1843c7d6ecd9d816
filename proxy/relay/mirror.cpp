#include "proxy/relay/mirror.h"

#include <array>

#include "proxy/relay/forward_headers.h"
#include "proxy/relay/worker.h"

namespace relay {

using routing::Tally;

Mirror::Mirror(Worker& worker, routing::ColorIndex color, const Slot& slot, http::Method method,
               std::string_view head)
    : worker_(worker),
      color_(color),
      slot_(slot),
      method_(method),
      head_(head),
      deadline_(worker.loop().timers(), this, base::fires<&Mirror::on_deadline>),
      in_flight_(worker.counters(), color, routing::Kind::mirror) {}

Mirror::~Mirror() { give_all_back(); }

void Mirror::begin(const routing::Backend& backend, base::Millis timeout) {
  worker_.counters().tally(Tally::mirrors);
  worker_.counters().backends[backend.id].in_flight.add(1);
  RequestEnd end;
  end.keep_alive = worker_.table().colors[color_].reuse;
  write_request_end(end, head_);
  backend_ = worker_.gates().take(color_, backend, end.keep_alive);
  deadline_.start(timeout);
  if (backend_->begin(*this, method_, false)) on_backend_ready();
}

void Mirror::on_backend_ready() {
  const std::array<std::string_view, 1> pieces = {head_};
  backend_->send(pieces);
}

void Mirror::on_backend_done() { end(true); }
void Mirror::on_backend_upgraded(const http::ResponseHead&, std::string_view) { end(false); }
void Mirror::on_backend_failed(const base::Error&) { end(false); }
void Mirror::on_deadline() { end(false); }

// The last act: nothing of this may be touched afterwards.
void Mirror::end(bool answered) {
  if (answered) {
    worker_.counters().backends[backend_->backend()].finished.add(1);
  } else {
    worker_.counters().tally(Tally::mirrors_failed);
  }
  give_all_back();
  worker_.retire(*this);
}

void Mirror::give_all_back() {
  if (backend_ == nullptr) return;
  deadline_.stop();
  worker_.counters().backends[backend_->backend()].in_flight.add(-1);
  const bool reusable = backend_->release();
  if (!reusable) backend_->close();
  worker_.gates().give(std::move(backend_), reusable);
  worker_.core().slots[color_]->give_back(slot_);
  worker_.core().mirrors.fetch_sub(1);
  in_flight_.end();
}

}  // namespace relay
