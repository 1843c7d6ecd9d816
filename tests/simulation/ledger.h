// What became of every request: what the client asked and saw, what backends got and said.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/network.h"

namespace simulation {

enum class Way : uint8_t {
  web,
  stream,
  poll,
  websocket,
  assets,
  pinned,
  denied,
  health,
  unknown,
  nonsense,
};

// One request on one backend connection.
struct Attempt {
  int color = 0;
  bool http_port = true;
  std::shared_ptr<const Pipe> pipe;
  uint64_t read_before = 0;  // by the proxy, when this request came
  Instant at;
  uint64_t body_bytes = 0;
  bool request_whole = false;
  int status = 0;       // of the answer that was begun, 0: none
  uint64_t length = 0;  // of its body as it was announced or meant
  bool bodiless = false;
  bool upgraded = false;
  bool truncated = false;  // this answer never comes whole
};

// One direction of a tunnel.
struct TunnelSide {
  uint64_t payload_sent = 0;
  uint64_t payload_got = 0;  // of the other side's
  bool close_sent = false;
  bool close_got = false;    // the other side's
  bool goodbye_got = false;  // the proxy's own
  bool finished = false;     // has sent FIN
  bool broken = false;       // has reset, or left a frame unfinished
  bool over = false;         // has seen the end
};

struct Request {
  uint32_t id = 0;
  Way way = Way::web;
  std::string method;
  int minor = 1;
  bool has_body = false;
  bool chunked = false;
  bool expects = false;
  bool continued = false;  // has got its 100
  bool upgrade = false;
  bool keep_alive = true;
  uint64_t body_length = 0;
  std::string request_id;  // of a trusted client
  int cookie_color = -1;   // of the cookie that was sent
  int cookie_home = -1;
  uint64_t cookie_epoch = 0;
  bool had_session = false;

  Instant begun{};
  Instant sent{};           // its last byte was given to the network
  uint64_t stream_end = 0;  // where it ends in the client's bytes
  bool is_sent = false;
  bool aborted = false;   // the client cut it, or left before it was answered
  bool answered = false;  // a final head came
  bool complete = false;  // the answer was whole, as the client reads it
  bool closed = false;    // the connection ended without a whole answer
  bool excused = false;   // the connection was announced to close before it
  int status = 0;
  bool own = false;  // the proxy's own answer
  uint64_t received = 0;
  Instant done{};
  std::vector<Attempt> attempts;
  TunnelSide client_side;
  TunnelSide backend_side;
};

// Whose answer the user got: the last one's, or, for an asset that the other color had not either,
// the one before. Needs: an attempt, and a head that came.
inline const Attempt& answered_by(const Request& request) {
  const Attempt& last = request.attempts.back();
  if (request.way != Way::assets || request.attempts.size() < 2) return last;
  const Attempt& before = request.attempts[request.attempts.size() - 2];
  if (before.status != 404 && before.status != 303) return last;
  const bool found = (last.status >= 200 && last.status <= 299) || last.status == 304;
  return found && last.status == request.status ? last : before;
}

class Ledger {
 public:
  Request& add() {
    requests_.push_back(std::make_unique<Request>());
    requests_.back()->id = static_cast<uint32_t>(requests_.size());
    return *requests_.back();
  }
  Request* find(uint32_t id) {
    return id == 0 || id > requests_.size() ? nullptr : requests_[id - 1].get();
  }
  const std::vector<std::unique_ptr<Request>>& all() const { return requests_; }
  // Told of each, when its head is at a backend.
  std::function<void(const Request&, const Attempt&)> on_attempt;

 private:
  std::vector<std::unique_ptr<Request>> requests_;
};

inline std::string path_of(Way way, uint32_t id) {
  const std::string name = "r" + std::to_string(id);
  switch (way) {
    case Way::stream:
      return "/stream/" + name;
    case Way::poll:
      return "/longpolling/" + name;
    case Way::websocket:
      return "/websocket/" + name;
    case Way::assets:
      return "/web/assets/" + name;
    case Way::denied:
      return "/web/database/" + name;
    case Way::health:
      return "/.sidecar/health";
    case Way::unknown:
      return "/nowhere/" + name;
    case Way::pinned:
      return "/pinned/" + name;
    case Way::web:
    case Way::nonsense:
      break;
  }
  return "/web/" + name;
}

}  // namespace simulation
