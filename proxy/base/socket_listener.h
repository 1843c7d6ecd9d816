// A listening socket, TCP or Unix, on a UvLoop.
#pragma once

#include <memory>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/base/mortal.h"
#include "proxy/base/poll_handle.h"

namespace base {

class SocketListener final : public Listener, private PollTarget {
 public:
  static Result<std::unique_ptr<Listener>> listen(UvLoop& loop, const Address& at, bool reuse_port,
                                                  AcceptHandler& handler);
  static Result<std::unique_ptr<Listener>> listen_unix(UvLoop& loop, const std::string& path,
                                                       int mode, bool replace,
                                                       AcceptHandler& handler);
  static Result<std::unique_ptr<Listener>> adopt(UvLoop& loop, int descriptor,
                                                 AcceptHandler& handler);
  ~SocketListener() override;

  Address bound() const override;
  void pause() override;
  void resume() override;
  int descriptor() const { return handle_.descriptor(); }
  bool is_named() const;

 private:
  SocketListener(UvLoop& loop, AcceptHandler& handler);
  void on_poll(int status, int events) override;
  void on_rested();

  UvLoop& loop_;
  AcceptHandler& handler_;
  PollHandle handle_;
  Timer rest_;  // no descriptor was free: tried again when this fires
  bool paused_ = false;
  Mortal mortal_;
  std::string unix_path_;
  uint64_t unix_device_ = 0;  // of the file that was ours
  uint64_t unix_inode_ = 0;
};

}  // namespace base
