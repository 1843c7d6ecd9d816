// TLS over any Stream. What is read and written here is plain; write(), pending() and the order of
// events are as stream.h says. Its user sets the deadline of the handshake.
//
// An end without a close_notify is a truncation, and broken. Memory: what one read of the inner
// stream brought (kept only while reading is off), one record, and what the inner stream keeps.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/base/mortal.h"
#include "proxy/base/stream.h"
#include "proxy/base/tls.h"

struct bio_st;
struct ssl_st;

namespace base {

class TlsStream final : public Stream, private StreamHandler {
 public:
  // Told once, when both sides have agreed. May destroy or give away the stream.
  class Ready {
   public:
    virtual void on_tls_ready() = 0;

   protected:
    ~Ready() = default;
  };

  // The server's side. The handshake begins when bytes come.
  static std::unique_ptr<TlsStream> accept(Loop& loop, std::shared_ptr<const TlsContext> context,
                                           std::unique_ptr<Stream> inner);
  // The client's side: says hello at once. `session`: may be nothing.
  static std::unique_ptr<TlsStream> connect(Loop& loop, std::shared_ptr<const TlsContext> context,
                                            std::shared_ptr<TlsSession> session,
                                            std::unique_ptr<Stream> inner, Ready& ready);
  ~TlsStream() override;

  // Bytes that somebody else had read from the inner stream before. Acts as a callback does.
  void take_early(std::string_view bytes) { advance(bytes); }
  bool is_ready() const { return ready_; }
  bool was_resumed() const;
  // For TlsContext: OpenSSL has a new session of a client. 1: it is ours now.
  static int keep_session(ssl_st* ssl, ssl_session_st* session);

  void set_handler(StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override;
  void write(std::span<const std::string_view> pieces) override;
  using Stream::write;
  size_t pending() const override;
  void finish_writing() override;
  void reset_on_close() override;
  bool peer_has_reset() const override { return inner_->peer_has_reset(); }
  Address peer() const override { return inner_->peer(); }

 private:
  friend struct TlsCallbacks;  // OpenSSL's way back
  class Wakeup;

  TlsStream(Loop& loop, std::shared_ptr<const TlsContext> context,
            std::shared_ptr<TlsSession> session, std::unique_ptr<Stream> inner, Side peer_side);

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken(const Error& error) override;
  void on_flushed() override;

  void advance(std::string_view bytes);
  bool shake_hands(const Watch& watch);
  void read_plain(const Watch& watch);
  void encrypt(std::string_view plain);
  void flush();
  void shut_down();
  void break_now(const Error& error);
  void wake_later();
  bool has_more() const;
  Error failure() const;

  Loop& loop_;
  std::shared_ptr<const TlsContext> context_;
  std::shared_ptr<TlsSession> session_;
  std::unique_ptr<Stream> inner_;
  ssl_st* ssl_;
  StreamHandler* handler_ = nullptr;
  Ready* when_ready_ = nullptr;
  Wakeup* wakeup_ = nullptr;     // owned by the loop
  std::string_view arrived_;     // during advance(): not yet taken by OpenSSL
  std::string kept_;             // before it: what came and could not be read yet
  size_t kept_taken_ = 0;        // of kept_
  std::string out_;              // made by OpenSSL, on its way to the inner stream
  std::string waiting_;          // written before the handshake was over
  std::optional<Error> failed_;  // told after what can still be read
  Side peer_side_;
  bool ready_ = false;
  bool reading_ = false;
  bool advancing_ = false;
  bool flush_due_ = false;       // the owner saw something pending
  bool inner_ended_ = false;     // FIN
  bool inner_finished_ = false;  // ours
  bool ended_ = false;           // the peer's close_notify
  bool finishing_ = false;
  bool broken_ = false;
  bool reset_on_close_ = false;
  Mortal mortal_;
};

// Loop::connect, then the handshake: a failed one is a failed connect.
std::unique_ptr<Connecting> connect_tls(Loop& loop, const Address& to,
                                        std::shared_ptr<const TlsContext> context,
                                        std::shared_ptr<TlsSession> session,
                                        ConnectHandler& handler);

}  // namespace base
