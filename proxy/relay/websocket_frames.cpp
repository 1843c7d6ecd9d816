#include "proxy/relay/websocket_frames.h"

#include <algorithm>

namespace relay {

size_t FrameWalker::header_need() const {
  if (header_have_ < 2) return 2;
  const size_t mask = (header_[1] & 0x80) != 0 ? 4 : 0;
  const uint8_t length = header_[1] & 0x7f;
  if (length == 126) return 4 + mask;
  if (length == 127) return 10 + mask;
  return 2 + mask;
}

size_t FrameWalker::step(std::string_view bytes) {
  size_t used = 0;
  if (payload_left_ == 0) {
    while (used < bytes.size() && header_have_ < header_need()) {
      header_[header_have_++] = static_cast<uint8_t>(bytes[used++]);
    }
    if (header_have_ < header_need()) return used;
    const uint8_t length = header_[1] & 0x7f;
    const size_t extended = length == 126 ? 2 : (length == 127 ? 8 : 0);
    payload_left_ = extended == 0 ? length : 0;
    for (size_t i = 0; i < extended; ++i) payload_left_ = payload_left_ << 8 | header_[2 + i];
    closing_ = (header_[0] & 0x0f) == 8;
    header_have_ = 0;
  }
  const size_t take = static_cast<size_t>(
      std::min<uint64_t>(payload_left_, static_cast<uint64_t>(bytes.size() - used)));
  payload_left_ -= take;
  used += take;
  if (payload_left_ == 0 && closing_) closed_ = true;
  return used;
}

CloseFrame close_frame(uint16_t code, bool masked, uint32_t mask) {
  CloseFrame frame;
  const std::array<uint8_t, 2> payload = {static_cast<uint8_t>(code >> 8),
                                          static_cast<uint8_t>(code & 0xff)};
  frame.bytes[frame.size++] = static_cast<char>(0x88);
  frame.bytes[frame.size++] = static_cast<char>(masked ? 0x82 : 0x02);
  std::array<uint8_t, 4> key{};
  if (masked) {
    for (size_t i = 0; i < key.size(); ++i) {
      key[i] = static_cast<uint8_t>(mask >> (8 * i));
      frame.bytes[frame.size++] = static_cast<char>(key[i]);
    }
  }
  for (size_t i = 0; i < payload.size(); ++i) {
    frame.bytes[frame.size++] = static_cast<char>(payload[i] ^ key[i]);
  }
  return frame;
}

}  // namespace relay
