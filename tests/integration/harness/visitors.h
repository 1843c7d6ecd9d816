// People who come, look at a few pages, call something and leave; others come after them. What the
// judge calls a session each, with cookies as a browser keeps them.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/harness/load.h"

namespace harness {

class Visitors {
 public:
  static constexpr int kCalls = 4;  // of one visitor, after the first page

  // So many at a time; each waits `pause` between two requests. They begin at once.
  Visitors(uint16_t port, int count, Millis pause = Millis{5}) : port_(port), pause_(pause) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { come(); });
  }
  ~Visitors() { leave(); }
  void leave() {
    ending_ = true;
    for (std::thread& one : threads_) {
      if (one.joinable()) one.join();
    }
  }

  int64_t served() const { return served_; }      // by status: below 500
  int64_t errors() const { return errors_; }      // 5xx
  int64_t unserved() const { return unserved_; }  // no answer
  int64_t of_color(const std::string& color) const {
    const std::lock_guard lock(mutex_);
    const auto at = colors_.find(color);
    return at == colors_.end() ? 0 : at->second;
  }

 private:
  void come() {
    std::unique_ptr<RawClient> client;
    while (!ending_) {
      std::map<std::string, std::string> jar;
      for (int call = 0; call <= kCalls && !ending_; ++call) {
        std::string lines = "Host: erp.test\r\n";
        if (!jar.empty()) lines += "Cookie: " + cookies(jar) + "\r\n";
        const bool is_call = call % 2 == 1;
        const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"call","params":{}})";
        const std::string request =
            is_call ? "POST /web/dataset/call_kw HTTP/1.1\r\n" + lines +
                          "Content-Type: application/json\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n\r\n" + body
                    : "GET /nonce?n=v HTTP/1.1\r\n" + lines + "Sec-Fetch-Mode: navigate\r\n\r\n";
        ask(client, request, jar);
        ::poll(nullptr, 0, static_cast<int>(pause_.count()));  // a person's pace
      }
    }
  }
  void ask(std::unique_ptr<RawClient>& client, const std::string& request,
           std::map<std::string, std::string>& jar) {
    try {
      if (!client) client = std::make_unique<RawClient>(port_);
      client->send(request);
      const Answer answer = client->read_answer();
      ++(answer.status < 500 ? served_ : errors_);
      for (const std::string& line : answer.all("Set-Cookie")) {
        const size_t equals = std::min(line.find('='), line.size() - 1);
        jar[line.substr(0, equals)] = line.substr(equals + 1, line.find(';') - equals - 1);
      }
      if (!answer.keeps_connection || !answer.whole) client.reset();
      const std::lock_guard lock(mutex_);
      ++colors_[color_of(answer)];
    } catch (const Failure&) {
      ++unserved_;
      client.reset();
    }
  }
  static std::string cookies(const std::map<std::string, std::string>& jar) {
    std::string line;
    for (const auto& [name, value] : jar) line += (line.empty() ? "" : "; ") + name + "=" + value;
    return line;
  }

  uint16_t port_;
  Millis pause_;
  std::atomic<bool> ending_{false};
  std::atomic<int64_t> served_{0}, errors_{0}, unserved_{0};
  mutable std::mutex mutex_;
  std::map<std::string, int64_t> colors_;
  std::vector<std::thread> threads_;
};

}  // namespace harness
