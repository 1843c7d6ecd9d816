#include "tests/unit/relay/faulty_loop.h"

namespace relay {
namespace {

using base::ErrorCode;
using base::Side;

class FaultyStream final : public base::Stream, private base::StreamHandler {
 public:
  FaultyStream(FaultyLoop& loop, std::unique_ptr<base::Stream> stream, bool accepted)
      : loop_(loop), stream_(std::move(stream)), accepted_(accepted) {
    stream_->set_handler(this);
  }
  ~FaultyStream() override { *self_ = nullptr; }

  void set_handler(base::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override { stream_->resume_reading(); }
  void pause_reading() override { stream_->pause_reading(); }
  void write(std::span<const std::string_view> pieces) override {
    if (failed_) return;
    if (!loop_.fails(Fault::write)) return stream_->write(pieces);
    failed_ = true;
    loop_.post([self = self_] {
      if (*self != nullptr) (*self)->break_now();
    });
  }
  using Stream::write;
  size_t pending() const override { return failed_ ? 0 : stream_->pending(); }
  void finish_writing() override {
    if (!failed_) stream_->finish_writing();
  }
  void reset_on_close() override { stream_->reset_on_close(); }
  bool peer_has_reset() const override { return failed_ || stream_->peer_has_reset(); }
  base::Address peer() const override { return stream_->peer(); }

 private:
  void on_bytes(std::string_view bytes) override {
    if (failed_) return;
    if (loop_.fails(Fault::read)) return break_now();
    loop_.event([handler = handler_, bytes] {
      if (handler != nullptr) handler->on_bytes(bytes);
    });
  }
  void on_end() override {
    if (failed_) return;
    if (loop_.fails(Fault::read)) return break_now();
    loop_.event([handler = handler_] {
      if (handler != nullptr) handler->on_end();
    });
  }
  void on_broken(const base::Error& error) override {
    if (failed_) return;
    failed_ = true;
    if (handler_ != nullptr) handler_->on_broken(error);
  }
  void on_flushed() override {
    if (failed_) return;
    loop_.event([handler = handler_] {
      if (handler != nullptr) handler->on_flushed();
    });
  }
  // The peer learns of it too: the connection is gone.
  void break_now() {
    failed_ = true;
    stream_->pause_reading();
    stream_->reset_on_close();
    if (handler_ == nullptr) return;
    handler_->on_broken({accepted_ ? ErrorCode::client_gone : ErrorCode::backend_reset,
                         accepted_ ? Side::client : Side::backend, "a fault of the test"});
  }

  FaultyLoop& loop_;
  std::unique_ptr<base::Stream> stream_;
  bool accepted_;
  base::StreamHandler* handler_ = nullptr;
  bool failed_ = false;
  std::shared_ptr<FaultyStream*> self_ = std::make_shared<FaultyStream*>(this);
};

class FaultyConnecting final : public base::Connecting, private base::ConnectHandler {
 public:
  FaultyConnecting(FaultyLoop& loop, support::MemoryLoop& inner, const base::Address& to,
                   base::ConnectHandler& handler)
      : loop_(loop), handler_(handler) {
    if (!loop.fails(Fault::connect)) {
      inner_ = inner.connect(to, *this);
      return;
    }
    loop.post([self = self_] {
      if (*self == nullptr) return;
      (*self)->on_connect_failed(
          {ErrorCode::connect_refused, Side::backend, "a fault of the test"});
    });
  }
  ~FaultyConnecting() override { *self_ = nullptr; }

 private:
  void on_connected(std::unique_ptr<base::Stream> stream) override {
    auto faulty = std::make_unique<FaultyStream>(loop_, std::move(stream), false);
    loop_.event([&handler = handler_, &faulty] { handler.on_connected(std::move(faulty)); });
  }
  void on_connect_failed(const base::Error& error) override { handler_.on_connect_failed(error); }

  FaultyLoop& loop_;
  base::ConnectHandler& handler_;
  std::unique_ptr<base::Connecting> inner_;
  std::shared_ptr<FaultyConnecting*> self_ = std::make_shared<FaultyConnecting*>(this);
};

class FaultyListener final : public base::Listener, private base::AcceptHandler {
 public:
  FaultyListener(FaultyLoop& loop, base::AcceptHandler& handler) : loop_(loop), handler_(handler) {}
  base::Result<> open(support::MemoryLoop& inner, const base::Address& at, bool reuse_port) {
    auto opened = inner.listen(at, reuse_port, *this);
    if (!opened) return base::Result<>(tl::unexpected(opened.error()));
    inner_ = *std::move(opened);
    return {};
  }
  base::Address bound() const override { return inner_->bound(); }
  void pause() override { inner_->pause(); }
  void resume() override { inner_->resume(); }

 private:
  // An accept that fails: the kernel has dropped the connection.
  void on_accepted(std::unique_ptr<base::Stream> stream) override {
    if (loop_.fails(Fault::accept)) return stream->reset_on_close();
    auto faulty = std::make_unique<FaultyStream>(loop_, std::move(stream), true);
    loop_.event([&handler = handler_, &faulty] { handler.on_accepted(std::move(faulty)); });
  }
  FaultyLoop& loop_;
  base::AcceptHandler& handler_;
  std::unique_ptr<base::Listener> inner_;
};

}  // namespace

std::unique_ptr<base::Connecting> FaultyLoop::connect(const base::Address& to,
                                                      base::ConnectHandler& handler) {
  return std::make_unique<FaultyConnecting>(*this, loop_, to, handler);
}

base::Result<std::unique_ptr<base::Listener>> FaultyLoop::listen(const base::Address& at,
                                                                 bool reuse_port,
                                                                 base::AcceptHandler& handler) {
  auto listener = std::make_unique<FaultyListener>(*this, handler);
  if (const base::Result<> opened = listener->open(loop_, at, reuse_port); !opened) {
    return tl::unexpected(opened.error());
  }
  return listener;
}

}  // namespace relay
