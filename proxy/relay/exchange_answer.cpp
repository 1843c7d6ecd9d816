// The answer half of an exchange: head and body on their way to the client, failures, and the
// account at the end.
#include <algorithm>

#include "proxy/base/check.h"
#include "proxy/relay/access_log.h"
#include "proxy/relay/client_connection.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/own_answers.h"
#include "proxy/relay/tunnel.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;
using http::BodyKind;
using routing::Kind;
using routing::Tally;

namespace {

int64_t us_between(base::Instant from, base::Instant to) {
  return std::chrono::duration_cast<base::Micros>(to - from).count();
}

}  // namespace

// --- from the backend ------------------------------------------------------------------------

void Exchange::on_backend_interim(const http::ResponseHead& head) {
  // 100 was ours to say; none to HTTP/1.0 clients (RFC 9110 15.2).
  if (head.status == 100 || minor_ == 0 || client_ == nullptr) return;
  std::string& out = worker_.scratch();
  out.clear();
  write_interim_head(head, out);
  client_->stream().write(out);
}

void Exchange::on_backend_head(const http::ResponseHead& head) {
  stage_ = Stage::answering;
  if (client_ != nullptr) status_ = head.status;
  answered_ = worker_.loop().now();
  deadline_.start(worker_.core().config.timeouts.answer_idle);
  if (client_ != nullptr) write_answer_head(head);
}

void Exchange::write_answer_head(const http::ResponseHead& head) {
  AnswerFacts facts;
  facts.request_id = request_id_;
  facts.date = worker_.date();
  facts.set_cookie = due_cookie(head);
  keep_client_ = client_keep_alive_ && !wants_body() && client_->may_keep();
  delimit_answer(head, facts);
  answer_head_.clear();
  write_answer_fields(head, facts, answer_head_);
  if (held_back_) return;
  answer_begun_ = true;
  write_answer_end(body_out_, head.framing.length, !keep_client_, answer_head_);
  delivery_.add(answer_head_);
}

// How the client learns where the body ends. The backend's own framing is never passed on.
void Exchange::delimit_answer(const http::ResponseHead& head, AnswerFacts& facts) {
  held_back_ = false;
  switch (head.framing.body) {
    case BodyKind::none:
      facts.keep_length_field = method_ == http::Method::head || head.status == 304;
      // 205 alone has no content and yet needs a framing that says so (RFC 9110 15.3.6).
      body_out_ =
          head.status == 205 && !facts.keep_length_field ? BodyKind::length : BodyKind::none;
      return;
    case BodyKind::length:
      body_out_ = BodyKind::length;
      return;
    case BodyKind::chunked:
    case BodyKind::until_close:
      if (minor_ == 1) {
        body_out_ = BodyKind::chunked;
      } else if (buffer_) {
        body_out_ = BodyKind::length;  // an HTTP/1.0 client could not see a truncation
        held_back_ = true;
      } else {
        body_out_ = BodyKind::until_close;
        keep_client_ = false;
      }
      return;
  }
}

std::string_view Exchange::due_cookie(const http::ResponseHead& head) {
  if (!set_cookie_ || asset_ || !may_carry_cookie(head)) return {};
  routing::Affinity affinity;
  affinity.color = color_;
  affinity.nonce = facts_.cookie ? facts_.cookie->nonce : worker_.new_nonce();
  affinity.issued = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(worker_.loop().wall().time_since_epoch())
          .count());
  affinity.epoch = worker_.table().epoch;
  affinity.home = home_;
  std::string& text = worker_.scratch();
  worker_.signer().write(affinity, worker_.table(), text);
  routing::write_set_cookie(worker_.table().cookie_name, text, https_, cookie_);
  worker_.counters().tally(Tally::cookies_issued);
  return cookie_;
}

void Exchange::on_backend_content(std::string_view content) {
  if (client_ == nullptr) return;  // drained and dropped
  if (held_back_) {
    const base::Result<> kept = delivery_.hold_back(content);
    if (!kept) fail({ErrorCode::spool_full, Side::proxy, kept.error().detail});
    return;
  }
  if (body_out_ != BodyKind::chunked) {
    delivery_.add(content);
    return;
  }
  if (chunk_count_ == chunk_lines_.size()) {
    delivery_.flush();
    chunk_count_ = 0;
  }
  std::string& line = worker_.scratch();
  line.clear();
  http::write_chunk_line(content.size(), line);
  std::array<char, 20>& kept = chunk_lines_[chunk_count_++];
  CHECK(line.size() <= kept.size());
  std::copy(line.begin(), line.end(), kept.begin());
  delivery_.add({kept.data(), line.size()});
  delivery_.add(content);
  delivery_.add(http::kChunkEnd);
}

