// A backend that does exactly what a test says: keeps the bytes of every connection, answers with
// given bytes, closes or resets when told. Health probes are answered apart and not kept.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/harness/raw_client.h"

namespace harness {

// One accepted connection, in a thread of its own.
class Peer {
 public:
  Peer(Socket socket, std::function<void()> done)
      : socket_(std::move(socket)), done_(std::move(done)) {}
  std::string read_head();              // up to and with the empty line; "" at the end
  std::string read_body(size_t bytes);  // what follows the head; shorter at the end
  bool send(std::string_view bytes) { return socket_.send(bytes); }
  // The end of an answer: from here on the connection does not count as open, since its other side
  // may be closed before this call returns.
  bool send_last(std::string_view bytes) {
    done_();
    return send(bytes);
  }
  void reset() { socket_.reset(); }
  void close() { socket_.close(); }
  bool is_closed_within(Millis within);
  bool has_unread() const { return !pending_.empty(); }
  Socket& socket() { return socket_; }

 private:
  Socket socket_;
  std::function<void()> done_;
  std::string pending_;
};

class ScriptedBackend {
 public:
  // Called with the head already read. By default: 200 with two bytes.
  using Script = std::function<void(Peer& peer, const std::string& head)>;
  explicit ScriptedBackend(Script script = {}, int backlog = 64);
  ~ScriptedBackend();

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> heads() const;  // of requests that are no probes, in order of arrival
  int open_now() const { return open_; }   // connections that are no probes
  int open_most() const { return open_most_; }
  int running() const { return running_; }  // with the probes
  int probes() const { return probes_; }
  // Connections that sent something and ended before a head was whole.
  int without_head() const { return without_head_; }
  void set_probe_status(int status) { probe_status_ = status; }

 private:
  void accept_all();
  void serve(Socket socket);
  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<int> open_{0}, open_most_{0}, probes_{0}, probe_status_{200}, running_{0};
  std::atomic<int> without_head_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread acceptor_;
};

// A whole answer as Odoo gives it: HTTP/1.0, length, close.
std::string plain_answer(int status, const std::string& body, const std::string& fields = "");

}  // namespace harness
