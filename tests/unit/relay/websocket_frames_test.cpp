#include "proxy/relay/websocket_frames.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

// A frame with a payload of so many bytes.
std::string frame(int first_byte, size_t size, bool masked) {
  std::string bytes(1, static_cast<char>(first_byte));
  const int mask_bit = masked ? 0x80 : 0;
  if (size < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(size));
  } else if (size < 65536) {
    bytes += static_cast<char>(mask_bit | 126);
    bytes += static_cast<char>(size >> 8);
    bytes += static_cast<char>(size & 0xff);
  } else {
    bytes += static_cast<char>(mask_bit | 127);
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  }
  if (masked) bytes += "\x81\x7f\xfe\x88";  // looks like headers, and is none
  bytes += std::string(size, '\x88');       // so does the payload
  return bytes;
}

struct Walk {
  std::vector<size_t> ends;  // where a frame was found to end
  bool closed = false;
};

// Reads `bytes` in pieces of `size`.
Walk walk(std::string_view bytes, size_t size) {
  Walk walk;
  FrameWalker walker;
  size_t at = 0;
  while (at < bytes.size()) {
    std::string_view piece = bytes.substr(at, size);
    while (!piece.empty()) {
      const size_t used = walker.step(piece);
      if (used == 0 || used > piece.size()) {
        ADD_FAILURE() << "step() used " << used << " of " << piece.size();
        return walk;
      }
      at += used;
      piece.remove_prefix(used);
      if (walker.at_boundary()) walk.ends.push_back(at);
    }
  }
  walk.closed = walker.has_closed();
  return walk;
}

TEST(FrameWalker, FindsTheSameEndsHoweverTheBytesCome) {
  std::string bytes;
  std::vector<size_t> ends;
  for (const bool masked : {false, true}) {
    for (const size_t size : {0u, 1u, 125u, 126u, 127u, 300u, 65535u, 65536u, 70000u}) {
      for (const int first : {0x81, 0x01, 0x80, 0x89, 0xc2, 0xff}) {
        bytes += frame(first, size, masked);
        ends.push_back(bytes.size());
        if (size > 300 && first != 0x81) break;
      }
    }
  }
  for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{64}, bytes.size()}) {
    EXPECT_EQ(walk(bytes, size).ends, ends) << "in pieces of " << size;
  }
}

TEST(FrameWalker, FindsTheEndAtEverySplitOfOneFrame) {
  for (const bool masked : {false, true}) {
    for (const size_t payload : {0u, 5u, 130u}) {
      const std::string bytes = frame(0x81, payload, masked);
      for (size_t cut = 0; cut <= bytes.size(); ++cut) {
        FrameWalker walker;
        std::string_view first = std::string_view(bytes).substr(0, cut);
        while (!first.empty()) first.remove_prefix(walker.step(first));
        const bool is_whole = cut == 0 || cut == bytes.size();
        EXPECT_EQ(walker.at_boundary(), is_whole) << "after " << cut;
        std::string_view rest = std::string_view(bytes).substr(cut);
        while (!rest.empty()) rest.remove_prefix(walker.step(rest));
        EXPECT_TRUE(walker.at_boundary());
      }
    }
  }
}

TEST(FrameWalker, KnowsACloseFrameOnlyWhenItIsWhole) {
  const std::string close = frame(0x88, 2, true);
  FrameWalker walker;
  for (size_t i = 0; i + 1 < close.size(); ++i) walker.step(close.substr(i, 1));
  EXPECT_FALSE(walker.has_closed());
  walker.step(close.substr(close.size() - 1));
  EXPECT_TRUE(walker.has_closed());
}

TEST(FrameWalker, KnowsAnEmptyCloseFrame) { EXPECT_TRUE(walk(frame(0x88, 0, false), 1).closed); }

TEST(FrameWalker, TakesNoOtherFrameForAClose) {
  for (const int first : {0x81, 0x82, 0x80, 0x89, 0x8a, 0x00}) {
    EXPECT_FALSE(walk(frame(first, 2, false), 3).closed) << first;
  }
}

TEST(FrameWalker, DoesNotOverflowWithTheLargestLength) {
  std::string bytes = {'\x82', '\x7f'};
  bytes += std::string(8, '\xff');
  bytes += std::string(100, 'x');
  EXPECT_TRUE(walk(bytes, 7).ends.empty());
}

TEST(CloseFrame, IsNotMaskedTowardsAClient) {
  EXPECT_EQ(close_frame(1012, false, 0).view(), std::string_view("\x88\x02\x03\xf4", 4));
}

TEST(CloseFrame, IsMaskedTowardsABackend) {
  const CloseFrame frame = close_frame(1001, true, 0x44332211);
  const std::string_view bytes = frame.view();
  ASSERT_EQ(bytes.size(), 8u);
  EXPECT_EQ(bytes.substr(0, 6), "\x88\x82\x11\x22\x33\x44");
  const int code =
      (static_cast<uint8_t>(bytes[6]) ^ 0x11) << 8 | (static_cast<uint8_t>(bytes[7]) ^ 0x22);
  EXPECT_EQ(code, 1001);
}

}  // namespace
}  // namespace relay
