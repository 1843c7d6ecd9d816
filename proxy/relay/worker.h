// One worker: a loop, a listening socket, its client connections and exchanges, its gates and its
// plain pointer to the routing table. Everything here runs on the worker's thread; other threads
// only post closures to its mailbox and read its counters.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/mailbox.h"
#include "proxy/http/parser.h"
#include "proxy/http/writer.h"
#include "proxy/relay/backend_gates.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/relay_core.h"
#include "proxy/relay/retry.h"
#include "proxy/relay/roster.h"
#include "proxy/relay/session_sample.h"
#include "proxy/relay/worker_counters.h"
#include "proxy/routing/affinity.h"
#include "proxy/routing/data_plane.h"
#include "proxy/routing/pick.h"

namespace relay {

class Mirror;
class Tunnel;

class Worker final : private base::AcceptHandler {
 public:
  Worker(uint32_t id, base::Loop& loop, RelayCore& core);
  ~Worker();

  // Needs: a table was applied.
  base::Result<base::Address> listen(const base::Address& at);
  // Serves a socket that listens already, beside others.
  void serve(std::unique_ptr<base::Listener> listener) {
    listeners_.push_back(std::move(listener));
  }
  base::AcceptHandler& acceptor() { return *this; }
  const std::vector<std::unique_ptr<base::Listener>>& listeners() const { return listeners_; }
  void apply(std::shared_ptr<const routing::RoutingTable> table);
  // A grant that came by mailbox; goes back when nobody waits under the ticket any more.
  void on_slot(routing::ColorIndex color, uint64_t ticket, const Slot& slot);
  void list(routing::ColorIndex color, size_t most, std::vector<routing::InFlightEntry>& out) const;
  void close_idle(routing::ColorIndex color) { gates_.close_idle(color); }
  void close_websockets(routing::ColorIndex color, base::Millis over);
  void cut(routing::ColorIndex color);
  // Lets everything end: answers say Connection: close, idle clients close, and after a moment in
  // which everybody who already knocked is let in, nobody else is. Then `empty` is called, once.
  void leave(std::function<void()> empty = {});
  // Another process serves our sockets now: nobody is accepted here any more, answers say
  // Connection: close. Idle clients may stay for `idle`, websockets for `grace`. Then `empty`,
  // once.
  void hand_over(base::Millis idle, base::Millis grace, std::function<void()> empty);
  bool is_leaving() const { return leaving_; }
  // The step changed: accepts no more, or accepts again.
  void on_overload();
  bool is_empty() const {
    return listeners_.empty() && connections_.is_empty() && tunnels_.is_empty() &&
           free_.size() == exchanges_.size();
  }

  // --- for connections and exchanges of this worker ---
  uint32_t id() const { return id_; }
  base::Loop& loop() { return loop_; }
  RelayCore& core() { return core_; }
  const routing::RoutingTable& table() const { return *table_; }
  WorkerCounters& counters() { return counters_; }
  const WorkerCounters& counters() const { return counters_; }
  SessionSample& sample() { return sample_; }
  const SessionSample& sample() const { return sample_; }
  BackendGates& gates() { return gates_; }
  http::HeadParser& parser() { return parser_; }
  http::RequestHead& request_head() { return request_head_; }
  http::ResponseHead& response_head() { return response_head_; }
  routing::AffinitySigner& signer() { return *signer_; }
  uint32_t next_draw() { return sequence_.next(); }
  uint64_t new_nonce();
  RetryBudget& retry_budget() { return retry_budget_; }
  std::string& scratch() { return scratch_; }
  std::string_view date() { return date_.at(loop_.wall()); }
  base::LogLine& log_line() { return log_line_; }
  void write_request_id(std::string& out);

  Exchange& take_exchange();
  void recycle(Exchange& exchange);  // its last act
  uint64_t new_ticket() { return next_ticket_++; }
  void wait_in_line(Exchange& exchange);
  bool has_other_color(routing::ColorIndex color) const;  // one that takes new users
  // Are websockets of this color told to go? New ones should not be sent there.
  bool sends_websockets_away(routing::ColorIndex color) const;
  void leave_line(uint64_t ticket) { waiting_.erase(ticket); }
  void retire(ClientConnection& connection);
  void adopt(std::unique_ptr<Tunnel> tunnel);
  void retire(Tunnel& tunnel);
  // Sends a copy of a request elsewhere, where the table's rule and a spare slot allow it.
  void mirror(routing::ColorIndex served_by, http::Method method, std::string_view head);
  void retire(Mirror& mirror);

 private:
  static constexpr base::Millis kGoodbyesOver{1'000};  // of all websockets, when all must go

  void on_accepted(std::unique_ptr<base::Stream> stream) override;
  void on_leave_look();
  void let_idle_go();
  void let_websockets_go();

  const uint32_t id_;
  base::Loop& loop_;
  RelayCore& core_;
  std::shared_ptr<const routing::RoutingTable> table_owner_;
  const routing::RoutingTable* table_ = nullptr;
  WorkerCounters counters_;
  SessionSample sample_;
  http::HeadParser parser_;
  http::RequestHead request_head_;  // of the message being read now
  http::ResponseHead response_head_;
  std::unique_ptr<routing::AffinitySigner> signer_;
  std::vector<base::Key> signer_keys_;  // what signer_ was made of
  routing::Sequence sequence_;
  RetryBudget retry_budget_;
  std::string scratch_;
  http::DateText date_;
  base::LogLine log_line_;
  std::array<uint64_t, 2> random_{};  // state of the generator of nonces and request ids
  uint64_t next_ticket_ = 1;
  bool leaving_ = false;
  base::Timer leave_look_;
  base::Timer idle_end_;  // after hand_over
  base::Timer websockets_end_;
  base::Millis goodbyes_over_ = kGoodbyesOver;
  std::function<void()> when_empty_;
  std::array<bool, routing::kColorsMax> websockets_go_{};  // since close_websockets

  std::vector<std::unique_ptr<base::Listener>> listeners_;
  Roster<ClientConnection> connections_;
  Roster<Tunnel> tunnels_;
  Roster<Mirror> mirrors_;
  std::vector<std::unique_ptr<Exchange>> exchanges_;  // all, live or not
  std::vector<Exchange*> free_;
  std::unordered_map<uint64_t, Exchange*> waiting_;  // for a slot, by ticket
  BackendGates gates_;
};

}  // namespace relay
