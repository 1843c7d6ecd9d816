#include "proxy/base/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "proxy/base/check.h"

namespace base {
namespace {
constexpr size_t kRecordBytes = 16 << 10;  // the most plain bytes of one record
constexpr size_t kFlushBytes = 64 << 10;
}  // namespace

// A BIO whose two ends are the buffers of the stream: nothing is copied once more, and nothing is
// held by an idle connection.
struct TlsCallbacks {
  static TlsStream& stream(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

  static int read(BIO* bio, char* to, int most) {
    TlsStream& self = stream(bio);
    BIO_clear_retry_flags(bio);
    const bool from_kept = self.kept_taken_ < self.kept_.size();
    const std::string_view from =
        from_kept ? std::string_view(self.kept_).substr(self.kept_taken_) : self.arrived_;
    const size_t count = std::min(from.size(), static_cast<size_t>(most));
    if (count == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    std::memcpy(to, from.data(), count);
    if (from_kept) {
      self.kept_taken_ += count;
    } else {
      self.arrived_.remove_prefix(count);
    }
    return static_cast<int>(count);
  }
  static int write(BIO* bio, const char* from, int count) {
    stream(bio).out_.append(from, static_cast<size_t>(count));
    return count;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "stream");
      CHECK(fresh != nullptr);
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      return fresh;
    }();
    return made;
  }
};

// Destroyed by the loop at the end of the turn: then it says what must not be said from inside a
// call of the owner.
class TlsStream::Wakeup final : public Disposable {
 public:
  explicit Wakeup(TlsStream& stream) : stream_(&stream) {}
  ~Wakeup() override {
    if (stream_ == nullptr) return;
    stream_->wakeup_ = nullptr;
    stream_->advance({});
  }
  void forget() { stream_ = nullptr; }