void Exchange::on_backend_read() {
  delivery_.flush();
  chunk_count_ = 0;
  if (stage_ == Stage::answering) deadline_.start(worker_.core().config.timeouts.answer_idle);
  watch_flow();
}

// Slows the backend down where the answer may not be spooled, or no further.
void Exchange::watch_flow() {
  if (!delivery_.fault()) {
    fail({ErrorCode::spool_full, Side::proxy, delivery_.fault().error().detail});
    return;
  }
  if (backend_ == nullptr || backend_paused_) return;
  if (!delivery_.must_pause(worker_.core().config.answer_spool_max)) return;
  backend_paused_ = true;
  waiting_before_ = delivery_.waiting();
  backend_->pause_reading();
  deadline_.start(worker_.core().config.timeouts.send_idle);
}

void Exchange::on_backend_done() {
  if (held_back_ && client_ != nullptr) {
    answer_begun_ = true;
    write_answer_end(BodyKind::length, delivery_.held_back(), !keep_client_, answer_head_);
    client_->stream().write(answer_head_);
    delivery_.pump();
  } else {
    if (body_out_ == BodyKind::chunked) delivery_.add(http::kLastChunk);
    delivery_.flush();
    chunk_count_ = 0;
  }
  if (!delivery_.fault()) {
    fail({ErrorCode::spool_full, Side::proxy, delivery_.fault().error().detail});
    return;
  }
  answered_ = worker_.loop().now();
  worker_.counters().backends[backend_->backend()].finished.add(1);
  observe_latency();
  end_attempt();
  if (client_ == nullptr) {
    end(false);
  } else if (delivery_.is_drained()) {
    // Whole in the kernel's hands; a client that had left meanwhile shows it now.
    if (client_->input_ended() && client_->stream().peer_has_reset()) {
      status_ = 499;
      error_ = ErrorCode::client_gone;
      has_error_ = true;
    }
    end(keep_client_ && !wants_body());
  } else {
    stage_ = Stage::delivering;
    in_flight_ = InFlight(worker_.counters(), routing::kNoColor, Kind::delivering);
    waiting_before_ = delivery_.waiting();
    deadline_.start(worker_.core().config.timeouts.send_idle);
  }
}

void Exchange::on_backend_upgraded(const http::ResponseHead& head, std::string_view early) {
  if (client_ == nullptr) {
    fail({ErrorCode::client_gone, Side::client, "left before the upgrade"});
    return;
  }
  status_ = 101;
  answered_ = worker_.loop().now();
  AnswerFacts facts;
  facts.request_id = request_id_;
  facts.date = worker_.date();
  facts.websocket = true;
  answer_head_.clear();
  write_answer_fields(head, facts, answer_head_);
  write_answer_end(BodyKind::none, 0, false, answer_head_);
  answer_begun_ = true;
  const std::array<std::string_view, 2> pieces = {answer_head_, early};
  client_->stream().write(pieces);
  observe_latency();

  TunnelFacts tunnel;
  tunnel.color = color_;
  tunnel.backend = backend_->backend();
  tunnel.route = route_index_;
  tunnel.client = client_address_;
  tunnel.request_id = request_id_;
  tunnel.in_flight = std::move(in_flight_);
  tunnel.backend_early = early;
  std::unique_ptr<base::Stream> client_stream = client_->give_stream(tunnel.client_early);
  client_ = nullptr;
  delivery_.drop();
  std::unique_ptr<base::Stream> backend_stream = backend_->take_stream();
  backend_->release();
  worker_.loop().dispose(std::move(backend_));
  tunnel.has_slot = std::exchange(has_slot_, false);
  tunnel.slot = slot_;
  Worker& worker = worker_;
  end(false);
  worker.adopt(std::make_unique<Tunnel>(worker, std::move(tunnel), std::move(client_stream),
                                        std::move(backend_stream)));
}

// --- from the client -------------------------------------------------------------------------

