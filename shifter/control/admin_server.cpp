#include "shifter/control/admin_server.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "proxy/base/socket.h"
#include "shifter/control/admin_grammar.h"

namespace control {
namespace {

// On a Unix socket a peer that has only finished writing shows as readable, one that has closed
// hangs up.
bool has_hung_up(const base::Stream& stream) {
  pollfd watched{base::descriptor_of(stream), 0, 0};
  return watched.fd >= 0 && ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLHUP | POLLERR));
}

}  // namespace

class AdminServer::ClientReply final : public Reply {
 public:
  ClientReply(Client* client, Caller caller) : client_(client), caller_(caller) {}
  const Caller& caller() const override { return caller_; }
  bool is_gone() const override { return client_ == nullptr; }
  void stream(std::string json) override;
  void finish(std::string json) override;
  void forget() { client_ = nullptr; }

 private:
  Client* client_;
  Caller caller_;
};

class AdminServer::Client final : public base::StreamHandler, public base::Disposable {
 public:
  Client(AdminServer& server, std::unique_ptr<base::Stream> stream, Caller caller)
      : server_(server), stream_(std::move(stream)), caller_(caller) {
    stream_->set_handler(this);
    stream_->resume_reading();
  }
  ~Client() override { leave_reply(); }

  void on_bytes(std::string_view bytes) override {
    if (closing_ || retired) return;
    input_.append(bytes);
    // A client that sends far ahead of its answers waits; one line is bounded by run_next().
    if (input_.size() > kCommandBytesMax) stream_->pause_reading();
    run_next();
  }
  void on_end() override {
    ended_ = true;
    run_next();
  }
  void on_broken(const base::Error&) override { server_.retire(*this); }
  void on_flushed() override {
    if (closing_) server_.retire(*this);
  }

  void write(std::string json) {
    if (closing_) return;
    json += '\n';
    stream_->write(json);
    if (stream_->pending() > kOutputMax) server_.retire(*this);
  }
  void finished() {
    reply_.reset();
    run_next();
  }
  void look() {
    if (reply_ && ended_ && has_hung_up(*stream_)) server_.retire(*this);
  }
  void leave_reply() {
    if (reply_) reply_->forget();
    reply_.reset();
  }
  void close_when_flushed() {
    closing_ = true;
    if (stream_->pending() == 0) server_.retire(*this);
  }

  bool is_in_command() const { return reply_ != nullptr; }

  bool retired = false;

 private:
  void run_next() {
    if (running_) return;  // a command answered at once; the loop below goes on
    running_ = true;
    while (!reply_ && !closing_ && !retired) {
      const size_t end = input_.find('\n');
      if (end == std::string::npos && input_.size() <= kCommandBytesMax) {
        if (!ended_) break;
        if (input_.empty()) {
          close_when_flushed();
          break;
        }
      }
      if (std::min(end, input_.size()) > kCommandBytesMax) {
        write(error_json({AdminCode::usage, "a command has at most 8 KiB", "command"}));
        close_when_flushed();
        break;
      }
      std::string line = input_.substr(0, std::min(end, input_.size()));
      input_.erase(0, end == std::string::npos ? input_.size() : end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      reply_ = std::make_shared<ClientReply>(this, caller_);
      server_.runner_.run(line, reply_);
    }
    running_ = false;
    if (!retired && !closing_ && input_.size() <= kCommandBytesMax) stream_->resume_reading();
  }

  AdminServer& server_;
  std::unique_ptr<base::Stream> stream_;
  Caller caller_;
  std::string input_;
  std::shared_ptr<ClientReply> reply_;  // of the command that runs
  bool running_ = false;
  bool ended_ = false;    // it sends no more
  bool closing_ = false;  // gone once its answers are written
};

void AdminServer::ClientReply::stream(std::string json) {
  if (client_ != nullptr) client_->write(std::move(json));
}

void AdminServer::ClientReply::finish(std::string json) {
  if (client_ == nullptr) return;
  Client* client = std::exchange(client_, nullptr);
  client->write(std::move(json));
  client->finished();
}

AdminServer::AdminServer(base::Loop& loop, std::vector<uint32_t> allowed_uids,
                         CommandRunner& runner)
    : loop_(loop), allowed_uids_(std::move(allowed_uids)), runner_(runner) {}

AdminServer::~AdminServer() = default;

void AdminServer::on_accepted(std::unique_ptr<base::Stream> stream) {
  auto refuse = [&](AdminCode code, std::string message) {
    stream->write(error_json({code, std::move(message), {}}) + "\n");
  };
  auto peer = base::peer_identity(*stream);
  if (!peer) return refuse(AdminCode::forbidden, "the caller is unknown");
  const uint32_t uid = peer->uid;
  if (std::find(allowed_uids_.begin(), allowed_uids_.end(), uid) == allowed_uids_.end()) {
    return refuse(AdminCode::forbidden, "uid " + std::to_string(uid) + " may not command");
  }
  if (clients_.size() >= kClientsMax) return refuse(AdminCode::busy, "too many clients (32)");
  clients_.push_back(std::make_unique<Client>(*this, std::move(stream), Caller{uid, peer->pid}));
}

bool AdminServer::is_reachable() const {
  return listener_ != nullptr && base::is_named(*listener_);
}

void AdminServer::look_after_clients() {
  for (size_t i = clients_.size(); i-- > 0;) clients_[i]->look();
}

void AdminServer::end_commands() {
  for (size_t i = clients_.size(); i-- > 0;) {
    if (clients_[i]->is_in_command()) retire(*clients_[i]);
  }
}

void AdminServer::close() {
  listener_.reset();
  for (auto& client : clients_) {
    client->leave_reply();
    client->retired = true;
    loop_.dispose(std::move(client));
  }
  clients_.clear();
}

void AdminServer::retire(Client& client) {
  if (client.retired) return;
  client.retired = true;
  client.leave_reply();
  auto at = std::find_if(clients_.begin(), clients_.end(),
                         [&](const auto& one) { return one.get() == &client; });
  loop_.dispose(std::move(*at));
  clients_.erase(at);
}

}  // namespace control
