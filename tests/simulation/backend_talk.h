// One connection as its backend sees it: requests in, answers out, and perhaps a tunnel.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "tests/simulation/backend.h"

namespace simulation {

class BackendTalk final : private base::StreamHandler {
 public:
  BackendTalk(Backend& backend, std::unique_ptr<SimStream> stream, bool is_worker);
  ~BackendTalk();
  void close();
  // Has the proxy read a whole answer of a buffered route, and not let go?
  bool is_held() const;
  int64_t kept_by_proxy() const;  // of the answer under way
  // Is this write the first of a request that follows an answer read whole?
  bool begins_anew(uint64_t bytes_read_before);

 private:
  enum class After { close, reset, keep, hang, close_later };
  struct Step {
    nanoseconds wait;
    std::string bytes;
  };

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken(const base::Error& error) override;
  void on_flushed() override { go_on(); }

  void take_head();
  void take_content(const std::string& content);
  void take_end();
  void check_head(const Head& head);
  void answer_probe();
  void plan_answer();
  void plan_fault(std::string& text, size_t head_size, bool unframed);
  std::string make_answer(bool& unframed);
  void cut_in_steps(const std::string& text);
  void add_interims();
  void answer_upgrade();
  void begin_tunnel();
  void go_on();
  void finish_answer();
  void begin_next();

  Backend& backend_;
  World& world_;
  std::unique_ptr<SimStream> stream_;
  const bool is_worker_;
  MessageReader reader_;
  Request* request_ = nullptr;
  size_t attempt_ = 0;
  Attempt& attempt() { return request_->attempts[attempt_]; }
  uint64_t content_ = 0;  // of the request in hand
  std::deque<Step> steps_;
  bool stepping_ = false;   // a step is on its way
  bool planned_ = false;    // what the request in hand is answered
  bool answering_ = false;  // an answer is on its way
  After after_ = After::close;
  bool said_all_ = false;
  bool discards_ = false;
  bool is_framed_ = false;   // its end shows without the connection's
  uint64_t said_bytes_ = 0;  // all answers so far
  int answers_ = 0;
  bool peer_keeps_ = false;
  std::unique_ptr<TunnelPeer> tunnel_;
  std::string early_;  // behind the upgrade's head
};

}  // namespace simulation
