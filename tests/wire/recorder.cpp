#include "tests/wire/recorder.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "tests/wire/read_watch.h"

namespace wire {

using harness::Failure;
using harness::Socket;

std::string loopback_address(uint32_t number) {
  in_addr address{htonl(0x7f010001U + number)};
  char text[INET_ADDRSTRLEN];
  ::inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

Socket connect_from(const std::string& address, uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket.descriptor(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  ::inet_pton(AF_INET, address.c_str(), &from.sin_addr);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket.descriptor(), reinterpret_cast<sockaddr*>(&from), sizeof from) != 0 ||
      ::connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    throw Failure(address + ": " + std::strerror(errno));
  }
  return socket;
}

std::string answer_text(const std::string& client, size_t nth) {
  return client + " answer " + std::to_string(nth);
}

Recorder::Recorder()
    : backend_([this](harness::Peer& peer, const std::string& head) { serve(peer, head); }, 1024) {}

harness::ColorSetup Recorder::as_color(int slots) const {
  return {"blue", 1, {backend_.address()}, {backend_.address()}, std::to_string(slots), false};
}

void Recorder::set_script(const std::string& client, Script script) {
  const std::lock_guard lock(mutex_);
  scripts_[client] = std::move(script);
}

void Recorder::serve(harness::Peer& peer, const std::string& head) {
  // Reads the body by the strict reader, whose other complaints are judged later.
  std::string raw = head;
  Message message;
  while (read_forwarded(raw, message, true) == "incomplete") {
    const std::string more = peer.read_body(1);
    if (more.empty()) break;
    raw += more;
    message = {};
  }
  const bool whole = read_forwarded(raw, message = {}, true) != "incomplete";
  const std::string client = message.value("X-Forwarded-For");
  Script script;
  size_t nth = 0;
  {
    const std::lock_guard lock(mutex_);
    nth = begun_[client]++;
    const auto found = scripts_.find(client);
    if (nth == 0 && found != scripts_.end()) {
      script = found->second;
    } else {
      script.pieces = {harness::plain_answer(200, answer_text(client, nth))};
    }
  }
  if (whole) send_one_by_one(peer.socket(), script.pieces);
  if (script.resets) {
    peer.reset();
  } else {
    if (script.ends) peer.socket().finish();
    raw += peer.read_body(SIZE_MAX);  // until the sidecar closes
  }
  const std::lock_guard lock(mutex_);
  records_[client][nth] = std::move(raw);
  ++total_;
  if (client.rfind("127.", 0) != 0 || client == "127.0.0.1") ++strays_;
}

std::vector<std::string> Recorder::records_of(const std::string& client, size_t count) {
  harness::await("the backend's connections of " + client, [&] {
    const std::lock_guard lock(mutex_);
    return records_[client].size() >= count;
  });
  const std::lock_guard lock(mutex_);
  std::vector<std::string> records;
  for (const auto& [nth, raw] : records_[client]) records.push_back(raw);
  return records;
}

void Recorder::settle() {
  // The queue of new connections is in order: when ours is served, all before have a thread.
  harness::Socket last = Socket::connect(backend_.port());
  last.send("GET /web/health HTTP/1.0\r\n\r\n");
  std::string answer;
  while (last.receive(answer, 4096, harness::Millis{10'000}) > 0) {
  }
  last.close();
  harness::await("the backend to be idle", [this] { return backend_.running() == 0; });
}

size_t Recorder::strays() const {
  const std::lock_guard lock(mutex_);
  return strays_ + static_cast<size_t>(backend_.without_head());
}

size_t Recorder::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

}  // namespace wire
