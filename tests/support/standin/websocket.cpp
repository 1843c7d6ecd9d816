#include "tests/support/standin/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <strings.h>

#include <array>

namespace standin {
namespace {

constexpr uint64_t kMessageMax = 1 << 20;

struct Head {
  size_t bytes = 0;  // 0: not whole
  uint64_t payload = 0;
};

Head head_of(std::string_view in) {
  if (in.size() < 2) return {};
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(in[at]); };
  const uint8_t length = byte(1) & 0x7f;
  const size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (in.size() < 2 + extra + 4) return {};
  Head head{2 + extra + 4, length};
  if (extra > 0) head.payload = 0;
  for (size_t i = 0; i < extra; ++i) head.payload = head.payload << 8 | byte(2 + i);
  return head;
}

}  // namespace

bool is_upgrade(const Request& request) {
  const std::string upgrade(request.header("Upgrade").value_or(""));
  return request.path == "/websocket" && strcasecmp(upgrade.c_str(), "websocket") == 0;
}

int handshake_fault(const Request& request) {
  if (!request.header("Origin") || !request.header("Sec-WebSocket-Key")) return 400;
  if (request.header("Sec-WebSocket-Version").value_or("") != "13") return 500;
  return 0;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
  return std::string(reinterpret_cast<const char*>(encoded.data()), static_cast<size_t>(size));
}

std::string frame(uint8_t first_byte, std::string_view payload) {
  std::string out(1, static_cast<char>(first_byte));
  const size_t size = payload.size();
  if (size < 126) {
    out.push_back(static_cast<char>(size));
  } else {
    const int bytes = size < 65'536 ? 2 : 8;
    out.push_back(bytes == 2 ? 126 : 127);
    for (int i = bytes - 1; i >= 0; --i)
      out.push_back(static_cast<char>(uint64_t{size} >> (8 * i)));
  }
  return out.append(payload);
}

std::string close_frame(uint16_t code) {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)});
}

bool take_frames(std::string& in, std::string& out) {
  size_t at = 0;
  bool stays = true;
  while (stays) {
    const std::string_view rest = std::string_view(in).substr(at);
    if (rest.size() >= 2 && (rest[1] & 0x80) == 0) {  // clients must mask
      out += close_frame(1002);
      stays = false;
      break;
    }
    const Head head = head_of(rest);
    if (head.bytes == 0) break;
    if (head.payload > kMessageMax) {
      out += close_frame(1009);
      stays = false;
      break;
    }
    if (rest.size() < head.bytes + head.payload) break;
    const std::string_view mask = rest.substr(head.bytes - 4, 4);
    std::string payload(rest.substr(head.bytes, head.payload));
    for (size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    }
    at += head.bytes + head.payload;
    const uint8_t first = static_cast<uint8_t>(rest[0]);
    const int opcode = first & 0x0f;
    if (opcode == 9) out += frame(0x8a, payload);
    if (opcode == 8) {
      out += frame(0x88, payload.substr(0, 2));
      stays = false;
    }
    if (opcode < 8) out += frame(first, payload);
  }
  in.erase(0, at);
  return stays;
}

}  // namespace standin
