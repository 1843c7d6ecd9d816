#include "proxy/relay/exchange.h"

#include <algorithm>

#include "proxy/relay/client_connection.h"
#include "proxy/relay/own_answers.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;
using routing::Kind;
using routing::Tally;

namespace {
constexpr size_t kStreamedAhead = 64 << 10;  // of a streaming request, before its client pauses
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr int kRechoicesMax = 16;

// An id that may stand in a page, in JSON and in a log line as it is.
bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~:/+=@").find(c) != std::string_view::npos;
  });
}
}  // namespace

Exchange::Exchange(Worker& worker)
    : worker_(worker),
      deadline_(worker.loop().timers(), this, base::fires<&Exchange::on_deadline>),
      body_(worker.core().spool),
      delivery_(worker.core().spool) {}

// --- the request ---------------------------------------------------------------------------

void Exchange::begin(ClientConnection& client, const http::RequestHead& head) {
  client_ = &client;
  stage_ = Stage::receiving;
  begun_ = received_ = worker_.loop().now();
  worker_.retry_budget().count_request(begun_);
  delivery_.begin(client.stream(), true);
  framing_in_ = head.framing;
  body_in_ = http::BodyReader(head.framing, worker_.core().config.limits.body_bytes, Side::client);
  read_head_facts(head);
  if (answer_ourselves(head)) return;

  if (head.expects_continue && wants_body()) client.stream().write(kContinue);
  if (!wants_body()) {
    received_ = begun_;
    choose();
    return;
  }
  in_flight_ = InFlight(worker_.counters(), routing::kNoColor, Kind::receiving);
  deadline_.start(worker_.core().config.timeouts.body_idle);
  if (!buffer_) choose();
}

void Exchange::read_head_facts(const http::RequestHead& head) {
  method_ = head.method;
  minor_ = head.minor;
  websocket_ = head.websocket;
  // What a client sends behind an upgrade may be anything: without a 101 nobody reads it.
  client_keep_alive_ = head.keep_alive && head.minor == 1 && !head.websocket;
  json_rpc_ = speaks_json_rpc(head.path);
  request_id_.clear();
  const http::Field* id = head.find(http::FieldId::x_request_id);
  if (client_->facts().trusted && id != nullptr && is_plain_id(id->value)) {
    request_id_ = id->value;
  } else {
    worker_.write_request_id(request_id_);
  }
  forward_.clear();
  const int dropped = write_request_head(head, client_->facts(), request_id_,
                                         worker_.table().force, forward_);
  if (dropped > 0) worker_.counters().tally(Tally::underscored_fields_dropped, dropped);
  target_at_ = http::text_of(head.method).size() + 1;
  path_bytes_ = head.path.size();
}

// Health, loops and rules: what never reaches a backend. True: the exchange has ended.
bool Exchange::answer_ourselves(const http::RequestHead& head) {
  const bool reads = method_ == http::Method::get || method_ == http::Method::head;
  const bool keep = client_keep_alive_ && !wants_body() && client_->may_keep();
  std::string& out = worker_.scratch();
  if (reads && head.path == kHealthPath) {
    const bool serving = !worker_.core().lame_duck.load(std::memory_order_relaxed);
    out.clear();
    write_health_answer(serving, worker_.date(), method_ == http::Method::head, !keep, out);
    status_ = serving ? 200 : 503;
    worker_.counters().tally(Tally::own_answers);
    write_to_client(out);
    end(keep);
    return true;
  }
  if (has_looped(head, worker_.core().instance)) {
    fail({ErrorCode::loop_detected, Side::client, "our own name stands in Via"});
    return true;
  }
  if (max_forwards(head) == 0) {
    out.clear();
    write_options_answer(request_id_, worker_.date(), !keep, out);
    status_ = 200;
    worker_.counters().tally(Tally::own_answers);
    write_to_client(out);
    end(keep);
    return true;
  }
  const base::WallTime now = worker_.loop().wall();
  const auto now_s = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const RequestReading reading = read_request(head, client_->facts(), worker_.table(),
                                              worker_.signer(), now_s, worker_.scratch());
  facts_ = reading.facts;
  client_address_ = reading.client;
  https_ = reading.https;
  user_ = reading.user;
  if (reading.force_rejected) worker_.counters().tally(Tally::forces_rejected);
  if (reading.cookie_rejected) worker_.counters().tally(Tally::cookies_rejected);
  return !take_route(reading.match);
}

// False: an access rule or no route, and the exchange has ended.
bool Exchange::take_route(const routing::Match& match) {
  if (match.result == routing::Match::Result::ambiguous) {
    fail({ErrorCode::bad_message, Side::client, "an encoded slash under an access rule"});
    return false;
  }
  if (match.route == nullptr) {
    fail({ErrorCode::not_found, Side::client, "no route"});
    return false;
  }
  const routing::Route& route = *match.route;
  routed_ = true;
  route_index_ = route.index;
  port_ = route.port;
  buffer_ = route.buffer && !websocket_;
  delivery_.begin(client_->stream(), buffer_);
  asset_ = route.asset_fallback;
  answer_timeout_ = route.answer_timeout;
  if (!routing::is_allowed(route, client_address_)) {
    fail({ErrorCode::denied, Side::client, "denied by the route"});
    return false;
  }
  return true;
}

