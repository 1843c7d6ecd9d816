// A websocket of a browser: masked frames out, plain frames in; text and close are enough here.
#pragma once

#include <string>

#include "tests/integration/harness/raw_client.h"

namespace harness {

class WebsocketClient {
 public:
  explicit WebsocketClient(uint16_t port, const std::string& fields = "") : client_(port) {
    client_.send(
        "GET /websocket HTTP/1.1\r\nHost: erp.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Origin: http://erp.test\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
        fields + "\r\n");
    answer_ = client_.read_answer();
    if (answer_.status != 101) throw Failure("no websocket: " + answer_.head);
  }

  const Answer& answer() const { return answer_; }

  void send_text(const std::string& text) { client_.send(frame(1, text)); }
  // The next frame's opcode and content.
  std::pair<int, std::string> read_frame() {
    const std::string head = client_.read_exactly(2);
    size_t length = static_cast<unsigned char>(head[1]) & 0x7f;
    if (length == 126) {
      const std::string more = client_.read_exactly(2);
      length = static_cast<size_t>(static_cast<unsigned char>(more[0])) << 8 |
               static_cast<unsigned char>(more[1]);
    } else if (length == 127) {
      throw Failure("a frame longer than a test sends");
    }
    return {head[0] & 0x0f, client_.read_exactly(length)};
  }
  std::string echo(const std::string& text) {
    send_text(text);
    for (;;) {
      auto [opcode, content] = read_frame();
      if (opcode == 1) return content;
      if (opcode == 8) throw Failure("closed instead of an echo");
    }
  }
  // Reads until a close frame comes, answers it, and returns its code (0: the connection ended).
  int wait_for_close() {
    try {
      for (;;) {
        auto [opcode, content] = read_frame();
        if (opcode != 8) continue;
        client_.send(frame(8, content));
        return content.size() < 2 ? 1005
                                  : static_cast<unsigned char>(content[0]) << 8 |
                                        static_cast<unsigned char>(content[1]);
      }
    } catch (const Failure&) {
      return 0;
    }
  }
  RawClient& client() { return client_; }

 private:
  static std::string frame(int opcode, const std::string& content) {
    std::string bytes(1, static_cast<char>(0x80 | opcode));
    if (content.size() < 126) {
      bytes += static_cast<char>(0x80 | content.size());
    } else {
      bytes += static_cast<char>(0x80 | 126);
      bytes += static_cast<char>(content.size() >> 8);
      bytes += static_cast<char>(content.size() & 0xff);
    }
    const char mask[4] = {0x12, 0x34, 0x56, 0x78};
    bytes.append(mask, 4);
    for (size_t i = 0; i < content.size(); ++i) {
      bytes += static_cast<char>(content[i] ^ mask[i % 4]);
    }
    return bytes;
  }

  RawClient client_;
  Answer answer_;
};

}  // namespace harness
