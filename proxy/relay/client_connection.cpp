#include "proxy/relay/client_connection.h"

#include "proxy/base/check.h"
#include "proxy/base/tls_stream.h"
#include "proxy/relay/own_answers.h"
#include "proxy/relay/proxy_protocol.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;

namespace {
constexpr base::Millis kLeaveGrace{100};  // what was sent before we leave is here by then
}

ClientConnection::ClientConnection(Worker& worker, std::unique_ptr<base::Stream> stream)
    : worker_(worker),
      stream_(std::move(stream)),
      deadline_(worker.loop().timers(), this, base::fires<&ClientConnection::on_deadline>),
      accepted_(worker.loop().now()) {
  facts_.peer = stream_->peer();
  trust_peer();
  awaits_proxy_ = facts_.trusted && worker.core().config.proxy_protocol;
  facts_.instance = worker.core().instance;
  worker_.counters().client_connections.add(1);
  worker_.counters().tally(routing::Tally::connections_accepted);
  if (!awaits_proxy_) begin_tls();
  stream_->set_handler(this);
  stream_->resume_reading();
  deadline_.start(worker.core().config.timeouts.first_byte);
}

void ClientConnection::begin_tls() {
  const auto& context = worker_.table().tls;
  if (context == nullptr) return;
  facts_.tls = true;
  stream_ = base::TlsStream::accept(worker_.loop(), context, std::move(stream_));
}

void ClientConnection::trust_peer() {
  facts_.trusted = false;
  for (const base::Cidr& trusted : worker_.core().config.trusted_proxies) {
    facts_.trusted = facts_.trusted || trusted.contains(facts_.peer);
  }
}

bool ClientConnection::may_keep() const {
  const RelayConfig& config = worker_.core().config;
  const bool more_may_come = !input_ended_ || unread_ > 0 || !in_.empty();
  return state_ == State::busy && more_may_come && !worker_.is_leaving() &&
         requests_ < config.keep_alive_requests &&
         worker_.loop().now() - accepted_ < config.timeouts.connection_age;
}

void ClientConnection::on_bytes(std::string_view bytes) {
  if (state_ == State::lingering) {
    lingered_ += bytes.size();
    if (lingered_ > worker_.core().config.linger_bytes) close();
    return;
  }
  if (state_ == State::closing || state_ == State::gone) return;
  if (awaits_proxy_) return read_proxy_bytes(bytes);
  read(bytes);
}

// The client that the header names is trusted only if it is a trusted proxy itself: its
// X-Forwarded-* came through a balancer that does not look at them.
void ClientConnection::read_proxy_bytes(std::string_view bytes) {
  in_.append(bytes);
  const ProxyHeader header = read_proxy_header(in_);
  if (header.state == ProxyHeader::State::incomplete) return;
  if (header.state == ProxyHeader::State::faulty) {
    // Nobody there speaks HTTP to us yet: no answer would be understood.
    worker_.counters().errors[static_cast<size_t>(ErrorCode::bad_message)].add(1);
    return close();
  }
  awaits_proxy_ = false;
  if (header.client) {
    facts_.peer = *header.client;
    trust_peer();
  }
  std::string rest;
  rest.swap(in_);
  const std::string_view behind = std::string_view(rest).substr(header.bytes);
  begin_tls();
  if (!facts_.tls) return read(behind);
  stream_->set_handler(this);
  stream_->resume_reading();
  static_cast<base::TlsStream&>(*stream_).take_early(behind);
}

// Takes bytes as far as there is something to do with them; the rest waits in in_. Whatever ends
// an exchange below only changes the state, and the loop here goes on with the next request.
void ClientConnection::read(std::string_view bytes) {
  CHECK(!reading_);
  reading_ = true;
  std::string held;  // keeps earlier bytes alive while they are read
  std::string_view rest = bytes;
  if (!in_.empty()) {
    in_.append(bytes);
    held.swap(in_);
    rest = held;
  }
  while (!rest.empty()) {
    if (state_ == State::busy && exchange_ != nullptr && exchange_->wants_body()) {
      const size_t used = exchange_->take_body(rest);
      rest.remove_prefix(used);
      if (used == 0) break;
    } else if (state_ == State::reading && stream_->pending() == 0) {
      const size_t used = read_head(rest);
      if (used == 0) break;
      rest.remove_prefix(used);
    } else {
      break;
    }
  }
  reading_ = false;
  if (state_ == State::reading || state_ == State::busy) keep_rest(rest);
}

void ClientConnection::keep_rest(std::string_view rest) {
  in_.assign(rest);
  // Ahead of an answer that is not out yet. A part of a head has limits of its own.
  const bool waits = state_ == State::busy || stream_->pending() > 0;
  if (waits && in_.size() > worker_.core().config.pipelined_bytes && !paused_) {
    paused_ = true;
    stream_->pause_reading();
  }
  if (in_.empty() && in_.capacity() > 64) in_.shrink_to_fit();
}

