#include "proxy/relay/tunnel.h"

#include "proxy/relay/worker.h"

namespace relay {
namespace {
constexpr base::Millis kGoodbye{10'000};  // for an unfinished frame, and for the peers' answers
}

Tunnel::Tunnel(Worker& worker, TunnelFacts facts, std::unique_ptr<base::Stream> client,
               std::unique_ptr<base::Stream> backend)
    : worker_(worker),
      facts_(std::move(facts)),
      client_(*this, std::move(client)),
      backend_(*this, std::move(backend)),
      deadline_(worker.loop().timers(), this, base::fires<&Tunnel::on_deadline>),
      close_later_(worker.loop().timers(), this, base::fires<&Tunnel::on_close_later>),
      begun_(worker.loop().now()) {
  client_.to = &backend_;
  backend_.to = &client_;
  for (std::string_view early = facts_.backend_early; !early.empty();) {
    early.remove_prefix(backend_.frames.step(early));
  }
  facts_.backend_early.clear();
  client_.stream->set_handler(&client_);
  backend_.stream->set_handler(&backend_);
  deadline_.start(worker_.core().config.timeouts.tunnel_idle);
  const std::string early = std::move(facts_.client_early);
  facts_.client_early.clear();
  if (!early.empty()) forward(client_, early);
  if (facts_.client_ended) ended(client_);  // its stream does not say so again
  client_.stream->resume_reading();
  backend_.stream->resume_reading();
}

void Tunnel::forward(Half& from, std::string_view bytes) {
  moved_ = true;
  if (from.goodbye_said) return;  // what follows our close frame is not passed on
  size_t pass = 0;
  while (pass < bytes.size()) {
    if (from.goodbye_due && from.frames.at_boundary()) break;
    pass += from.frames.step(bytes.substr(pass));
  }
  if (pass > 0) from.to->stream->write(bytes.substr(0, pass));
  if (from.goodbye_due && from.frames.at_boundary()) say_goodbye(from);
  // The slower side sets the pace.
  if (from.to->stream->pending() > 0) from.stream->pause_reading();
}

void Tunnel::flushed(Half& half) {
  Half& source = *half.to;
  if (source.ended) {
    if (closing_) {
      finish();
    } else {
      finish_if_over();
    }
  } else {
    source.stream->resume_reading();
  }
}

// Both sides have ended and everything they said has left.
void Tunnel::finish_if_over() {
  const bool over = client_.ended && backend_.ended;
  if (over && client_.stream->pending() == 0 && backend_.stream->pending() == 0) finish();
}

void Tunnel::ended(Half& half) {
  half.ended = true;
  half.to->stream->finish_writing();  // after what is pending
  if (closing_ && half.to->stream->pending() == 0) {
    finish();
  } else {
    finish_if_over();
  }
}

void Tunnel::close_with(uint16_t code) { begin_closing(code); }

void Tunnel::close_after(base::Millis wait, uint16_t code) {
  const base::Instant due = worker_.loop().now() + wait;
  if (closing_ || (close_later_.is_running() && close_due_ <= due)) return;
  code_ = code;
  close_due_ = due;
  close_later_.start(wait);
}

void Tunnel::begin_closing(uint16_t code) {
  if (closing_ || gone_) return;
  closing_ = true;
  code_ = code;
  deadline_.start(kGoodbye);
  for (Half* half : {&backend_, &client_}) {
    half->goodbye_due = true;
    if (half->frames.at_boundary()) say_goodbye(*half);
  }
}

// Our close frame to the other side of `from`, which stands between two of its frames.
void Tunnel::say_goodbye(Half& from) {
  from.goodbye_due = false;
  from.goodbye_said = true;
  if (from.ended || from.frames.has_closed()) return;  // it said so itself
  const bool to_backend = &from == &client_;
  const CloseFrame frame =
      close_frame(code_, to_backend, static_cast<uint32_t>(worker_.new_nonce()));
  from.to->stream->write(frame.view());
}

void Tunnel::cut() {
  client_.stream->reset_on_close();
  finish();
}

void Tunnel::finish() {
  if (gone_) return;
  gone_ = true;
  deadline_.stop();
  close_later_.stop();
  const auto lived = base::us_between(begun_, worker_.loop().now());
  worker_.counters().color(facts_.color).websocket_lifetime.observe(lived);
  worker_.counters().backends[facts_.backend].in_flight.add(-1);
  worker_.counters().backends[facts_.backend].finished.add(1);
  if (facts_.has_slot) worker_.core().slots[facts_.color]->give_back(facts_.slot);
  facts_.in_flight.end();
  worker_.retire(*this);
}

void Tunnel::on_deadline() {
  if (closing_ || !moved_) {
    finish();
    return;
  }
  moved_ = false;
  deadline_.start(worker_.core().config.timeouts.tunnel_idle);
}

routing::InFlightEntry Tunnel::describe() const {
  routing::InFlightEntry entry;
  entry.color = facts_.color;
  entry.kind = routing::Kind::websocket;
  entry.route = facts_.route;
  entry.age = std::chrono::duration_cast<base::Millis>(worker_.loop().now() - begun_);
  entry.peer = facts_.client.host();
  entry.request_id = facts_.request_id;
  return entry;
}

}  // namespace relay
