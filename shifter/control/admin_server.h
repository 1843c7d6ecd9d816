// The admin socket: one command a line, one JSON object a line back, the commands of one client in
// order. Checks who is there; what commands mean is the runner's matter. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/stream.h"
#include "shifter/control/admin_error.h"

namespace control {

struct Caller {
  uint32_t uid = 0;
  int64_t pid = 0;
};

// The way back to whoever sent one command. Outlives the client: what is sent to one that has left
// goes nowhere.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual const Caller& caller() const = 0;
  virtual bool is_gone() const = 0;           // the client left: stop waiting
  virtual void stream(std::string json) = 0;  // one line of several; a client too slow is dropped
  virtual void finish(std::string json) = 0;  // the last line; the next command may run
};

class CommandRunner {
 public:
  // Answers now or later, once, through `reply`.
  virtual void run(std::string_view line, std::shared_ptr<Reply> reply) = 0;

 protected:
  ~CommandRunner() = default;
};

class AdminServer final : public base::AcceptHandler {
 public:
  static constexpr size_t kClientsMax = 32;
  static constexpr size_t kOutputMax = 1 << 20;  // kept for a client that does not read

  AdminServer(base::Loop& loop, std::vector<uint32_t> allowed_uids, CommandRunner& runner);
  ~AdminServer();

  // Serves what this listener accepts. Owned from here on.
  void serve(std::unique_ptr<base::Listener> listener) { listener_ = std::move(listener); }
  bool is_reachable() const;  // under the name that it was given
  void on_accepted(std::unique_ptr<base::Stream> stream) override;

  // Finds clients that left while their command waits. Called now and then.
  void look_after_clients();
  // Lets go of those whose command goes on: streams, and the agent that waits for an action.
  void end_commands();
  // No new clients; those that are there are told nothing more.
  void close();
  size_t clients() const { return clients_.size(); }

 private:
  class Client;
  class ClientReply;
  friend class Client;
  void retire(Client& client);

  base::Loop& loop_;
  std::vector<uint32_t> allowed_uids_;
  CommandRunner& runner_;
  std::unique_ptr<base::Listener> listener_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace control
