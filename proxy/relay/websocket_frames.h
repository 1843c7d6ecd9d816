// Follows the frames of one direction of a websocket by their headers (RFC 6455 5.2), so that a
// close frame of ours can go between two of them and never inside one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace relay {

class FrameWalker {
 public:
  // How many of the bytes go up to and including the end of the frame in hand; all of them when
  // it does not end here. Stops at every frame's end.
  size_t step(std::string_view bytes);
  bool at_boundary() const { return header_have_ == 0 && payload_left_ == 0; }
  // A close frame has passed: nothing may follow it.
  bool has_closed() const { return closed_; }

 private:
  size_t header_need() const;
  std::array<uint8_t, 14> header_{};
  size_t header_have_ = 0;
  uint64_t payload_left_ = 0;
  bool closing_ = false;  // the frame in hand is a close frame
  bool closed_ = false;
};

// A close frame with a status code. To a client unmasked, to a backend masked (RFC 6455 5.1).
struct CloseFrame {
  std::array<char, 8> bytes{};
  size_t size = 0;
  std::string_view view() const { return {bytes.data(), size}; }
};
CloseFrame close_frame(uint16_t code, bool masked, uint32_t mask);

}  // namespace relay
