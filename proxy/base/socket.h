// The Stream over a real socket. Owned by whoever serves the connection; may be destroyed inside
// any callback of its own.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "proxy/base/late_report.h"
#include "proxy/base/mortal.h"
#include "proxy/base/poll_handle.h"
#include "proxy/base/stream.h"

namespace base {

class Listener;

class SocketStream final : public Stream, private PollTarget, private LateReport {
 public:
  // `side` is who sits at the other end: it names the errors (client_gone, backend_reset).
  SocketStream(UvLoop& loop, PollHandle handle, const Address& peer, Side side);
  ~SocketStream() override;

  void set_handler(StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override;
  void pause_reading() override { reading_ = false; }
  void write(std::span<const std::string_view> pieces) override;
  using Stream::write;
  size_t pending() const override { return pending_.size() - pending_sent_; }
  void finish_writing() override;
  void reset_on_close() override { reset_on_close_ = true; }
  bool peer_has_reset() const override;
  Address peer() const override { return peer_; }

  int descriptor() const { return handle_.descriptor(); }

 private:
  void on_poll(int status, int events) override;
  void report() override;

  void read_ready(const Watch& watch);
  void write_ready();
  void error_ready(const Watch& watch);
  void keep(std::string_view piece);
  void shut_down();
  // Something failed: tell the handler later, or now as the last thing of a callback.
  void break_later(int errno_value);
  void break_now(int errno_value);
  bool wants_bytes() const { return reading_ && !ended_; }
  int wanted() const;

  UvLoop& loop_;
  PollHandle handle_;
  StreamHandler* handler_ = nullptr;
  Mortal mortal_;
  std::string pending_;      // what the kernel did not take; mostly empty
  size_t pending_sent_ = 0;  // of pending_
  Address peer_;
  int broken_errno_ = 0;
  Side side_;
  bool reading_ = false;    // the owner wants bytes
  bool ended_ = false;      // FIN was seen
  bool broken_ = false;     // no further reading or writing; told, or to be told by report()
  bool finishing_ = false;  // FIN is sent or follows what is pending
  bool reset_on_close_ = false;
  bool has_urgent_ = false;  // the peer sent urgent data: do not watch for it again
};

// The process at the other end of a Unix socket; nothing for other streams.
struct PeerIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
};
std::optional<PeerIdentity> peer_identity(const Stream& stream);

// The descriptor behind a stream or listener of a UvLoop, still owned by it (for handing over); -1
// for others.
int descriptor_of(const Stream& stream);
int descriptor_of(const Listener& listener);
// Is the file of a listening Unix socket still there, and not another one's?
bool is_named(const Listener& listener);

}  // namespace base
