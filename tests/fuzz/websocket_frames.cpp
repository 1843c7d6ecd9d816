// Websocket frames: the boundaries do not depend on how the bytes were cut, and they are those that
// a plainer reader finds.
#include "proxy/relay/websocket_frames.h"

#include <vector>

#include "tests/fuzz/targets.h"

namespace {

// Ends of frames as offsets, read by position (RFC 6455 5.2).
std::vector<size_t> read_boundaries(std::string_view bytes) {
  std::vector<size_t> ends;
  size_t at = 0;
  const auto byte = [&](size_t index) { return static_cast<uint8_t>(bytes[index]); };
  while (at + 2 <= bytes.size()) {
    uint64_t payload = byte(at + 1) & 0x7f;
    size_t head = 2;
    if (payload >= 126) {
      const size_t wide = payload == 126 ? 2 : 8;
      head += wide;
      if (at + head > bytes.size()) break;
      payload = 0;
      for (size_t i = 0; i < wide; ++i) payload = payload << 8 | byte(at + 2 + i);
    }
    if ((byte(at + 1) & 0x80) != 0) head += 4;
    if (at + head > bytes.size() || payload > bytes.size() - at - head) break;
    at += head + payload;
    ends.push_back(at);
  }
  return ends;
}

std::vector<size_t> walk(std::string_view bytes, size_t piece) {
  relay::FrameWalker walker;
  std::vector<size_t> ends;
  size_t at = 0;
  while (at < bytes.size()) {
    const std::string_view part = bytes.substr(at, piece);
    const size_t used = walker.step(part);
    if (used == 0 || used > part.size()) fuzz_fault("takes nothing, or what is not there");
    at += used;
    if (walker.at_boundary()) ends.push_back(at);
  }
  return ends;
}

}  // namespace

int websocket_frames_one(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::vector<size_t> plain = read_boundaries(bytes);
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size + 1}) {
    if (walk(bytes, piece) != plain) fuzz_fault("other boundaries");
  }
  // Our own close frame is one frame, whoever it goes to.
  const auto code = static_cast<uint16_t>(1000 + size % 16);
  for (const bool masked : {false, true}) {
    const relay::CloseFrame frame = relay::close_frame(code, masked, static_cast<uint32_t>(size));
    if (read_boundaries(frame.view()) != std::vector<size_t>{frame.size}) fuzz_fault("no frame");
    relay::FrameWalker walker;
    walker.step(frame.view());
    if (!walker.has_closed()) fuzz_fault("a close frame that does not close");
  }
  return 0;
}