void Exchange::on_client_flushed() {
  delivery_.pump();
  if (backend_paused_ && backend_ != nullptr &&
      !delivery_.must_pause(worker_.core().config.answer_spool_max / 2)) {
    backend_paused_ = false;
    backend_->resume_reading();
    deadline_.start(worker_.core().config.timeouts.answer_idle);
  }
  if (!delivery_.fault()) {
    fail({ErrorCode::spool_full, Side::proxy, delivery_.fault().error().detail});
    return;
  }
  if (stage_ != Stage::delivering) return;
  if (delivery_.is_drained()) {
    worker_.counters().delivering.observe(us_between(answered_, worker_.loop().now()));
    end(keep_client_ && !wants_body());
  } else {
    waiting_before_ = delivery_.waiting();
    deadline_.start(worker_.core().config.timeouts.send_idle);
  }
}

void Exchange::on_client_gone() {
  client_ = nullptr;
  delivery_.drop();
  status_ = 499;
  has_error_ = true;
  error_ = ErrorCode::client_gone;
  worker_.counters().errors[static_cast<size_t>(error_)].add(1);
  if (ticket_ != 0) worker_.counters().tally(Tally::queue_cancelled);
  leave_queue();
  const bool sent = stage_ == Stage::awaiting || stage_ == Stage::answering;
  if (sent && buffer_ && body_in_.is_done()) {
    // The backend works on it and cannot be told: its answer is drained, and its slot stays taken.
    if (std::exchange(backend_paused_, false)) backend_->resume_reading();
    return;
  }
  end_attempt();
  end(false);
}

// --- ends ------------------------------------------------------------------------------------

void Exchange::write_to_client(std::string_view bytes) {
  answer_begun_ = true;
  client_->stream().write(bytes);
}

void Exchange::fail(const base::Error& error) {
  if (!has_error_) {
    has_error_ = true;
    error_ = error.code;
    worker_.counters().errors[static_cast<size_t>(error.code)].add(1);
  }
  leave_queue();
  const bool was_attempt = backend_ != nullptr;
  end_attempt();
  if (was_attempt) {
    answered_ = worker_.loop().now();
    observe_latency();
  }
  if (client_ == nullptr) {
    end(false);
    return;
  }
  const base::ErrorFacts& facts = base::facts_of(error_);
  // A head that waits for the end of this read has not gone out.
  if (answer_begun_ && !held_back_ && delivery_.take_back()) answer_begun_ = false;
  if (answer_begun_ || facts.status == 0) {
    // Part of the answer is out: the only honest signal left is a broken connection.
    ClientConnection* client = std::exchange(client_, nullptr);
    delivery_.drop();
    client->cut();
    end(false);
    return;
  }
  const bool keep =
      error.side != Side::client && client_keep_alive_ && !wants_body() && client_->may_keep();
  write_own(facts.status, facts.status == 503 ? 5 : 0, keep);
  end(keep);
}

void Exchange::write_own(int status, int retry_after_s, bool keep) {
  status_ = status;
  OwnAnswer answer;
  answer.status = status;
  answer.request_id = request_id_;
  answer.date = worker_.date();
  answer.json_rpc = json_rpc_;
  answer.head_only = method_ == http::Method::head;
  answer.close = !keep;
  answer.retry_after_s = retry_after_s;
  worker_.counters().tally(Tally::own_answers);
  std::string& out = worker_.scratch();
  out.clear();
  write_own_answer(answer, out);
  write_to_client(out);
}

void Exchange::cut() {
  if (stage_ == Stage::idle || color_ == routing::kNoColor) return;
  fail({ErrorCode::shutting_down, Side::proxy, "cut by an operator"});
}

bool Exchange::has_progressed() {
  const size_t waiting = delivery_.waiting();
  return waiting < std::exchange(waiting_before_, waiting);
}

void Exchange::on_deadline() {
  const Timeouts& timeouts = worker_.core().config.timeouts;
  switch (stage_) {
    case Stage::idle:
      return;
    case Stage::receiving:
      fail({ErrorCode::body_timeout, Side::client, "no body byte in time"});
      return;
    case Stage::held:
      worker_.counters().tally(Tally::hold_timeouts);
      fail({ErrorCode::hold_timeout, Side::proxy, "no color may serve"});
      return;
    case Stage::queued:
      worker_.counters().tally(Tally::queue_timeouts);
      fail({ErrorCode::queue_timeout, Side::proxy, "no slot in time"});
      return;
    case Stage::connecting:
      on_backend_failed({ErrorCode::connect_timeout, Side::backend, "connect"});
      return;
    case Stage::awaiting:
      fail({ErrorCode::backend_timeout, Side::backend, "no answer in time"});
      return;
    case Stage::answering:
      if (backend_paused_ && has_progressed()) {
        deadline_.start(timeouts.send_idle);
      } else {
        fail({ErrorCode::backend_timeout, Side::backend, "the answer stalled"});
      }
      return;
    case Stage::delivering:
      if (has_progressed()) {
        deadline_.start(timeouts.send_idle);
      } else {
        fail({ErrorCode::client_gone, Side::client, "takes nothing of its answer"});
      }
      return;
  }
}

