// One request and its answer: takes the body, chooses the color, waits for a slot, drives one
// attempt (or two), hands the answer on, and accounts exactly once on every path. Belongs to the
// worker, which recycles it; the client connection and the backend connection come and go.
//
//   receiving ─► (held) ─► queued ─► connecting ─► awaiting ─► answering ─► delivering ─► idle
//       │           │         │          │            │            │
//       └───────────┴─────────┴──────────┴── own answer (error) ───┴── cut ─► idle
//
// Deadlines: receiving body_idle and the minimum rate · held hold.timeout · queued queue.timeout ·
// connecting connect · awaiting the route's answer_timeout · answering answer_idle · delivering
// send_idle. After 101 the connections go to a Tunnel and the exchange ends.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "proxy/base/timer_wheel.h"
#include "proxy/http/framing.h"
#include "proxy/relay/backend_connection.h"
#include "proxy/relay/delivery.h"
#include "proxy/relay/request_facts.h"
#include "proxy/relay/rpc_outcome.h"
#include "proxy/relay/slot_pool.h"
#include "proxy/relay/worker_counters.h"
#include "proxy/routing/data_plane.h"

namespace relay {

class ClientConnection;

class Exchange final : private BackendConnection::User {
 public:
  enum class Stage : uint8_t {
    idle,
    receiving,
    held,
    queued,
    connecting,
    awaiting,
    answering,
    delivering,
  };

  explicit Exchange(Worker& worker);

  // --- the client's side ---
  // `head` is read during the call only. May end the exchange before it returns.
  void begin(ClientConnection& client, const http::RequestHead& head);
  // Body bytes; returns how many belonged to this request. May end the exchange.
  size_t take_body(std::string_view bytes);
  bool wants_body() const { return !body_in_.is_done(); }
  void on_client_flushed();
  // The client reset, or its input ended before the body was whole.
  void on_client_gone();

  // --- the worker's side ---
  void on_table(const routing::RoutingTable& table);  // a new one was applied
  void on_slot(const Slot& slot);                     // in turn
  void cut();                                         // `drain force`: ends now
  Stage stage() const { return stage_; }
  routing::ColorIndex color() const { return color_; }
  uint64_t ticket() const { return ticket_; }
  routing::InFlightEntry describe() const;

 private:
  // BackendConnection::User
  void on_backend_ready() override;
  void on_backend_interim(const http::ResponseHead& head) override;
  void on_backend_head(const http::ResponseHead& head) override;
  void on_backend_content(std::string_view content) override;
  void on_backend_read() override;
  void on_backend_done() override;
  void on_backend_upgraded(const http::ResponseHead& head, std::string_view early) override;
  void on_backend_flushed() override;
  void on_backend_failed(const base::Error& error) override;

  bool answer_ourselves(const http::RequestHead& head);  // health, OPTIONS, rules
  void read_head_facts(const http::RequestHead& head);
  bool take_route(const routing::Match& match);
  void body_complete();
  bool keep_body(std::string_view content);
  void choose();
  void send_elsewhere(routing::Choice& choice) const;
  void note_choice(const routing::Choice& choice);
  void choose_again();  // the color closed while this waited
  bool may_stay(const routing::ColorEntry& color) const;
  void hold();
  void enter_queue();
  void leave_queue();
  void start_attempt(const routing::Backend& backend);
  const routing::Backend* websocket_backend();
  void send_request();
  bool send_body();  // false: it failed, and this exchange has ended
  void await_answer();
  void end_attempt();  // gives back slot, guard, connection
  bool other_backend_here() const;
  bool may_move() const;
  bool move_to_other_color();
  bool try_again(const base::Error& error);
  bool may_mirror() const;
  bool may_look_elsewhere(const http::ResponseHead& head) const;
  void keep_first_answer(const http::ResponseHead& head, AnswerFacts& facts);
  void keep_first_content(std::string_view content);
  void look_elsewhere();
  bool is_found_elsewhere(const http::ResponseHead& head);
  void give_first_answer();
  bool is_second_look() const { return look_ == Look::second || look_ == Look::discarding; }
  void write_answer_head(const http::ResponseHead& head);
  void deliver_rest();
  void delimit_answer(const http::ResponseHead& head, AnswerFacts& facts);
  void write_own(int status, int retry_after_s, bool keep);
  void write_to_client(std::string_view bytes);
  std::string_view due_cookie(const http::ResponseHead& head);
  void observe_latency();
  void watch_flow();
  bool is_judged() const;
  void judge_attempt(bool failed);
  void judge_answer_head(const http::ResponseHead& head);
  void judge_new_cookie(uint64_t nonce);
  void fail(const base::Error& error);
  void account();
  void log_line();
  void end(bool keep_client);
  void on_deadline();
  bool rate_is_too_low() const;
  bool has_progressed();
  std::string_view path() const { return {forward_.data() + target_at_, path_bytes_}; }

