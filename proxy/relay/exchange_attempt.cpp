// The attempt half of an exchange: a connection to one backend, the request on it, and the second
// try where that is safe.
#include <algorithm>
#include <array>

#include "proxy/relay/client_connection.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;
using routing::Kind;
using routing::Tally;

namespace {
constexpr size_t kBodyPiece = 64 << 10;
}

const routing::Backend* Exchange::websocket_backend() {
  const routing::ColorEntry& color = worker_.table().colors[color_];
  const size_t count = color.websocket.size();
  const size_t start = count == 0 ? 0 : worker_.next_draw() % count;
  const routing::Backend* found = nullptr;
  for (size_t i = 0; i < count; ++i) {
    const routing::Backend& backend = color.websocket[(start + i) % count];
    if (backend.usable && (found == nullptr || found->id == avoid_)) found = &backend;
  }
  return found;
}

void Exchange::start_attempt(const routing::Backend& backend) {
  const Kind kind = websocket_ ? Kind::websocket : (buffer_ ? Kind::http : Kind::longpoll);
  stage_ = Stage::connecting;
  in_flight_ = InFlight(worker_.counters(), color_, kind);
  worker_.counters().backends[backend.id].in_flight.add(1);
  const bool may_reuse = worker_.table().colors[color_].reuse && !websocket_;
  backend_ = worker_.gates().take(color_, backend, may_reuse);
  deadline_.start(worker_.core().config.timeouts.connect);
  if (backend_->begin(*this, method_, websocket_)) send_request();
}

void Exchange::on_backend_ready() {
  worker_.counters().color(color_).connect.observe(
      base::us_between(granted_, worker_.loop().now()));
  send_request();
}

void Exchange::send_request() {
  stage_ = Stage::awaiting;
  RequestEnd request_end;
  request_end.websocket = websocket_;
  request_end.keep_alive = worker_.table().colors[color_].reuse;
  request_end.body = framing_in_.body;
  request_end.length = framing_in_.length;
  if (buffer_ && request_end.body != http::BodyKind::none) {
    // Whole and counted: never chunked towards an origin that cannot read it.
    request_end.body = http::BodyKind::length;
    request_end.length = body_.size();
  }
  end_.clear();
  write_request_end(request_end, end_);
  std::array<std::string_view, 3> pieces = {forward_, end_, {}};
  size_t first = 0;
  if (request_end.body == http::BodyKind::length && !body_.is_empty()) {
    const base::Result<std::string_view> piece = body_.front(kBodyPiece);
    if (!piece) {
      fail({ErrorCode::spool_full, Side::proxy, piece.error().detail});
      return;
    }
    pieces[2] = *piece;
    first = piece->size();
  }
  backend_->send(std::span(pieces.data(), first > 0 ? 3 : 2));
  if (first > 0) body_.consume(first);
  if (may_mirror()) worker_.mirror(color_, method_, forward_);
  await_answer();
  send_body();
}

// Once for each request of a user, and only what changes nothing.
bool Exchange::may_mirror() const {
  const bool safe = method_ == http::Method::get || method_ == http::Method::head;
  return safe && framing_in_.body == http::BodyKind::none && buffer_ && !asset_ &&
         port_ == routing::Port::http && retries_ == 0 && look_ == Look::none &&
         reason_ != routing::Reason::forced && reason_ != routing::Reason::pinned;
}

// From the last byte of the request on the backend is waited for; until then a client whose bytes
// are all sent.
void Exchange::await_answer() {
  const bool awaits_client = wants_body() && body_.is_empty();
  deadline_.start(awaits_client ? worker_.core().config.timeouts.body_idle : answer_timeout_);
}

// As much of the body as the backend takes; the rest follows when it has taken that.
bool Exchange::send_body() {
  if (body_sent_ || backend_ == nullptr) return true;
  const bool chunked = !buffer_ && framing_in_.body == http::BodyKind::chunked;
  while (!body_.is_empty() && backend_->pending() == 0) {
    const base::Result<std::string_view> piece = body_.front(kBodyPiece);
    if (!piece) {
      fail({ErrorCode::spool_full, Side::proxy, piece.error().detail});
      return false;
    }
    const size_t size = piece->size();
    if (chunked) {
      end_.clear();
      http::write_chunk_line(size, end_);
      const std::array<std::string_view, 3> pieces = {end_, *piece, http::kChunkEnd};
      backend_->send(pieces);
    } else {
      backend_->send(std::span(&*piece, 1));
    }
    body_.consume(size);
  }
  if (!body_.is_empty()) return true;
  if (body_in_.is_done()) {
    if (chunked) backend_->send(std::span(&http::kLastChunk, 1));
    body_sent_ = true;
  } else if (client_ != nullptr) {
    client_->resume_body();
  }
  return true;
}

