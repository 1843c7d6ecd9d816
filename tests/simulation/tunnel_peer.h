// One end of a websocket after its 101: says frames whose payload tells where it stands, reads the
// other's, and notes what was said and heard in the ledger.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "tests/simulation/ledger.h"
#include "tests/simulation/network.h"
#include "tests/simulation/pattern.h"

namespace simulation {

// A frame whose payload goes on where this side's last one ended.
std::string make_frame(World& world, Request& request, bool is_client, int opcode, size_t size);

class TunnelPeer {
 public:
  enum class Ending { close_frame, fin, reset, waits };

  // `stream` outlives this; `end`: the owner closes or resets it.
  TunnelPeer(World& world, SimLoop& loop, Request& request, bool is_client, SimStream& stream,
             bool may_break, std::function<void(bool reset)> end);

  void start();  // begins to talk
  void on_bytes(std::string_view bytes);
  void on_end();
  void on_broken();
  void stop() {  // its stream goes
    over_ = mine().over = mine().broken = true;
  }

 private:
  TunnelSide& mine() { return is_client_ ? request_.client_side : request_.backend_side; }
  TunnelSide& theirs() { return is_client_ ? request_.backend_side : request_.client_side; }
  void talk();
  void say_frame();
  void say_close(int code);
  void hang_up();
  void finish_ending();
  void finish_sending();
  void expect_end();
  void take_frame_header();
  void take_close();

  World& world_;
  SimLoop& loop_;
  Request& request_;
  const bool is_client_;
  SimStream& stream_;
  std::function<void(bool)> end_;
  Ending ending_;
  int frames_left_;
  nanoseconds gap_;
  bool leaves_frame_open_ = false;
  bool pours_ = false;
  bool pauses_ = false;
  bool over_ = false;

  // The frame being read.
  std::string header_;
  uint64_t left_ = 0;
  uint64_t length_ = 0;
  int opcode_ = 0;
  bool masked_ = false;
  std::array<uint8_t, 4> mask_{};
  std::string control_;  // payload of a close frame
};

}  // namespace simulation
