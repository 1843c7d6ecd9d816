// What single-threaded code may ask of its event loop: time, timers, connections, listening
// sockets, and destruction at the end of a turn. Belongs to one thread.
#pragma once

#include <functional>
#include <memory>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "proxy/base/stream.h"
#include "proxy/base/timer_wheel.h"

namespace base {

// Told how a connect ended; exactly one of the two, never from inside Loop::connect.
class ConnectHandler {
 public:
  virtual void on_connected(std::unique_ptr<Stream> stream) = 0;
  virtual void on_connect_failed(const Error& error) = 0;

 protected:
  ~ConnectHandler() = default;
};

// A connect under way. Destroying it cancels it.
class Connecting {
 public:
  virtual ~Connecting() = default;
};

class AcceptHandler {
 public:
  virtual void on_accepted(std::unique_ptr<Stream> stream) = 0;

 protected:
  ~AcceptHandler() = default;
};

// A listening socket. Destroying it closes it.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual Address bound() const = 0;  // with the port that the kernel chose
  // Stops and starts taking connections without closing the socket (overload, shutdown).
  virtual void pause() = 0;
  virtual void resume() = 0;
};

// Anything that may not be destroyed under its own callback.
class Disposable {
 public:
  virtual ~Disposable() = default;
};

class Loop : public Clock {
 public:
  // now(): read once a turn, cheap. fresh(): reads the clock.
  virtual Instant fresh() const = 0;
  virtual TimerWheel& timers() = 0;
  virtual std::unique_ptr<Connecting> connect(const Address& to, ConnectHandler& handler) = 0;
  // reuse_port: several loops may listen on one address and share its connections.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& at, bool reuse_port,
                                                   AcceptHandler& handler) = 0;
  // Destroys `object` when this turn ends.
  virtual void dispose(std::unique_ptr<Disposable> object) = 0;
};

}  // namespace base
