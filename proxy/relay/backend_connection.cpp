#include "proxy/relay/backend_connection.h"

#include "proxy/base/check.h"
#include "proxy/base/tls_stream.h"
#include "proxy/relay/worker.h"

namespace relay {

using base::ErrorCode;
using base::Side;

BackendConnection::BackendConnection(Worker& worker, routing::ColorIndex color,
                                     const routing::Backend& backend)
    : worker_(worker),
      color_(color),
      backend_(backend.id),
      address_(backend.address),
      tls_(backend.tls) {}

BackendConnection::~BackendConnection() = default;

bool BackendConnection::begin(User& user, http::Method method, bool upgrade) {
  CHECK(user_ == nullptr);
  user_ = &user;
  method_ = method;
  upgrade_ = upgrade;
  bytes_written_ = false;
  answer_begun_ = false;
  head_done_ = false;
  whole_ = false;
  keep_alive_ = false;
  interim_ = 0;
  head_seen_ = 0;
  if (stream_ != nullptr) return true;
  if (tls_ == nullptr) {
    connecting_ = worker_.loop().connect(address_, *this);
  } else {
    connecting_ = base::connect_tls(worker_.loop(), address_, tls_,
                                    worker_.gates().session_of(backend_), *this);
  }
  return false;
}

void BackendConnection::on_connected(std::unique_ptr<base::Stream> stream) {
  connecting_.reset();
  stream_ = std::move(stream);
  stream_->set_handler(this);
  stream_->resume_reading();
  user_->on_backend_ready();
}

void BackendConnection::on_connect_failed(const base::Error& error) {
  connecting_.reset();
  if (error.code == ErrorCode::certificate_refused) worker_.gates().tell_refused(*this, error);
  user_->on_backend_failed(error);
}

void BackendConnection::send(std::span<const std::string_view> pieces) {
  bytes_written_ = true;
  stream_->write(pieces);
}

bool BackendConnection::release() {
  user_ = nullptr;
  ++served_;
  head_bytes_.clear();
  return whole_ && keep_alive_ && stream_ != nullptr && stream_->pending() == 0;
}

void BackendConnection::on_bytes(std::string_view bytes) {
  if (user_ == nullptr) {
    // Nobody asked: never an answer (RFC 9112 9.2).
    worker_.gates().forget(*this);
    return;
  }
  answer_begun_ = true;
  if (whole_) return;  // surplus behind a whole answer; keep_alive_ is already off
  if (!head_done_) {
    if (!read_head(bytes)) return;
  } else if (!head_bytes_.empty()) {
    head_bytes_ = std::string();
  }
  read_body(bytes);
}

bool BackendConnection::read_head(std::string_view& bytes) {
  const bool gathered = !head_bytes_.empty();
  if (gathered) head_bytes_.append(bytes);
  std::string_view input = gathered ? std::string_view(head_bytes_) : bytes;
  http::ResponseHead& head = worker_.response_head();
  while (true) {
    const http::Parsed parsed =
        worker_.parser().parse_response(input, head_seen_, method_, upgrade_, head);
    if (parsed.state == http::Parsed::State::faulty) {
      fail(parsed.error.code, parsed.error.detail);
      return false;
    }
    if (parsed.state == http::Parsed::State::incomplete) {
      head_seen_ = input.size();
      if (!gathered) {
        head_bytes_.assign(input);
      } else if (input.size() != head_bytes_.size()) {
        head_bytes_.erase(0, head_bytes_.size() - input.size());
      }
      user_->on_backend_read();
      return false;
    }
    head_seen_ = 0;
    input.remove_prefix(parsed.head_bytes);
    if (head.status == 101) {
      // The parser refuses a 101 that was not asked for.
      user_->on_backend_upgraded(head, input);
      return false;
    }
    if (!head.is_interim()) break;
    if (++interim_ > worker_.core().config.interim_answers) {
      fail(ErrorCode::bad_backend_message, "too many interim answers");
      return false;
    }
    user_->on_backend_interim(head);
    if (user_ == nullptr) return false;
  }
  head_done_ = true;
  keep_alive_ = head.keep_alive;
  body_ = http::BodyReader(head.framing, UINT64_MAX, Side::backend);
  user_->on_backend_head(head);
  bytes = input;
  return user_ != nullptr;
}

void BackendConnection::read_body(std::string_view bytes) {
  while (!body_.is_done() && !bytes.empty()) {
    const base::Result<http::BodyReader::Step> step = body_.read(bytes);
    if (!step) {
      fail(ErrorCode::bad_backend_message, step.error().detail);
      return;
    }
    bytes.remove_prefix(step->used);
    if (!step->content.empty()) user_->on_backend_content(step->content);
    if (user_ == nullptr) return;
    if (step->used == 0) break;
  }
  if (!body_.is_done()) {
    user_->on_backend_read();
    return;
  }
  whole_ = true;
  if (!bytes.empty()) keep_alive_ = false;
  user_->on_backend_done();
}

void BackendConnection::on_end() {
  keep_alive_ = false;
  if (user_ == nullptr) {
    worker_.gates().forget(*this);
    return;
  }
  if (whole_) return;
  if (head_done_ && body_.end()) {
    whole_ = true;
    user_->on_backend_done();
    return;
  }
  fail(ErrorCode::backend_reset, "closed before the answer was whole");
}

void BackendConnection::on_broken(const base::Error& error) {
  keep_alive_ = false;
  if (user_ == nullptr) {
    worker_.gates().forget(*this);
    return;
  }
  fail(ErrorCode::backend_reset, error.detail);
}

void BackendConnection::on_flushed() {
  if (user_ != nullptr) user_->on_backend_flushed();
}

void BackendConnection::fail(ErrorCode code, std::string detail) {
  keep_alive_ = false;
  user_->on_backend_failed(base::Error{code, Side::backend, std::move(detail)});
}

}  // namespace relay
