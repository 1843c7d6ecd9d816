// A connect under way on a real socket.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/base/late_report.h"
#include "proxy/base/loop.h"
#include "proxy/base/poll_handle.h"
#include "proxy/base/socket_address.h"

namespace base {

class SocketConnecting final : public Connecting, private PollTarget, private LateReport {
 public:
  static std::unique_ptr<Connecting> start(UvLoop& loop, const Address& to,
                                           ConnectHandler& handler);
  static std::unique_ptr<Connecting> start_unix(UvLoop& loop, const std::string& path,
                                                ConnectHandler& handler);

 private:
  SocketConnecting(UvLoop& loop, const Address& to, ConnectHandler& handler)
      : loop_(loop), to_(to), handler_(handler) {}
  void begin(const SocketAddress& to);
  void on_poll(int status, int events) override;
  void report() override;
  void fail_later(Error error);
  bool is_own_echo() const;

  UvLoop& loop_;
  Address to_;
  ConnectHandler& handler_;
  PollHandle handle_;
  std::optional<Error> error_;  // to be reported
};

}  // namespace base
