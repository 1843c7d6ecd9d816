// A whole conversation: the input is a script of what clients, backends, the clock and the operator
// do, one step a line-like record: a byte that says what, a byte that says how much, the bytes.
// Whatever happens, nothing is left behind: nothing in flight, all slots free, no spooled byte.
#include <set>

#include "tests/fuzz/targets.h"
#include "tests/unit/relay/stage.h"

namespace {

class ScriptedTalk : public relay::RelayStage {
 public:
  explicit ScriptedTalk(size_t read_size) : RelayStage(read_size) {
    config_.spool.dir = "/tmp";
    for (auto* one : {&blue_, &green_, &blue_websocket_, &green_websocket_}) {
      one->when_whole = [this, one](support::MemoryPeer& peer) {
        if (one->answer.empty() || is_finished(peer)) return;
        peer.send(one->answer);
        if (one->closes) finish(peer);
      };
    }
    start();
  }

  void step(uint8_t what, std::string_view bytes) {
    switch (what % 12) {
      case 0:
        say(bytes);
        break;
      case 1:
        if (clients_.size() < 8) connect();
        break;
      case 2:
        if (open_client() && !is_finished(*clients_.back())) finish(*clients_.back());
        break;
      case 3:
        if (open_client()) clients_.back()->reset();
        break;
      case 4:
        for (auto* one : {&blue_, &green_, &blue_websocket_}) one->answer = std::string(bytes);
        break;
      case 5:
        blue_.closes = blue_websocket_.closes = !bytes.empty();
        break;
      case 6:
        answer(bytes);
        break;
      case 7:
        end_backend(!bytes.empty());
        break;
      case 8:
        pass(std::chrono::milliseconds(100) *
             (1 + static_cast<uint8_t>(bytes.empty() ? 0 : bytes[0])));
        break;
      case 9:
        table_.colors[routing::kBlue].state =
            bytes.empty() ? routing::ColorState::ready : routing::ColorState::closing;
        publish();
        break;
      case 10:
        if (open_client()) bytes.empty() ? clients_.back()->read_on() : clients_.back()->stall();
        break;
      default:
        table_.colors[routing::kBlue].up = bytes.empty();
        publish();
        break;
    }
    settle();
  }

  void end() {
    for (const auto& client : clients_) {
      const std::string& said = client->received;
      if (!said.empty() && std::string_view("HTTP/1.1 ").substr(0, said.size()) !=
                               std::string_view(said).substr(0, std::min<size_t>(said.size(), 9))) {
        fuzz_fault("an answer that is none");
      }
    }
    clients_.clear();
    settle();
    for (auto* one : {&blue_, &green_, &blue_websocket_, &green_websocket_}) {
      one->server.peers.clear();
    }
    settle();
    pass(std::chrono::minutes(20));
    worker_->leave();
    pass(std::chrono::milliseconds(200));
    if (!worker_->is_empty()) fuzz_fault("something is left");
    for (routing::ColorIndex color = 0; color <= routing::kColorsMax; ++color) {
      for (size_t kind = 0; kind < routing::kKinds; ++kind) {
        if (in_flight(color, static_cast<relay::Kind>(kind)) != 0) fuzz_fault("in flight for ever");
      }
    }
    for (routing::ColorIndex color = 0; color < table_.colors.size(); ++color) {
      if (taken(color) != 0) fuzz_fault("a slot is lost");
    }
    if (core_->spool.memory_used() != 0 || core_->spool.disk_used() != 0)
      fuzz_fault("spooled bytes");
  }

 private:
  bool is_finished(const support::MemoryPeer& peer) const { return finished_.count(&peer) != 0; }
  bool is_talking(const support::MemoryPeer& peer) const {
    return peer.is_open() && !is_finished(peer);
  }
  void finish(support::MemoryPeer& peer) {
    finished_.insert(&peer);
    peer.finish();
  }
  bool open_client() const { return !clients_.empty() && clients_.back()->is_open(); }
  void say(std::string_view bytes) {
    if (clients_.empty()) connect();
    if (open_client() && !is_finished(*clients_.back())) clients_.back()->send(bytes);
  }
  // Bytes from the backend connection that came last.
  void answer(std::string_view bytes) {
    for (auto* one : {&blue_websocket_, &blue_, &green_}) {
      if (one->server.peers.empty() || !is_talking(one->last())) continue;
      one->last().send(bytes);
      return;
    }
  }
  void end_backend(bool reset) {
    for (auto* one : {&blue_websocket_, &blue_, &green_}) {
      if (one->server.peers.empty() || !is_talking(one->last())) continue;
      reset ? one->last().reset() : finish(one->last());
      return;
    }
  }

  std::set<const support::MemoryPeer*> finished_;  // they have sent their FIN
};

}  // namespace

int exchange_one(const uint8_t* data, size_t size) {
  if (size < 1 || size > 1 << 14) return 0;
  constexpr size_t kReadSizes[] = {1, 2, 3, 7, 64, SIZE_MAX};
  ScriptedTalk talk(kReadSizes[data[0] % std::size(kReadSizes)]);
  size_t at = 1;
  for (int steps = 0; at + 3 <= size && steps < 64; ++steps) {
    const uint8_t what = data[at];
    const size_t much = static_cast<size_t>(data[at + 1]) << 8 | data[at + 2];
    at += 3;
    const size_t have = std::min(much, size - at);
    talk.step(what, {reinterpret_cast<const char*>(data) + at, have});
    at += have;
  }
  talk.end();
  return 0;
}
