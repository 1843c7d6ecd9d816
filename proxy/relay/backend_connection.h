// One connection to a backend while it serves one request: connects, sends, reads the answer. Its
// user is the exchange; between two requests (only where a backend keeps connections) it has none
// and lies in the gate.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/http/framing.h"
#include "proxy/http/parser.h"
#include "proxy/routing/routing_table.h"

namespace relay {

class Worker;

class BackendConnection final : public base::Disposable,
                                private base::StreamHandler,
                                private base::ConnectHandler {
 public:
  // Told about one request. Each call may release the connection; then no other follows.
  class User {
   public:
    virtual void on_backend_ready() = 0;  // connected: send now
    virtual void on_backend_interim(const http::ResponseHead& head) = 0;
    virtual void on_backend_head(const http::ResponseHead& head) = 0;
    virtual void on_backend_content(std::string_view content) = 0;
    virtual void on_backend_read() = 0;  // the end of one read: write what you gathered
    virtual void on_backend_done() = 0;  // the answer is whole
    // A 101 that was asked for; `early` came behind it.
    virtual void on_backend_upgraded(const http::ResponseHead& head, std::string_view early) = 0;
    virtual void on_backend_flushed() = 0;
    virtual void on_backend_failed(const base::Error& error) = 0;

   protected:
    ~User() = default;
  };

  BackendConnection(Worker& worker, routing::ColorIndex color, const routing::Backend& backend);
  ~BackendConnection() override;

  // Begins to connect; a kept connection is ready at once (returns true, no callback).
  bool begin(User& user, http::Method method, bool upgrade);
  void send(std::span<const std::string_view> pieces);
  size_t pending() const { return stream_->pending(); }
  bool bytes_written() const { return bytes_written_; }
  bool answer_begun() const { return answer_begun_; }
  bool is_reused() const { return served_ > 0; }
  void pause_reading() { stream_->pause_reading(); }
  void resume_reading() { stream_->resume_reading(); }

  // The user is done. True: the connection may serve another request.
  bool release();
  void close() {
    connecting_.reset();
    stream_.reset();
  }
  std::unique_ptr<base::Stream> take_stream() { return std::move(stream_); }

  routing::BackendId backend() const { return backend_; }
  routing::ColorIndex color() const { return color_; }
  const base::Address& address() const { return address_; }
  const base::TlsContext* tls() const { return tls_.get(); }  // nullptr: plain

 private:
  void on_connected(std::unique_ptr<base::Stream> stream) override;
  void on_connect_failed(const base::Error& error) override;
  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken(const base::Error& error) override;
  void on_flushed() override;
  // Returns what stands behind the head, or nothing when there is no more to do now.
  bool read_head(std::string_view& bytes);
  void read_body(std::string_view bytes);
  void fail(base::ErrorCode code, std::string detail);

  Worker& worker_;
  routing::ColorIndex color_;
  routing::BackendId backend_;
  base::Address address_;
  std::shared_ptr<const base::TlsContext> tls_;
  User* user_ = nullptr;
  std::unique_ptr<base::Connecting> connecting_;
  std::unique_ptr<base::Stream> stream_;
  http::BodyReader body_;
  std::string head_bytes_;  // an answer's head that came in pieces
  size_t head_seen_ = 0;
  http::Method method_ = http::Method::get;
  int interim_ = 0;
  int served_ = 0;
  bool upgrade_ = false;
  bool bytes_written_ = false;
  bool answer_begun_ = false;
  bool head_done_ = false;
  bool whole_ = false;  // the answer came whole, nothing behind it
  bool keep_alive_ = false;
};

}  // namespace relay
