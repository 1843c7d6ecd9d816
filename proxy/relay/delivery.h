// An answer's bytes on their way to the client: gathered within one event, written at once, and
// what the client does not take yet waits in a spool, so that a slow reader never holds a slot.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "proxy/base/spool.h"
#include "proxy/base/stream.h"

namespace relay {

class Delivery {
 public:
  explicit Delivery(base::SpoolBudget& budget) : spool_(budget) {}

  void begin(base::Stream& to, bool spools);
  // The client is gone: what still comes is thrown away.
  void drop();
  bool is_dropped() const { return to_ == nullptr; }

  // `piece` must stay valid until flush(), which comes before the end of this event.
  void add(std::string_view piece);
  void flush();
  // Forgets what was added since. True: nothing of this answer has gone out.
  bool take_back();
  // Keeps the bytes without sending them: an answer that is held back until it is whole.
  base::Result<> hold_back(std::string_view piece) { return spool_.append(piece); }
  size_t held_back() const { return spool_.size(); }

  // The client's stream has nothing pending any more: sends on from the spool.
  void pump();

  // Bytes that the kernel has not taken yet.
  size_t waiting() const;
  bool is_drained() const { return waiting() == 0; }
  // Must the backend pause? Either we do not spool here, or memory and disk are used up.
  bool must_pause(size_t waiting_max) const;
  int64_t bytes_given() const { return bytes_given_; }  // to the stream
  int64_t bytes_spooled() const { return bytes_spooled_; }
  base::Result<> fault() const { return fault_; }  // a spool that broke (disk)

 private:
  void keep(std::string_view piece);

  base::Stream* to_ = nullptr;
  base::Spool spool_;
  std::string overflow_;  // what the spool refused; the backend pauses until it is gone
  std::array<std::string_view, 16> pieces_;
  size_t count_ = 0;
  int64_t bytes_given_ = 0;
  int64_t bytes_spooled_ = 0;
  bool spools_ = true;
  base::Result<> fault_;
};

}  // namespace relay
