// A user and its client: a list of requests over one connection after another, with a cookie jar,
// at its own pace and with its own manners; reads every byte of every answer.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/ledger.h"
#include "tests/simulation/message_reader.h"
#include "tests/simulation/network.h"
#include "tests/simulation/scenario.h"
#include "tests/simulation/tunnel_peer.h"

namespace simulation {

class UserTalk;

class User {
 public:
  User(World& world, SimLoop& outside, Ledger& ledger, const Scenario& scenario,
       const base::Address& proxy, int number);
  ~User();

  void start();
  bool is_done() const { return done_; }
  void give_up();           // asks for nothing more
  void close_all();         // at the end of a run
  bool is_waiting() const;  // for an answer that it could read

 private:
  friend class UserTalk;
  void open();
  void on_talk_over();
  void fill(Request& request);
  std::string compose(Request& request);
  void take_cookie(const std::string& field);

  World& world_;
  SimLoop& outside_;
  Ledger& ledger_;
  const Scenario& scenario_;
  const base::Address proxy_;
  const base::Address own_;
  std::string cookie_;
  int cookie_color_ = -1;
  int cookie_home_ = -1;
  uint64_t cookie_epoch_ = 0;
  std::string session_;
  int left_;
  int refusals_ = 0;
  bool done_ = false;
  std::vector<std::unique_ptr<UserTalk>> talks_;
};

}  // namespace simulation
