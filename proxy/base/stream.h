// One connection's bytes, both ways, on one loop. The relay sees only this: real sockets, memory
// and the hostile network of the simulation are its implementations.
#pragma once

#include <span>
#include <string_view>

#include "proxy/base/address.h"
#include "proxy/base/error.h"

namespace base {

// What a stream tells its owner. The owner may destroy the stream inside any of these calls.
class StreamHandler {
 public:
  // `bytes` lives only during the call (a buffer shared by the whole loop).
  virtual void on_bytes(std::string_view bytes) = 0;
  // The peer will send no more (a clean FIN); it may still read.
  virtual void on_end() = 0;
  // Reset or unusable: nothing more can be read or written. Last call.
  virtual void on_broken(const Error& error) = 0;
  // What write() kept has reached the kernel: pending() is 0 again.
  virtual void on_flushed() = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;  // closes; what is still pending is lost

  virtual void set_handler(StreamHandler* handler) = 0;

  // Reading is off at first. While it is off a reset by the peer may go unnoticed.
  virtual void resume_reading() = 0;
  virtual void pause_reading() = 0;

  // Gives the pieces to the kernel at once as far as it takes them, and keeps a copy of the rest
  // (pending). Callers that must bound memory wait for on_flushed before they write again.
  // A failed write is reported by on_broken, later, never from inside.
  virtual void write(std::span<const std::string_view> pieces) = 0;
  void write(std::string_view piece) { write(std::span(&piece, 1)); }
  virtual size_t pending() const = 0;

  // FIN after what is pending. Reading goes on.
  virtual void finish_writing() = 0;
  // The destructor then sends RST instead of FIN: the peer must see that something is missing.
  virtual void reset_on_close() = 0;

  // After on_end: has the peer reset meanwhile? For the last question before an answer counts as
  // delivered to a client that had stopped sending.
  virtual bool peer_has_reset() const { return false; }

  virtual Address peer() const = 0;
};

}  // namespace base
