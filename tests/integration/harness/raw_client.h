// A client that sends exactly the bytes it is given and reads what comes, with deadlines. Blocking,
// one thread. It understands just enough HTTP to tell where an answer ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/harness/deadline.h"

namespace harness {

struct Answer {
  int status = 0;
  std::string head;  // as it came, with the empty line
  std::string body;  // chunks decoded
  std::vector<std::pair<std::string, std::string>> fields;
  bool whole = false;            // the body ended as its head promised
  bool keeps_connection = true;  // what the head says

  std::string field(std::string_view name) const;  // the first one's value, or ""
  std::vector<std::string> all(std::string_view name) const;
  // The value of the cookie that a Set-Cookie line sets ("" when none does).
  std::string set_cookie(std::string_view name) const;
};

// A connected socket with a deadline for each operation.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() { close(); }
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  static Socket connect(uint16_t port, Millis within = Millis{5'000}, int receive_buffer = 0);
  static Socket connect_unix(const std::string& path);

  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }
  // false: the peer is gone (or took nothing until the deadline).
  bool send(std::string_view bytes, Millis within = Millis{10'000});
  // Appends what is there; 0 at the end, -1 after a reset, -2 when nothing came until the deadline.
  int receive(std::string& to, size_t most, Millis within);
  void finish();  // FIN: nothing more will be sent
  void reset();   // RST
  void close();

 private:
  int descriptor_ = -1;
};

class RawClient {
 public:
  // A small receive buffer makes a client that reads slowly hold the sender up at once.
  explicit RawClient(uint16_t port, Millis within = Millis{20'000}, int receive_buffer = 0);

  RawClient& send(std::string_view bytes);
  RawClient& send_by_byte(std::string_view bytes);
  // The next answer, interim ones skipped. Throws when the connection ends before a head or the
  // deadline passes; a body that is cut gives whole = false.
  Answer read_answer(bool to_head_request = false);
  std::string read_exactly(size_t bytes);
  std::string read_until_close();
  bool is_closed_within(Millis within);  // by the peer, without another byte
  Socket& socket() { return socket_; }
  // Bytes that came and were not asked for yet.
  std::string& pending() { return pending_; }

 private:
  bool more();  // reads once; false at the end
  Socket socket_;
  Millis within_;
  std::string pending_;
};

// One request on a connection of its own. `fields`: whole lines with \r\n.
Answer get(uint16_t port, const std::string& target, const std::string& fields = "");
Answer post(uint16_t port, const std::string& target, const std::string& body,
            const std::string& fields = "");

// A port that nothing listens on (bound and closed again).
uint16_t unused_port();

}  // namespace harness
