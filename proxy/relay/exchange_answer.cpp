// The answer half of an exchange: head and body on their way to the client.
#include <algorithm>

#include "proxy/base/check.h"
#include "proxy/relay/client_connection.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/tunnel.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;
using http::BodyKind;
using routing::Kind;
using routing::Tally;

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
  headed_ = answered_ = worker_.loop().now();
  if (client_ == nullptr) return;
  deadline_.start(worker_.core().config.timeouts.answer_idle);
  judge_answer_head(head);
  write_answer_head(head);
}

void Exchange::write_answer_head(const http::ResponseHead& head) {
  AnswerFacts facts;
  facts.request_id = request_id_;
  facts.date = worker_.date();
  facts.set_cookie = due_cookie(head);
  keep_client_ = client_keep_alive_ && !wants_body() && client_->may_keep();
  if (look_ == Look::second && !is_found_elsewhere(head)) return;
  if (may_look_elsewhere(head)) {
    keep_first_answer(head, facts);
    return;
  }
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
  // Who came with a session key stays the same user, for the judge too.
  affinity.nonce = user_ != 0 ? user_ : worker_.new_nonce();
  judge_new_cookie(affinity.nonce);
  affinity.issued = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(worker_.loop().wall().time_since_epoch())
          .count());
  // Of the choice: who was chosen before a rollback is freed by it.
  affinity.epoch = epoch_;
  affinity.home = home_;
  std::string& text = worker_.scratch();
  worker_.signer().write(affinity, worker_.table(), text);
  routing::write_set_cookie(worker_.table().cookie_name, text, https_, cookie_);
  worker_.counters().tally(Tally::cookies_issued);
  return cookie_;
}

void Exchange::on_backend_content(std::string_view content) {
  if (client_ == nullptr || look_ == Look::discarding) return;  // drained and dropped
  if (rpc_.wants()) rpc_.read(content);
  if (look_ == Look::keeping) {
    keep_first_content(content);
    return;
  }
  if (held_back_) {
    const base::Result<> kept = delivery_.hold_back(content);
    const bool too_much = delivery_.held_back() > worker_.core().config.answer_spool_max;
    if (!kept || too_much) {
      fail({ErrorCode::spool_full, Side::proxy, kept ? "held back" : kept.error().detail});
    }
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
  // What nobody waits for any more has one deadline in all, however much still comes.
  if (stage_ == Stage::answering && client_ != nullptr) {
    deadline_.start(worker_.core().config.timeouts.answer_idle);
  }
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
  if (look_ == Look::keeping || (look_ == Look::discarding && client_ != nullptr)) {
    answered_ = worker_.loop().now();
    worker_.counters().backends[backend_->backend()].finished.add(1);
    look_ == Look::keeping ? look_elsewhere() : give_first_answer();
    return;
  }
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
  judge_attempt(status_ >= 500);
  end_attempt();
  if (client_ == nullptr) {
    end(false);
  } else {
    deliver_rest();
  }
}

// The answer is whole here; what the client has not taken is spooled.
void Exchange::deliver_rest() {
  if (delivery_.is_drained()) {
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
  headed_ = answered_ = worker_.loop().now();
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
  tunnel.client_ended = client_->input_ended();
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
    worker_.counters().delivering.observe(base::us_between(answered_, worker_.loop().now()));
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
    deadline_.start(answer_timeout_);
    return;
  }
  end_attempt();
  end(false);
}

}  // namespace relay
