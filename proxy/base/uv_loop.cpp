#include "proxy/base/uv_loop.h"

#include <fcntl.h>
#include <uv.h>

#include "proxy/base/check.h"
#include "proxy/base/poll_handle.h"
#include "proxy/base/socket.h"
#include "proxy/base/socket_connecting.h"
#include "proxy/base/socket_listener.h"
#include "proxy/base/uv_mailbox.h"

namespace base {
namespace {

constexpr size_t kReadBufferBytes = 64 << 10;

struct SignalWatch {
  uv_signal_t handle;
  UvLoop* loop;
  std::function<void(int)> seen;
};

template <class T>
uv_handle_t* handle_of(T& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle);
}

}  // namespace

// A turn: libuv's timers, `prepare`, waiting, callbacks of sockets, mailbox and signals, `check`.
struct UvLoop::Parts {
  explicit Parts(Instant now) : wheel(now) {}
  TimerWheel wheel;
  PollPool poll_pool;
  LateReports late_reports;
  std::vector<std::unique_ptr<Disposable>> disposed;
  std::shared_ptr<UvMailbox> mailbox;
  std::vector<std::unique_ptr<SignalWatch>> signals;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_timer_t timer;  // armed for the wheel's next look or earlier
  bool timer_is_armed = false;
  int64_t timer_due_ms = 0;  // in the loop's time
};

UvLoop::UvLoop()
    : loop_(std::make_unique<uv_loop_t>()),
      parts_(std::make_unique<Parts>(fresh())),
      read_buffer_(kReadBufferBytes),
      now_(parts_->wheel.now()) {
  CHECK(uv_loop_init(loop_.get()) == 0);
  loop_->data = this;
  uv_prepare_init(loop_.get(), &parts_->prepare);
  uv_check_init(loop_.get(), &parts_->check);
  uv_timer_init(loop_.get(), &parts_->timer);
  // Before waiting as well as after: timers and whoever used the loop before run() leave things
  // too.
  uv_prepare_start(&parts_->prepare, [](uv_prepare_t* prepare) {
    auto* loop = static_cast<UvLoop*>(prepare->loop->data);
    loop->finish_turn();
    loop->arm_timer();
  });
  uv_check_start(&parts_->check,
                 [](uv_check_t* check) { static_cast<UvLoop*>(check->loop->data)->finish_turn(); });
  parts_->mailbox = std::make_shared<UvMailbox>(loop_.get(), [this] { begin_turn(); });
}

UvLoop::~UvLoop() {
  parts_->mailbox->close();
  while (!parts_->disposed.empty()) {
    const auto last = std::move(parts_->disposed);
    parts_->disposed.clear();
  }
  uv_close(handle_of(parts_->prepare), nullptr);
  uv_close(handle_of(parts_->check), nullptr);
  uv_close(handle_of(parts_->timer), nullptr);
  for (const auto& watch : parts_->signals) uv_close(handle_of(watch->handle), nullptr);
  uv_walk(
      loop_.get(),
      [](uv_handle_t* handle, void*) {
        if (uv_is_closing(handle)) return;
        if (handle->type == UV_POLL) PollHandle::leave_loop(handle);
        uv_close(handle, nullptr);
      },
      nullptr);
  while (uv_run(loop_.get(), UV_RUN_DEFAULT) != 0) {
  }
  CHECK(uv_loop_close(loop_.get()) == 0);
}

WallTime UvLoop::wall() const { return SystemClock().wall(); }
Instant UvLoop::fresh() const { return SystemClock().now(); }

TimerWheel& UvLoop::timers() {
  if (!is_running_) read_time();  // outside of turns nobody else does
  return parts_->wheel;
}

PollPool& UvLoop::poll_pool() { return parts_->poll_pool; }
LateReports& UvLoop::late_reports() { return parts_->late_reports; }
Mailbox& UvLoop::mailbox() { return *parts_->mailbox; }
std::shared_ptr<Mailbox> UvLoop::share_mailbox() { return parts_->mailbox; }

