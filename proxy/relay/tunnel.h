// Both halves of a connection after 101: bytes pass both ways with back-pressure, one side's end
// is passed on after its last byte, and a close frame of ours goes between two frames. Owned by
// its worker.
//
//   open ─► closing (our close frames are out or due; the peers may answer) ─► gone
//
// Deadlines: open tunnel_idle · closing 10 s.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "proxy/base/loop.h"
#include "proxy/base/timer_wheel.h"
#include "proxy/relay/roster.h"
#include "proxy/relay/slot_pool.h"
#include "proxy/relay/websocket_frames.h"
#include "proxy/relay/worker_counters.h"
#include "proxy/routing/data_plane.h"

namespace relay {

class Worker;

inline constexpr uint16_t kServiceRestart = 1012;  // the browser reconnects

struct TunnelFacts {
  routing::ColorIndex color = routing::kNoColor;
  routing::BackendId backend = 0;
  routing::RouteIndex route = 0;
  base::Address client;
  std::string request_id;
  InFlight in_flight;
  bool has_slot = false;
  Slot slot;
  std::string backend_early;  // bytes behind the 101; the client already has them
  std::string client_early;   // bytes behind the request; the backend does not have them yet
  bool client_ended = false;  // and it will send no more
};

class Tunnel final : public base::Disposable, public Rostered {
 public:
  Tunnel(Worker& worker, TunnelFacts facts, std::unique_ptr<base::Stream> client,
         std::unique_ptr<base::Stream> backend);

  // Says goodbye to both sides between two frames.
  void close_with(uint16_t code);
  void close_after(base::Millis wait, uint16_t code);
  void cut();
  routing::ColorIndex color() const { return facts_.color; }
  routing::InFlightEntry describe() const;

 private:
  // One direction's source: what arrives here goes to `to`.
  class Half final : public base::StreamHandler {
   public:
    Half(Tunnel& owner, std::unique_ptr<base::Stream> source)
        : tunnel(owner), stream(std::move(source)) {}
    void on_bytes(std::string_view bytes) override { tunnel.forward(*this, bytes); }
    void on_end() override { tunnel.ended(*this); }
    void on_broken(const base::Error&) override { tunnel.finish(); }
    void on_flushed() override { tunnel.flushed(*this); }

    Tunnel& tunnel;
    std::unique_ptr<base::Stream> stream;
    Half* to = nullptr;
    FrameWalker frames;         // of what arrives here
    bool ended = false;         // no more will arrive
    bool goodbye_due = false;   // our close frame goes to `to` at the next boundary
    bool goodbye_said = false;  // nothing more of this direction passes
  };

  void forward(Half& from, std::string_view bytes);
  void say_goodbye(Half& from);
  void ended(Half& half);
  void flushed(Half& half);
  void finish();
  void finish_if_over();
  void on_deadline();
  void begin_closing(uint16_t code);

  Worker& worker_;
  TunnelFacts facts_;
  Half client_;
  Half backend_;
  base::Timer deadline_;
  base::Timer close_later_;
  base::Instant begun_;
  uint16_t code_ = kServiceRestart;
  base::Instant close_due_;  // while close_later_ runs
  bool closing_ = false;
  bool gone_ = false;
  bool moved_ = false;  // bytes passed since the deadline was last looked at

  void on_close_later() { begin_closing(code_); }
};

}  // namespace relay