void Exchange::on_backend_flushed() {
  if (send_body() && stage_ == Stage::awaiting) await_answer();
}

void Exchange::end_attempt() {
  if (backend_ != nullptr) {
    worker_.counters().backends[backend_->backend()].in_flight.add(-1);
    const bool reusable = backend_->release() && body_sent_;
    // A connection that is not kept is closed before its slot is free for another.
    if (!reusable) backend_->close();
    worker_.gates().give(std::move(backend_), reusable);
  }
  if (has_slot_) {
    has_slot_ = false;
    worker_.core().slots[color_]->give_back(slot_);
  }
}

void Exchange::on_backend_failed(const base::Error& error) {
  worker_.counters().backends[backend_->backend()].failed.add(1);
  const bool connecting = stage_ == Stage::connecting;
  if (connecting) worker_.counters().tally(Tally::connect_failures);
  if (error.side != Side::client) judge_attempt(true);
  if (!answer_begun_ && client_ != nullptr && !is_second_look() && try_again(error)) return;
  fail(error);
}

bool Exchange::other_backend_here() const {
  const routing::ColorEntry& color = worker_.table().colors[color_];
  const auto& backends = port_ == routing::Port::http ? color.http : color.websocket;
  return (color.keeps_holders() && color.up) &&
         std::any_of(backends.begin(), backends.end(), [this](const routing::Backend& one) {
           return one.usable && one.id != avoid_;
         });
}

// A tester and a pinned route never get the other version.
bool Exchange::may_move() const {
  return reason_ != routing::Reason::pinned && reason_ != routing::Reason::forced &&
         worker_.has_other_color(color_);
}

// The other color takes over, as after a failed health check.
bool Exchange::move_to_other_color() {
  const routing::RoutingTable& table = worker_.table();
  for (size_t i = 0; i < table.colors.size(); ++i) {
    if (i == color_ || !table.colors[i].takes_new()) continue;
    const bool was_holder = reason_ == routing::Reason::cookie || reason_ == routing::Reason::home;
    if (was_holder) {
      worker_.counters().tally(Tally::affinity_moved_down);
      home_ = color_;
    }
    color_ = static_cast<routing::ColorIndex>(i);
    epoch_ = table.epoch;
    if (home_ == color_) home_ = routing::kNoColor;
    set_cookie_ = reason_ != routing::Reason::address;
    reason_ = routing::Reason::failover;
    return true;
  }
  return false;
}

bool Exchange::try_again(const base::Error& error) {
  Attempt attempt;
  attempt.error = error.code;
  attempt.bytes_written = backend_->bytes_written();
  attempt.answer_begun = backend_->answer_begun();
  attempt.retries_before = retries_;
  attempt.method = method_;
  attempt.body_kept = !attempt.bytes_written || framing_in_.body == http::BodyKind::none;
  attempt.allow_safe_methods = worker_.core().config.retry_safe_methods;
  if (!may_retry(attempt)) return false;
  avoid_ = backend_->backend();
  const bool here = other_backend_here();
  if (!here && !may_move()) return false;
  if (!worker_.retry_budget().take(worker_.loop().now())) {
    worker_.counters().tally(Tally::retries_refused);
    return false;
  }
  end_attempt();
  if (!here && !move_to_other_color()) return false;
  worker_.counters().tally(Tally::retries);
  ++retries_;
  body_sent_ = false;
  in_flight_ = InFlight(worker_.counters(), color_, Kind::queued);
  stage_ = Stage::queued;
  if (port_ == routing::Port::http) {
    enter_queue();
  } else if (const routing::Backend* backend = websocket_backend()) {
    start_attempt(*backend);
  } else {
    return false;
  }
  return true;
}

}  // namespace relay
