// The ends of an exchange: failures, deadlines, and the account.
#include <algorithm>

#include "proxy/relay/access_log.h"
#include "proxy/relay/client_connection.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/own_answers.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;
using http::BodyKind;
using routing::Kind;
using routing::Tally;

namespace {

constexpr int kRetryAfter_s = 5;

}  // namespace

// --- ends ------------------------------------------------------------------------------------

void Exchange::write_to_client(std::string_view bytes) {
  answer_begun_ = true;
  client_->stream().write(bytes);
}

void Exchange::fail(const base::Error& error) {
  if (is_second_look() && client_ != nullptr) {
    give_first_answer();
    return;
  }
  if (!has_error_) {
    has_error_ = true;
    error_ = error.code;
    worker_.counters().errors[static_cast<size_t>(error.code)].add(1);
  }
  // No slot in time: this color had none to give.
  const bool is_crowded =
      error.code == ErrorCode::queue_timeout || error.code == ErrorCode::queue_full;
  if (is_crowded) judge_attempt(true);
  leave_queue();
  const bool was_attempt = backend_ != nullptr;
  end_attempt();
  if (was_attempt && error.side != Side::client) {
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
  const bool may_pass = facts.status >= 502 && facts.status <= 504;
  write_own(facts.status, may_pass ? kRetryAfter_s : 0, keep);
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
  // A delivery needs no backend any more.
  if (stage_ == Stage::idle || stage_ == Stage::delivering || color_ == routing::kNoColor) return;
  fail({ErrorCode::shutting_down, Side::proxy, "cut by an operator"});
}

bool Exchange::has_progressed() {
  const size_t waiting = delivery_.waiting();
  return waiting < std::exchange(waiting_before_, waiting);
}

void Exchange::on_deadline() {
  const Timeouts& timeouts = worker_.core().config.timeouts;
  const bool is_drained_only = client_ == nullptr && stage_ != Stage::idle;
  if (is_drained_only) {
    end_attempt();
    end(false);
    return;
  }
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
      if (wants_body() && body_.is_empty()) {
        fail({ErrorCode::body_timeout, Side::client, "no body byte in time"});
      } else {
        on_backend_failed({ErrorCode::backend_timeout, Side::backend, "no answer in time"});
      }
      return;
    case Stage::answering:
      if (!backend_paused_) {
        on_backend_failed({ErrorCode::backend_timeout, Side::backend, "the answer stalled"});
        return;
      }
      [[fallthrough]];  // it waits for the client
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

// To the last byte; of a stream to its first.
void Exchange::observe_latency() {
  const bool to_head = !buffer_ && headed_ != base::Instant{};
  const int64_t us = base::us_between(received_, to_head ? headed_ : worker_.loop().fresh());
  worker_.counters().color(color_).routes[route_index_].latency.observe(std::max<int64_t>(us, 0));
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
  entry.receive_us = base::us_between(begun_, received_);
  if (attempted) {
    entry.queue_us = base::us_between(queued_, granted_);
    entry.backend_us = base::us_between(granted_, std::max(answered_, granted_));
    entry.deliver_us = base::us_between(std::max(answered_, granted_), now);
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
  rechoices_ = 0;
  avoid_ = -1;
  delivery_.drop();
  body_out_ = BodyKind::none;
  answer_begun_ = false;
  held_back_ = false;
  rpc_.stop();
  keep_client_ = false;
  backend_paused_ = false;
  chunk_count_ = 0;
  look_ = Look::none;
  status_ = 0;
  has_error_ = false;
  granted_ = headed_ = answered_ = {};
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
