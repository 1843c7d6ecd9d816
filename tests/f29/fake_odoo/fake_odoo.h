// A stand-in for Odoo's JSON-RPC port over records of a JSON file: logs in, searches, pages, and
// misbehaves on request. One request a connection, like the real one.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace f29test {

enum class Trouble {
  drop,      // closes without a byte
  half,      // closes in the middle of the answer
  stall,     // never answers
  away,      // 503
  html,      // 200 with a page
  error,     // a JSON-RPC error full of internals
  denied,    // a JSON-RPC error AccessDenied
  huge,      // an answer without end
  shuffled,  // a page whose ids do not grow
};

class FakeOdoo {
 public:
  explicit FakeOdoo(const std::string& records_file);
  ~FakeOdoo();

  std::string url() const;
  int port() const { return port_; }

  // From the `number`-th request on, 1-based, `times` times.
  void trouble(int number, Trouble what, int times = 1);
  // Called with the number of each request before it is answered.
  void before(std::function<void(int)> hook) { before_ = std::move(hook); }
  void add(const std::string& model, const std::string& record_json);
  void set(const std::string& model, int64_t id, const std::string& field,
           const std::string& value_json);

  struct Seen {
    std::string service;
    std::string method;  // "authenticate", "search_read"
    std::string model;
    std::string domain;   // JSON
    std::string options;  // JSON
  };
  std::vector<Seen> seen() const;
  int logins() const;

 private:
  struct Records;
  void serve();
  void serve_one(int socket);
  std::string answer(const std::string& body, Trouble* what);
  void send_answer(int socket, const std::string& body, int status, size_t cut);

  std::unique_ptr<Records> records_;
  mutable std::mutex mutex_;
  std::map<int, Trouble> troubles_;
  std::function<void(int)> before_;
  std::vector<Seen> seen_;
  int requests_ = 0;
  int listener_ = -1;
  int port_ = 0;
  std::vector<int> held_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace f29test
