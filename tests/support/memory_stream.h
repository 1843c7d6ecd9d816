// One end of a connection of a MemoryLoop.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "proxy/base/stream.h"
#include "tests/support/memory_loop.h"

namespace support {

// What the two ends share. Index 0 is the end that connected.
struct MemoryPipe {
  struct Direction {
    std::string bytes;   // taken from the writer, not yet given to the reader
    size_t read = 0;     // of `bytes`
    bool ended = false;  // FIN follows the bytes
    size_t size() const { return bytes.size() - read; }
  };
  std::array<Direction, 2> from;            // written by this end
  std::array<bool, 2> reset{false, false};  // this end has got an RST
  std::array<bool, 2> gone{false, false};   // this end was closed
  MemoryNetwork network;
};

class MemoryStream final : public base::Stream {
 public:
  MemoryStream(MemoryLoop& loop, std::shared_ptr<MemoryPipe> pipe, size_t end,
               const base::Address& peer);
  ~MemoryStream() override;

  void set_handler(base::StreamHandler* handler) override { handler_ = handler; }
  void resume_reading() override { reading_ = true; }
  void pause_reading() override { reading_ = false; }
  void write(std::span<const std::string_view> pieces) override;
  using Stream::write;
  size_t pending() const override { return pending_.size() - pending_sent_; }
  void finish_writing() override;
  void reset_on_close() override { reset_on_close_ = true; }
  bool peer_has_reset() const override { return pipe_->reset[end_]; }
  base::Address peer() const override { return peer_; }

  // At most one event; false: there was none. May destroy this object.
  bool run();

 private:
  MemoryPipe::Direction& in() { return pipe_->from[1 - end_]; }
  MemoryPipe::Direction& out() { return pipe_->from[end_]; }
  bool push();
  void give_bytes();
  void break_now();

  MemoryLoop& loop_;
  std::shared_ptr<MemoryPipe> pipe_;
  size_t end_;
  uint64_t id_;
  base::Address peer_;
  base::StreamHandler* handler_ = nullptr;
  std::string pending_;
  size_t pending_sent_ = 0;
  bool reading_ = false;
  bool ended_ = false;         // on_end was called
  bool broken_ = false;        // on_broken was called
  bool write_failed_ = false;  // on_broken follows what can still be read
  bool finishing_ = false;
  bool reset_on_close_ = false;
};

}  // namespace support