// --- the account -----------------------------------------------------------------------------

void Exchange::observe_latency() {
  worker_.counters().color(color_).routes[route_index_].latency.observe(
      us_between(received_, buffer_ ? worker_.loop().fresh() : answered_));
}

void Exchange::account() {
  const routing::RouteIndex route = routed_ ? route_index_ : routing::kRoutesMax - 1;
  worker_.counters()
      .color(color_)
      .routes[route]
      .requests[static_cast<size_t>(routing::code_slot(status_))]
      .add(1);
  if (delivery_.bytes_spooled() > 0) {
    worker_.counters().tally(Tally::spooled_bytes, delivery_.bytes_spooled());
  }
}

void Exchange::log_line() {
  base::Log* log = worker_.core().access_log;
  if (log == nullptr) return;
  const routing::RoutingTable& table = worker_.table();
  const base::Instant now = worker_.loop().now();
  const bool attempted = granted_ >= begun_ && color_ != routing::kNoColor;
  AccessEntry entry;
  const std::string time = base::timestamp();
  entry.time = time;
  entry.request_id = request_id_;
  entry.client = client_address_;
  entry.method = http::text_of(method_);
  entry.path = path();
  entry.route = routed_ && route_index_ < table.routes.size() ? table.routes[route_index_].name
                                                              : std::string_view("none");
  entry.color = color_ < table.colors.size() ? std::string_view(table.colors[color_].name)
                                             : std::string_view("none");
  if (color_ != routing::kNoColor) entry.reason = routing::text_of(reason_);
  entry.status = status_;
  if (has_error_) entry.error = base::facts_of(error_).label;
  entry.body_in = body_bytes_;
  entry.bytes_out = delivery_.bytes_given();
  entry.receive_us = us_between(begun_, received_);
  if (attempted) {
    entry.queue_us = us_between(queued_, granted_);
    entry.backend_us = us_between(granted_, std::max(answered_, granted_));
    entry.deliver_us = us_between(std::max(answered_, granted_), now);
  }
  entry.retries = retries_;
  write_access_line(entry, worker_.log_line());
  log->write(worker_.log_line().text());
}

// The last act of every exchange. Nothing of this object may be touched afterwards.
void Exchange::end(bool keep_client) {
  account();
  log_line();
  deadline_.stop();
  in_flight_.end();
  ClientConnection* client = std::exchange(client_, nullptr);
  stage_ = Stage::idle;
  facts_ = {};
  client_address_ = {};
  user_ = 0;
  routed_ = false;
  route_index_ = 0;
  buffer_ = true;
  asset_ = false;
  websocket_ = false;
  body_in_ = {};
  body_.clear();
  body_bytes_ = 0;
  body_sent_ = false;
  color_ = routing::kNoColor;
  home_ = routing::kNoColor;
  set_cookie_ = false;
  retries_ = 0;
  avoid_ = -1;
  delivery_.drop();
  body_out_ = BodyKind::none;
  answer_begun_ = false;
  held_back_ = false;
  keep_client_ = false;
  backend_paused_ = false;
  chunk_count_ = 0;
  status_ = 0;
  has_error_ = false;
  granted_ = answered_ = {};
  worker_.recycle(*this);
  if (client != nullptr) client->on_exchange_done(keep_client);
}

routing::InFlightEntry Exchange::describe() const {
  routing::InFlightEntry entry;
  entry.color = color_;
  entry.route = route_index_;
  entry.age = std::chrono::duration_cast<base::Millis>(worker_.loop().now() - begun_);
  entry.peer = client_address_.host();
  entry.request_id = request_id_;
  switch (stage_) {
    case Stage::receiving:
      entry.kind = Kind::receiving;
      break;
    case Stage::held:
      entry.kind = Kind::held;
      break;
    case Stage::queued:
      entry.kind = Kind::queued;
      break;
    case Stage::delivering:
      entry.kind = Kind::delivering;
      break;
    default:
      entry.kind = websocket_ ? Kind::websocket : (buffer_ ? Kind::http : Kind::longpoll);
  }
  return entry;
}

}  // namespace relay
