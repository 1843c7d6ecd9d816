// One client's connection: reads heads, hands bodies to the exchange, one exchange at a time, keeps
// what was pipelined behind it, and closes so that a last answer arrives. Owned by its worker.
//
//   reading ─► busy ─► reading …        reading/busy ─► closing (last bytes, then FIN) ─► lingering
//
// Where a trusted balancer puts a PROXY header first (`proxy_protocol`), it is taken off before
// anything is read, and names the client from then on.
//
// Deadlines: reading first_byte (from the accept: a PROXY header and a handshake gain
// no time), head or keep_alive
// · busy the exchange's own · closing send_idle · lingering linger.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/base/timer_wheel.h"
#include "proxy/http/message.h"
#include "proxy/relay/forward_headers.h"
#include "proxy/relay/roster.h"

namespace relay {

class Exchange;
class Worker;

class ClientConnection final : public base::Disposable,
                               public Rostered,
                               private base::StreamHandler {
 public:
  ClientConnection(Worker& worker, std::unique_ptr<base::Stream> stream);

  // --- for the exchange ---
  base::Stream& stream() { return *stream_; }
  const ClientFacts& facts() const { return facts_; }
  // May this connection serve another request after the one in hand?
  bool may_keep() const;
  bool input_ended() const { return input_ended_; }
  void pause_body() { stream_->pause_reading(); }
  void resume_body() { stream_->resume_reading(); }
  // The exchange has ended and is not to be used any more. keep: go on with the next request.
  void on_exchange_done(bool keep);
  // The answer is broken: the client must see that (RST or a close without the end).
  void cut();
  // After 101. The connection is retired; `early` gets what came behind the request.
  std::unique_ptr<base::Stream> give_stream(std::string& early);

  // --- for the worker ---
  void leave();  // shutting down: an idle connection closes, a busy one after its answer
  bool is_idle() const { return exchange_ == nullptr && state_ == State::reading && in_.empty(); }

 private:
  enum class State : uint8_t { reading, busy, closing, lingering, gone };

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken(const base::Error& error) override;
  void on_flushed() override;

  void begin_tls();
  void trust_peer();  // after facts_.peer has become known
  void read_proxy_bytes(std::string_view bytes);
  void read(std::string_view bytes);
  size_t read_head(std::string_view bytes);
  void refuse(const base::Error& error);
  void keep_rest(std::string_view rest);
  // Reading, and no whole request is left behind an answer that is not out yet.
  bool is_waiting_for_nothing() const { return in_.empty() || stream_->pending() == 0; }
  void leave_exchange();  // this side is gone
  void begin_closing();
  void begin_lingering();
  void close();
  void on_deadline();
  void start_idle_deadline();
  void go_on();

  Worker& worker_;
  std::unique_ptr<base::Stream> stream_;
  Exchange* exchange_ = nullptr;
  ClientFacts facts_;
  std::string in_;        // bytes that wait: a part of a head, or pipelined requests
  size_t head_seen_ = 0;  // of in_, by the parser
  size_t unread_ = 0;     // behind the request in hand when it began
  base::Timer deadline_;
  base::Instant accepted_;
  int requests_ = 0;
  size_t lingered_ = 0;
  State state_ = State::reading;
  bool input_ended_ = false;
  bool reading_ = false;       // read() is on the stack: it goes on by itself
  bool paused_ = false;        // too much came ahead of its answers
  bool awaits_proxy_ = false;  // the connection begins with a PROXY header, not here yet
  bool head_begun_ = false;    // the head deadline runs
};

}  // namespace relay
