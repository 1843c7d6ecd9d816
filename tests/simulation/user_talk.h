// One connection of a user to the proxy.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/user.h"

namespace simulation {

class UserTalk final : private base::StreamHandler {
 public:
  UserTalk(User& user, std::unique_ptr<SimStream> stream, int requests_most);
  ~UserTalk();
  void start();
  void close();
  void no_more() { requests_left_ = 0; }
  bool is_over() const { return over_; }
  bool waits_for_answer() const;

 private:
  struct Outgoing {
    std::string bytes;
    size_t at = 0;
    size_t head_size = 0;
    Request* request = nullptr;
  };
  enum class Fault { none, reset_after_sent, close_after_sent, reset_after_got, stops_sending };

  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken(const base::Error& error) override;
  void on_flushed() override { pump(); }

  void choose_manners();
  void pump();
  bool may_begin() const;
  bool send_piece();
  void after_gap();
  void take_head();
  void take_content(const std::string& content);
  void take_answer();
  void check_own(const Request& request, const Head& head);
  void check_end_of(Request& request);
  void stall();
  void abort(bool reset);
  void end_talk();
  void close_requests();
  void begin_tunnel();
  Request* waiting() { return unanswered_.empty() ? nullptr : unanswered_.front(); }

  User& user_;
  World& world_;
  std::unique_ptr<SimStream> stream_;
  int requests_left_;
  size_t depth_ = 1;
  size_t piece_max_ = SIZE_MAX;
  nanoseconds gap_{0};
  nanoseconds think_{0};
  Fault fault_ = Fault::none;
  uint64_t fault_at_ = 0;  // bytes
  bool half_closes_ = false;
  int stalls_left_ = 0;
  nanoseconds stall_for_{0};

  Outgoing out_;
  uint64_t sent_ = 0;
  uint64_t got_ = 0;
  bool sending_later_ = false;
  bool expecting_ = false;       // waits for 100
  bool last_announced_ = false;  // an answer said close
  bool ignores_rest_ = false;
  bool finished_ = false;  // FIN sent
  bool over_ = false;
  bool stalled_ = false;
  std::deque<Request*> unanswered_;
  MessageReader reader_;
  std::unique_ptr<TunnelPeer> tunnel_;
};

}  // namespace simulation