  Worker& worker_;
  ClientConnection* client_ = nullptr;  // nullptr: gone
  Stage stage_ = Stage::idle;
  base::Timer deadline_;

  // What the head said.
  std::string forward_;  // the rewritten request head, but for its end
  std::string end_;      // its end for the current attempt, and chunk lines
  std::string request_id_;
  routing::RequestFacts facts_;
  base::Address client_address_;
  http::Method method_ = http::Method::get;
  size_t target_at_ = 0;  // of the target inside forward_
  size_t path_bytes_ = 0;
  int minor_ = 1;
  bool https_ = false;
  bool websocket_ = false;
  bool client_keep_alive_ = false;
  bool json_rpc_ = false;
  uint64_t user_ = 0;

  // The route, as far as it matters after the choice.
  routing::RouteIndex route_index_ = 0;
  routing::Port port_ = routing::Port::http;
  bool buffer_ = true;
  bool asset_ = false;
  bool routed_ = false;
  base::Millis answer_timeout_{0};

  // The request's body.
  http::Framing framing_in_;
  http::BodyReader body_in_;
  base::Spool body_;
  int64_t body_bytes_ = 0;
  bool body_sent_ = false;

  // The choice and the attempt.
  routing::ColorIndex color_ = routing::kNoColor;
  routing::Reason reason_ = routing::Reason::sequence;
  routing::ColorIndex home_ = routing::kNoColor;
  bool set_cookie_ = false;
  bool counted_hold_ = false;
  uint64_t epoch_ = 0;  // of the table that chose
  int retries_ = 0;
  int rechoices_ = 0;
  int avoid_ = -1;
  uint64_t ticket_ = 0;  // while queued
  bool has_slot_ = false;
  Slot slot_;
  InFlight in_flight_;
  std::unique_ptr<BackendConnection> backend_;

  // The answer.
  Delivery delivery_;
  http::BodyKind body_out_ = http::BodyKind::none;
  bool answer_begun_ = false;  // a final head went, or is about to go, to the client
  bool held_back_ = false;     // whole before the first byte
  bool keep_client_ = false;   // what the answer's head promised
  bool backend_paused_ = false;
  std::string answer_head_;
  RpcReader rpc_;  // only while the judge counts
  std::string cookie_;
  std::array<std::array<char, 20>, 8> chunk_lines_;  // valid until the delivery is flushed
  size_t chunk_count_ = 0;
  int status_ = 0;
  bool has_error_ = false;
  base::ErrorCode error_ = base::ErrorCode::internal;
  size_t waiting_before_ = 0;  // to see that a slow client still takes bytes

  // The second look for an asset.
  static constexpr size_t kFirstBodyMax = 64 << 10;
  enum class Look : uint8_t {
    none,
    keeping,     // the first answer comes, and is kept
    second,      // the other color is asked
    discarding,  // it has nothing better
    over,
  };
  Look look_ = Look::none;
  int first_status_ = 0;
  routing::ColorIndex first_color_ = routing::kNoColor;
  std::string first_head_;  // but for its end
  std::string first_body_;

  // Times.
  base::Instant begun_;
  base::Instant received_;
  base::Instant queued_;
  base::Instant granted_;
  base::Instant headed_;    // the answer's head came
  base::Instant answered_;  // its head, then its last byte
};

}  // namespace relay