 private:
  TlsStream* stream_;
};

TlsStream::TlsStream(Loop& loop, std::shared_ptr<const TlsContext> context,
                     std::shared_ptr<TlsSession> session, std::unique_ptr<Stream> inner,
                     Side peer_side)
    : loop_(loop),
      context_(std::move(context)),
      session_(std::move(session)),
      inner_(std::move(inner)),
      ssl_(SSL_new(context_->raw())),
      peer_side_(peer_side) {
  CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(TlsCallbacks::method());
  CHECK(bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
  inner_->set_handler(this);
  inner_->resume_reading();
}

std::unique_ptr<TlsStream> TlsStream::accept(Loop& loop, std::shared_ptr<const TlsContext> context,
                                             std::unique_ptr<Stream> inner) {
  std::unique_ptr<TlsStream> self(
      new TlsStream(loop, std::move(context), nullptr, std::move(inner), Side::client));
  SSL_set_accept_state(self->ssl_);
  return self;
}

std::unique_ptr<TlsStream> TlsStream::connect(Loop& loop, std::shared_ptr<const TlsContext> context,
                                              std::shared_ptr<TlsSession> session,
                                              std::unique_ptr<Stream> inner, Ready& ready) {
  std::unique_ptr<TlsStream> self(
      new TlsStream(loop, std::move(context), std::move(session), std::move(inner), Side::backend));
  self->when_ready_ = &ready;
  SSL* ssl = self->ssl_;
  SSL_set_connect_state(ssl);
  const std::string& name = self->context_->server_name();
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(name.c_str());
  // Server names are names (RFC 6066 3).
  if (address == nullptr && !name.empty()) SSL_set_tlsext_host_name(ssl, name.c_str());
  ASN1_OCTET_STRING_free(address);
  if (self->session_ != nullptr) {
    if (SSL_SESSION* session_before = self->session_->of(*self->context_)) {
      SSL_set_session(ssl, session_before);
    }
  }
  ERR_clear_error();
  SSL_do_handshake(ssl);
  self->flush();
  return self;
}

TlsStream::~TlsStream() {
  if (wakeup_ != nullptr) wakeup_->forget();
  const bool whole = ready_ && !broken_ && !reset_on_close_ && !failed_;
  if (whole && !finishing_) {
    SSL_shutdown(ssl_);
    flush();
  }
  SSL_set_app_data(ssl_, nullptr);
  SSL_free(ssl_);
  ERR_clear_error();
}

int TlsStream::keep_session(ssl_st* ssl, ssl_session_st* session) {
  auto* self = static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (self == nullptr || self->session_ == nullptr) return 0;
  self->session_->keep(self->context_, session);
  return 1;
}

bool TlsStream::was_resumed() const { return SSL_session_reused(ssl_) == 1; }

size_t TlsStream::pending() const { return broken_ ? 0 : inner_->pending() + waiting_.size(); }

void TlsStream::reset_on_close() {
  reset_on_close_ = true;
  inner_->reset_on_close();
}

bool TlsStream::has_more() const {
  return kept_taken_ < kept_.size() || SSL_has_pending(ssl_) == 1 || inner_ended_ || failed_;
}

void TlsStream::resume_reading() {
  reading_ = true;
  if (broken_ || ended_) return;
  inner_->resume_reading();
  if (ready_ && !advancing_ && has_more()) wake_later();
}

void TlsStream::pause_reading() {
  reading_ = false;
  if (ready_) inner_->pause_reading();  // a handshake goes on
}

void TlsStream::wake_later() {
  if (wakeup_ != nullptr) return;
  auto wakeup = std::make_unique<Wakeup>(*this);
  wakeup_ = wakeup.get();
  loop_.dispose(std::move(wakeup));
}

void TlsStream::on_bytes(std::string_view bytes) { advance(bytes); }

void TlsStream::on_end() {
  inner_ended_ = true;
  if (!ended_) advance({});
}

void TlsStream::on_broken(const Error& error) {
  if (broken_) return;
  // Who waits for on_flushed may have stopped reading for that: it will not come.
  const bool is_read = ready_ && !reading_ && (flush_due_ || !has_more());
  failed_ = error;
  if (ended_ || is_read) return break_now(error);
  advance({});
}

void TlsStream::on_flushed() {
  if (!ready_ || broken_ || pending() > 0) return;
  flush_due_ = false;
  if (handler_ != nullptr) handler_->on_flushed();
}

// Everything that comes passes here. The last act of a callback.
void TlsStream::advance(std::string_view bytes) {
  if (broken_ || ended_) return;
  CHECK(!advancing_);
  const Watch watch(mortal_);
  advancing_ = true;
  arrived_ = bytes;
  if (ready_ || shake_hands(watch)) {
    if (!watch.is_gone()) read_plain(watch);
  }
  if (watch.is_gone()) return;
  advancing_ = false;
  flush();
  if (kept_taken_ == kept_.size()) {
    kept_ = std::string();
    kept_taken_ = 0;
  }
  if (!broken_ && !ended_) kept_.append(arrived_);
  arrived_ = {};
}

// True: the handshake is over, now.
bool TlsStream::shake_hands(const Watch& watch) {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) {
    const int error = SSL_get_error(ssl_, result);
    if (error != SSL_ERROR_WANT_READ) {
      break_now(failure());
    } else if (failed_) {
      break_now(*failed_);
    } else if (inner_ended_) {
      break_now({peer_side_ == Side::client ? ErrorCode::client_gone : ErrorCode::connect_failed,
                 peer_side_, "TLS: closed in the handshake"});
    } else {
      flush();
    }
    return false;
  }
  flush();
  ready_ = true;
  const std::string waiting = std::move(waiting_);
  waiting_ = std::string();
  if (!waiting.empty()) encrypt(waiting);
  flush();
  if (finishing_) shut_down();
  if (!reading_) inner_->pause_reading();
  if (!waiting.empty() && pending() == 0) {
    flush_due_ = false;
    if (handler_ != nullptr) handler_->on_flushed();
    if (watch.is_gone()) return false;
  }
  if (Ready* told = std::exchange(when_ready_, nullptr)) {
    told->on_tls_ready();
  }
  return !watch.is_gone() && !broken_;
}

void TlsStream::read_plain(const Watch& watch) {
  std::array<char, kRecordBytes> plain;
  while (reading_ && handler_ != nullptr) {
    ERR_clear_error();
    const int count = SSL_read(ssl_, plain.data(), static_cast<int>(plain.size()));
    if (count > 0) {
      handler_->on_bytes({plain.data(), static_cast<size_t>(count)});
      if (watch.is_gone() || broken_) return;
      continue;
    }
    switch (SSL_get_error(ssl_, count)) {
      case SSL_ERROR_WANT_READ:
        if (failed_) return break_now(*failed_);
        if (inner_ended_) {
          break_now({peer_side_ == Side::client ? ErrorCode::client_gone : ErrorCode::backend_reset,
                     peer_side_, "TLS: closed without close_notify"});
        }
        return;
      case SSL_ERROR_ZERO_RETURN:
        ended_ = true;
        flush();
        inner_->pause_reading();
        handler_->on_end();
        return;
      default:
        return break_now(failure());
    }
  }
}

void TlsStream::write(std::span<const std::string_view> pieces) {
  CHECK(!finishing_);
  if (broken_ || failed_) return;
  size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  if (bytes == 0) return;
  if (!ready_) {
    for (const std::string_view piece : pieces) waiting_.append(piece);
    flush_due_ = true;
    return;
  }
  if (pieces.size() > 1 && bytes <= kRecordBytes) {
    std::string joined;  // a head and its body in one record
    joined.reserve(bytes);
    for (const std::string_view piece : pieces) joined.append(piece);
    encrypt(joined);
  } else {
    for (const std::string_view piece : pieces) encrypt(piece);
  }
  flush();
  flush_due_ = pending() > 0;
}

void TlsStream::encrypt(std::string_view plain) {
  while (!plain.empty()) {
    const size_t count = std::min(plain.size(), kRecordBytes);
    ERR_clear_error();
    if (SSL_write(ssl_, plain.data(), static_cast<int>(count)) <= 0) {
      failed_ = failure();
      return wake_later();
    }
    plain.remove_prefix(count);
    if (out_.size() >= kFlushBytes) flush();
  }
}

void TlsStream::flush() {
  if (out_.empty()) return;
  const std::string bytes = std::move(out_);
  out_ = std::string();
  if (!inner_finished_) inner_->write(std::string_view(bytes));
}

void TlsStream::finish_writing() {
  if (finishing_ || broken_) return;
  finishing_ = true;
  if (ready_) shut_down();
}

void TlsStream::shut_down() {
  ERR_clear_error();
  SSL_shutdown(ssl_);  // our close_notify; the peer's comes with what is read
  flush();
  inner_finished_ = true;
  inner_->finish_writing();
}

// The last thing that any callback does.
void TlsStream::break_now(const Error& error) {
  broken_ = true;
  flush();  // our alert says why
  waiting_ = std::string();
  inner_->pause_reading();
  const Error told = error;
  if (handler_ != nullptr) handler_->on_broken(told);
}

Error TlsStream::failure() const {
  const unsigned long code = ERR_peek_last_error();
  const long verdict = SSL_get_verify_result(ssl_);
  std::string detail = "TLS: ";
  const bool is_refused = !ready_ && context_->verifies() && verdict != X509_V_OK;
  if (is_refused) {
    detail += "certificate of " + context_->server_name() + " refused: ";
    detail += X509_verify_cert_error_string(verdict);
  } else {
    const char* reason = ERR_reason_error_string(code);
    detail += reason != nullptr ? reason : "failed";
  }
  ERR_clear_error();
  if (peer_side_ == Side::client) {
    return {ready_ ? ErrorCode::client_gone : ErrorCode::bad_message, peer_side_, detail};
  }
  if (is_refused) return {ErrorCode::certificate_refused, peer_side_, detail};
  return {ready_ ? ErrorCode::backend_reset : ErrorCode::connect_failed, peer_side_, detail};
}

namespace {

class TlsConnecting final : public Connecting,
                            private ConnectHandler,
                            private StreamHandler,
                            private TlsStream::Ready {
 public:
  TlsConnecting(Loop& loop, const Address& to, std::shared_ptr<const TlsContext> context,
                std::shared_ptr<TlsSession> session, ConnectHandler& handler)
      : loop_(loop),
        context_(std::move(context)),
        session_(std::move(session)),
        handler_(handler),
        connecting_(loop.connect(to, *this)) {}

 private:
  void on_connected(std::unique_ptr<Stream> stream) override {
    connecting_.reset();
    stream_ = TlsStream::connect(loop_, context_, session_, std::move(stream), *this);
    stream_->set_handler(this);
  }
  void on_connect_failed(const Error& error) override { handler_.on_connect_failed(error); }
  void on_tls_ready() override {
    stream_->set_handler(nullptr);
    handler_.on_connected(std::move(stream_));
  }
  void on_bytes(std::string_view) override {}
  void on_end() override {}
  void on_flushed() override {}
  void on_broken(const Error& error) override {
    const bool is_refused = error.code == ErrorCode::certificate_refused;
    handler_.on_connect_failed(
        {is_refused ? error.code : ErrorCode::connect_failed, Side::backend, error.detail});
  }

  Loop& loop_;
  std::shared_ptr<const TlsContext> context_;
  std::shared_ptr<TlsSession> session_;
  ConnectHandler& handler_;
  std::unique_ptr<Connecting> connecting_;
  std::unique_ptr<TlsStream> stream_;
};

}  // namespace

std::unique_ptr<Connecting> connect_tls(Loop& loop, const Address& to,
                                        std::shared_ptr<const TlsContext> context,
                                        std::shared_ptr<TlsSession> session,
                                        ConnectHandler& handler) {
  return std::make_unique<TlsConnecting>(loop, to, std::move(context), std::move(session), handler);
}

}  // namespace base