// Returns how many bytes were used, 0: the head is not whole, or it was refused.
size_t ClientConnection::read_head(std::string_view bytes) {
  http::RequestHead& head = worker_.request_head();
  const http::Parsed parsed = worker_.parser().parse_request(bytes, head_seen_, head);
  if (parsed.state == http::Parsed::State::incomplete) {
    head_seen_ = bytes.size();
    if (!head_begun_) {
      // From its first byte, absolute: a byte now and then gains nothing.
      head_begun_ = true;
      deadline_.start(worker_.core().config.timeouts.head);
    }
    return 0;
  }
  head_seen_ = 0;
  head_begun_ = false;
  if (parsed.state == http::Parsed::State::faulty) {
    refuse(parsed.error);
    return 0;
  }
  ++requests_;
  state_ = State::busy;
  deadline_.stop();
  unread_ = bytes.size() - parsed.head_bytes;
  exchange_ = &worker_.take_exchange();
  exchange_->begin(*this, head);
  return parsed.head_bytes;
}

// A head that we refuse: one answer, then the end of this connection. Nothing behind it is read
// as a request.
void ClientConnection::refuse(const base::Error& error) {
  worker_.counters().errors[static_cast<size_t>(error.code)].add(1);
  worker_.counters().tally(routing::Tally::own_answers);
  const int status = base::facts_of(error.code).status;
  worker_.counters()
      .color(routing::kNoColor)
      .routes[routing::kRoutesMax - 1]
      .requests[static_cast<size_t>(routing::code_slot(status))]
      .add(1);
  OwnAnswer answer;
  answer.status = status;
  answer.date = worker_.date();
  std::string& out = worker_.scratch();
  out.clear();
  write_own_answer(answer, out);
  stream_->write(out);
  begin_closing();
}

void ClientConnection::on_exchange_done(bool keep) {
  exchange_ = nullptr;
  if (state_ != State::busy) return;
  if (!keep || (worker_.is_leaving() && in_.empty())) {
    begin_closing();
    return;
  }
  state_ = State::reading;
  if (in_.empty() || reading_) start_idle_deadline();
  if (!reading_) go_on();  // else the loop that called us does
}

// What was pipelined is read as soon as the answers before it are out; who will send no more is
// let go then.
void ClientConnection::go_on() {
  paused_ = false;
  stream_->resume_reading();
  if (!in_.empty()) {
    read({});
    if (state_ == State::reading && exchange_ == nullptr) start_idle_deadline();
  }
  if (!input_ended_) return;
  if (state_ == State::reading && is_waiting_for_nothing()) return begin_closing();
  // The end came while an earlier request was at work: the rest of this body will not come.
  if (exchange_ != nullptr && exchange_->wants_body()) leave_exchange();
}

void ClientConnection::start_idle_deadline() {
  if (!head_begun_) deadline_.start(worker_.core().config.timeouts.keep_alive);
}

void ClientConnection::cut() {
  exchange_ = nullptr;
  stream_->reset_on_close();
  close();
}

std::unique_ptr<base::Stream> ClientConnection::give_stream(std::string& early) {
  early.swap(in_);
  stream_->set_handler(nullptr);
  std::unique_ptr<base::Stream> stream = std::move(stream_);
  exchange_ = nullptr;
  state_ = State::gone;
  deadline_.stop();
  worker_.counters().client_connections.add(-1);
  worker_.retire(*this);
  return stream;
}

void ClientConnection::on_end() {
  input_ended_ = true;
  switch (state_) {
    case State::busy:
      // A client may stop sending and still wait for its answer, but not in the middle of a body.
      if (exchange_->wants_body()) leave_exchange();
      return;
    case State::reading:
      if (is_waiting_for_nothing()) begin_closing();
      return;
    case State::lingering:
      close();
      return;
    case State::closing:
    case State::gone:
      return;
  }
}

void ClientConnection::on_broken(const base::Error&) { leave_exchange(); }

void ClientConnection::leave_exchange() {
  Exchange* exchange = exchange_;
  exchange_ = nullptr;
  close();
  if (exchange != nullptr) exchange->on_client_gone();
}

void ClientConnection::on_flushed() {
  if (state_ == State::closing) {
    begin_lingering();
  } else if (exchange_ != nullptr) {
    exchange_->on_client_flushed();
  } else if (state_ == State::reading) {
    go_on();
  }
}

void ClientConnection::begin_closing() {
  state_ = State::closing;
  in_.clear();
  if (stream_->pending() == 0) {
    begin_lingering();
  } else {
    deadline_.start(worker_.core().config.timeouts.send_idle);
  }
}

// FIN, then read on for a while: closing with unread bytes would reset the connection and take the
// answer away from a client that still sends (RFC 9112 9.6).
void ClientConnection::begin_lingering() {
  state_ = State::lingering;
  stream_->finish_writing();
  if (input_ended_) {
    close();
    return;
  }
  stream_->resume_reading();
  deadline_.start(worker_.core().config.timeouts.linger);
}

void ClientConnection::close() {
  if (state_ == State::gone) return;
  state_ = State::gone;
  deadline_.stop();
  worker_.counters().client_connections.add(-1);
  worker_.retire(*this);
}

void ClientConnection::leave() {
  if (is_idle()) deadline_.start(kLeaveGrace);
}

void ClientConnection::on_deadline() {
  switch (state_) {
    case State::reading:
      if (head_begun_) {
        refuse({ErrorCode::head_timeout, base::Side::client, "head not complete in time"});
      } else if (worker_.is_leaving()) {
        begin_closing();
      } else {
        close();
      }
      return;
    case State::closing:
    case State::lingering:
      close();
      return;
    case State::busy:
    case State::gone:
      return;
  }
}

}  // namespace relay
