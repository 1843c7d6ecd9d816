#include "tests/integration/harness/scripted_backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace harness {
namespace {

bool is_probe(const std::string& head) {
  for (const char* path : {"GET /web/health ", "GET /websocket/health ", "GET /web/login "}) {
    if (head.rfind(path, 0) == 0 && head.find("X-Request-Id") == std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::string plain_answer(int status, const std::string& body, const std::string& fields) {
  return "HTTP/1.0 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n" +
         fields + "\r\n" + body;
}

std::string Peer::read_head() {
  size_t end = 0;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (socket_.receive(pending_, 65536, Millis{30'000}) <= 0) return "";
  }
  std::string head = pending_.substr(0, end + 4);
  pending_.erase(0, end + 4);
  return head;
}

std::string Peer::read_body(size_t bytes) {
  while (pending_.size() < bytes) {
    if (socket_.receive(pending_, 65536, Millis{30'000}) <= 0) break;
  }
  std::string body = pending_.substr(0, bytes);
  pending_.erase(0, body.size());
  return body;
}

bool Peer::is_closed_within(Millis within) {
  const int got = socket_.receive(pending_, 65536, within);
  return got == 0 || got == -1;
}

ScriptedBackend::ScriptedBackend(Script script, int backlog) : script_(std::move(script)) {
  if (!script_) {
    script_ = [](Peer& peer, const std::string&) { peer.send(plain_answer(200, "ok")); };
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      ::listen(listener_, backlog) != 0) {
    throw Failure("cannot listen");
  }
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
  port_ = ntohs(at.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedBackend::~ScriptedBackend() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  const Deadline deadline(Millis{40'000});
  while (running_ > 0 && !deadline.passed()) ::poll(nullptr, 0, 2);
}

std::vector<std::string> ScriptedBackend::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

void ScriptedBackend::accept_all() {
  while (!ending_) {
    const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    ++running_;
    std::thread([this, descriptor] {
      serve(Socket(descriptor));
      --running_;
    }).detach();
  }
}

void ScriptedBackend::serve(Socket socket) {
  bool counted = false;
  const auto forget = [&] {
    if (std::exchange(counted, false)) --open_;
  };
  Peer peer(std::move(socket), forget);
  const std::string head = peer.read_head();
  if (head.empty()) {
    if (peer.has_unread()) ++without_head_;
    return;
  }
  if (is_probe(head)) {
    ++probes_;
    const int status = probe_status_;
    peer.send(plain_answer(status, R"({"status": "pass"})"));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    heads_.push_back(head);
  }
  counted = true;
  const int open = ++open_;
  int most = open_most_;
  while (open > most && !open_most_.compare_exchange_weak(most, open)) {
  }
  script_(peer, head);
  peer.socket().finish();
  peer.close();
  forget();
}

}  // namespace harness