std::unique_ptr<Connecting> UvLoop::connect(const Address& to, ConnectHandler& handler) {
  return SocketConnecting::start(*this, to, handler);
}

std::unique_ptr<Connecting> UvLoop::connect_unix(const std::string& path, ConnectHandler& handler) {
  return SocketConnecting::start_unix(*this, path, handler);
}

Result<std::unique_ptr<Listener>> UvLoop::listen(const Address& at, bool reuse_port,
                                                 AcceptHandler& handler) {
  return SocketListener::listen(*this, at, reuse_port, handler);
}

Result<std::unique_ptr<Listener>> UvLoop::listen_unix(const std::string& path, int mode,
                                                      AcceptHandler& handler, bool replace) {
  return SocketListener::listen_unix(*this, path, mode, replace, handler);
}

Result<std::unique_ptr<Listener>> UvLoop::adopt_listener(int descriptor, AcceptHandler& handler) {
  return SocketListener::adopt(*this, descriptor, handler);
}

Result<std::unique_ptr<Stream>> UvLoop::adopt_stream(int descriptor, Side side) {
  fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
  Result<PollHandle> handle = PollHandle::open(*this, descriptor, nullptr);
  if (!handle) return fail(handle.error());
  return std::make_unique<SocketStream>(*this, std::move(*handle), Address{}, side);
}

void UvLoop::dispose(std::unique_ptr<Disposable> object) {
  parts_->disposed.push_back(std::move(object));
}

void UvLoop::on_signal(int number, std::function<void(int)> seen) {
  auto watch = std::make_unique<SignalWatch>();
  watch->loop = this;
  watch->seen = std::move(seen);
  watch->handle.data = watch.get();
  CHECK(uv_signal_init(loop_.get(), &watch->handle) == 0);
  const int error = uv_signal_start(
      &watch->handle,
      [](uv_signal_t* handle, int arrived) {
        auto* self = static_cast<SignalWatch*>(handle->data);
        self->loop->begin_turn();
        self->seen(arrived);
      },
      number);
  CHECK(error == 0);
  parts_->signals.push_back(std::move(watch));
}

void UvLoop::run() {
  is_running_ = true;
  read_time();
  uv_run(loop_.get(), UV_RUN_DEFAULT);
  is_running_ = false;
}

void UvLoop::run_turn() {
  if (!parts_->late_reports.is_empty() || !parts_->disposed.empty()) return finish_turn();
  is_running_ = true;
  read_time();
  uv_run(loop_.get(), UV_RUN_ONCE);
  is_running_ = false;
}

void UvLoop::stop() { uv_stop(loop_.get()); }

void UvLoop::read_time() {
  now_ = fresh();
  time_is_old_ = false;
  parts_->wheel.set_now(now_);
}

void UvLoop::finish_turn() {
  while (!parts_->late_reports.is_empty() || !parts_->disposed.empty()) {
    begin_turn();
    parts_->late_reports.report_all();
    const auto gone = std::move(parts_->disposed);
    parts_->disposed.clear();
  }
  time_is_old_ = true;
}

void UvLoop::arm_timer() {
  const Millis wait = parts_->wheel.until_next();
  if (wait == Millis::max()) return;
  // libuv counts in whole milliseconds of the same clock.
  const int64_t due_ms = std::chrono::ceil<Millis>((now_ + wait).time_since_epoch()).count();
  if (parts_->timer_is_armed && parts_->timer_due_ms <= due_ms) return;
  parts_->timer_is_armed = true;
  parts_->timer_due_ms = due_ms;
  const int64_t loop_ms = static_cast<int64_t>(uv_now(loop_.get()));
  uv_timer_start(
      &parts_->timer,
      [](uv_timer_t* timer) {
        auto* loop = static_cast<UvLoop*>(timer->loop->data);
        loop->parts_->timer_is_armed = false;
        loop->begin_turn();
        loop->parts_->wheel.advance(loop->now_);
      },
      static_cast<uint64_t>(std::max<int64_t>(due_ms - loop_ms, 0)), 0);
}

}  // namespace base