size_t Exchange::take_body(std::string_view bytes) {
  size_t used = 0;
  while (!body_in_.is_done() && used < bytes.size()) {
    const base::Result<http::BodyReader::Step> step = body_in_.read(bytes.substr(used));
    if (!step) {
      fail(step.error());
      return used;
    }
    if (step->used == 0) break;
    used += step->used;
    if (!step->content.empty() && !keep_body(step->content)) return used;
  }
  if (body_in_.is_done()) {
    body_complete();
    return used;
  }
  if (stage_ == Stage::receiving) {
    if (rate_is_too_low()) {
      fail({ErrorCode::body_timeout, Side::client, "body below the minimum rate"});
      return used;
    }
    deadline_.start(worker_.core().config.timeouts.body_idle);
  } else if (stage_ == Stage::awaiting || stage_ == Stage::answering) {
    if (!send_body()) return used;
    if (stage_ == Stage::awaiting) await_answer();
  }
  if (!buffer_ && body_.size() > kStreamedAhead) client_->pause_body();
  return used;
}

bool Exchange::keep_body(std::string_view content) {
  body_bytes_ += static_cast<int64_t>(content.size());
  const base::Result<> kept = body_.append(content);
  if (kept) return true;
  const bool full = kept.error().code == ErrorCode::spool_full;
  if (full) worker_.counters().tally(Tally::spool_full);
  fail({ErrorCode::spool_full, Side::proxy, kept.error().detail});
  return false;
}

bool Exchange::rate_is_too_low() const {
  const RelayConfig& config = worker_.core().config;
  const auto elapsed = worker_.loop().now() - begun_;
  if (elapsed < config.timeouts.body_grace) return false;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  return body_bytes_ < seconds * config.body_rate_min;
}

void Exchange::body_complete() {
  received_ = worker_.loop().now();
  worker_.counters().receiving.observe(base::us_between(begun_, received_));
  if (stage_ == Stage::receiving) {
    choose();
  } else if (stage_ == Stage::awaiting) {
    await_answer();
    send_body();
  } else if (stage_ == Stage::answering) {
    send_body();
  }
}

// --- the choice ------------------------------------------------------------------------------

void Exchange::choose() {
  const routing::RoutingTable& table = worker_.table();
  if (facts_.route == nullptr) {  // the table lost it while this was on its way
    fail({ErrorCode::not_found, Side::client, "no route"});
    return;
  }
  if (table.held) {
    hold();
    return;
  }
  routing::Choice choice = routing::choose(facts_, table, worker_.next_draw());
  if (websocket_) send_elsewhere(choice);
  if (choice.color == routing::kNoColor) {
    hold();
    return;
  }
  if (counted_hold_) {
    worker_.core().held.fetch_sub(1);
    counted_hold_ = false;
    worker_.counters().held.observe(base::us_between(queued_, worker_.loop().now()));
  }
  note_choice(choice);
  in_flight_ = InFlight(worker_.counters(), color_, Kind::queued);
  stage_ = Stage::queued;
  queued_ = worker_.loop().now();
  if (port_ == routing::Port::http) {
    enter_queue();
    return;
  }
  const routing::Backend* backend = websocket_backend();
  if (backend == nullptr) {
    fail({ErrorCode::no_backend, Side::proxy, "the color has no websocket address"});
    return;
  }
  granted_ = queued_;
  start_attempt(*backend);
}

// A color whose websockets are told to go counts as closed for new ones, where another is open.
void Exchange::send_elsewhere(routing::Choice& choice) const {
  if (choice.color == routing::kNoColor || !worker_.sends_websockets_away(choice.color)) return;
  const bool bound =
      choice.reason == routing::Reason::forced || choice.reason == routing::Reason::pinned;
  const std::vector<routing::ColorEntry>& colors = worker_.table().colors;
  for (size_t i = 0; i < colors.size() && !bound; ++i) {
    const auto other = static_cast<routing::ColorIndex>(i);
    if (other == choice.color || !colors[i].takes_new() || worker_.sends_websockets_away(other)) {
      continue;
    }
    choice.color = other;
    choice.reason = routing::Reason::failover;
    choice.set_cookie = false;
    return;
  }
}

void Exchange::note_choice(const routing::Choice& choice) {
  WorkerCounters& counters = worker_.counters();
  color_ = choice.color;
  epoch_ = worker_.table().epoch;
  reason_ = choice.reason;
  home_ = choice.home;
  set_cookie_ = choice.set_cookie;
  if (choice.fallback) counters.tally(Tally::fallbacks);
  if (choice.void_cookie) counters.tally(Tally::cookies_void);
  if (choice.void_cookie && facts_.cookie && facts_.cookie->color != color_) {
    counters.tally(Tally::affinity_moved_redrawn);
  }
  if (choice.reason == routing::Reason::forced) counters.tally(Tally::forced);
  const bool moved =
      choice.reason == routing::Reason::failover && facts_.cookie && facts_.cookie->color != color_;
  if (moved) counters.tally(Tally::affinity_moved_down);
}

void Exchange::hold() {
  if (counted_hold_) return;  // goes on waiting, with the same deadline
  const routing::RoutingTable& table = worker_.table();
  std::atomic<int>& held = worker_.core().held;
  if (held.fetch_add(1) >= table.hold_max) {
    held.fetch_sub(1);
    worker_.counters().tally(Tally::hold_full);
    fail({ErrorCode::hold_full, Side::proxy, "no color may serve, and no more may wait"});
    return;
  }
  counted_hold_ = true;
  worker_.counters().tally(Tally::holds);
  stage_ = Stage::held;
  color_ = routing::kNoColor;
  queued_ = worker_.loop().now();
  in_flight_ = InFlight(worker_.counters(), routing::kNoColor, Kind::held);
  deadline_.start(table.hold_timeout);
}

void Exchange::enter_queue() {
  SlotPool& pool = *worker_.core().slots[color_];
  ticket_ = worker_.new_ticket();
  Slot slot;
  switch (pool.take({worker_.id(), ticket_, user_, !buffer_, avoid_}, slot)) {
    case SlotPool::Taken::granted:
      ticket_ = 0;
      on_slot(slot);
      return;
    case SlotPool::Taken::waiting:
      worker_.wait_in_line(*this);
      deadline_.start(worker_.core().config.queue_timeout);
      return;
    case SlotPool::Taken::full:
      ticket_ = 0;
      worker_.counters().tally(Tally::queue_full);
      fail({ErrorCode::queue_full, Side::proxy, "too many wait for a slot"});
      return;
  }
}

// Out of the line. A grant that is on its way finds no ticket and goes back.
void Exchange::leave_queue() {
  if (ticket_ != 0) {
    worker_.leave_line(ticket_);
    worker_.core().slots[color_]->cancel(worker_.id(), ticket_);
    ticket_ = 0;
  }
  if (counted_hold_) {
    counted_hold_ = false;
    worker_.core().held.fetch_sub(1);
  }
}

void Exchange::on_slot(const Slot& slot) {
  ticket_ = 0;
  has_slot_ = true;
  slot_ = slot;
  const routing::ColorEntry& color = worker_.table().colors[color_];
  const auto backend = std::find_if(color.http.begin(), color.http.end(), [&](const auto& one) {
    return one.id == slot.backend && one.usable;
  });
  if (!may_stay(color) || backend == color.http.end()) {
    choose_again();
    return;
  }
  granted_ = worker_.loop().now();
  worker_.counters().color(color_).queue.observe(base::us_between(queued_, granted_));
  start_attempt(*backend);
}

void Exchange::choose_again() {
  if (is_second_look()) {
    give_first_answer();
    return;
  }
  leave_queue();
  end_attempt();
  avoid_ = -1;
  if (++rechoices_ > kRechoicesMax) {
    fail({ErrorCode::no_backend, Side::proxy, "chosen again too often"});
    return;
  }
  choose();
}

// May this go to the color that it was chosen for? A draining color serves only who belongs there.
bool Exchange::may_stay(const routing::ColorEntry& color) const {
  switch (reason_) {
    case routing::Reason::forced:
    case routing::Reason::pinned:
    case routing::Reason::cookie:
    case routing::Reason::home:
      return color.serves_holders();
    default:
      return color.takes_new();
  }
}

void Exchange::on_table(const routing::RoutingTable& table) {
  if (stage_ == Stage::idle || !routed_) return;
  facts_.route = nullptr;  // belonged to the table before
  if (stage_ == Stage::answering || stage_ == Stage::delivering) return;
  const routing::Match match = routing::match_route(table, path(), worker_.scratch());
  if (match.result == routing::Match::Result::route) facts_.route = match.route;
  if (stage_ == Stage::connecting || stage_ == Stage::awaiting) return;
  if (facts_.route == nullptr) {
    fail({ErrorCode::not_found, Side::client, "no route"});
    return;
  }
  if (!routing::is_allowed(*facts_.route, client_address_)) {
    fail({ErrorCode::denied, Side::client, "denied by the route"});
    return;
  }
  route_index_ = facts_.route->index;
  if (stage_ == Stage::held) {
    choose();
  } else if (stage_ == Stage::queued && !may_stay(table.colors[color_])) {
    choose_again();
  }
}

}  // namespace relay
