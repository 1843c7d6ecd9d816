// A small HTTP/1.1 server: one request a connection, a pool of threads, limits of size and time on
// everything a client sends. Knows no routes; its handler is called on the pool's threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace f29 {

struct HttpServerOptions {
  base::Address listen;
  int threads = 8;
  int waiting_max = 64;  // accepted connections without a thread; more wait in the kernel
  int64_t head_bytes_max = 32 << 10;   // request line and fields
  int64_t body_bytes_max = 256 << 20;  // after decompression
  base::Millis head_timeout{10'000};   // from the first byte's wait to the end of the head
  base::Millis body_timeout{120'000};  // for the whole body
  base::Millis write_timeout{30'000};  // for the whole answer
  std::string user_header;  // in which a front proxy names its user; empty: none is read
};

struct HttpRequest {
  std::string method;
  std::string path;                          // decoded, without the query
  std::map<std::string, std::string> query;  // first value of each name
  std::string content_type;                  // without parameters, lower case
  std::string authorization;
  std::string api_key;      // X-API-Key
  std::string cookie;       // as it came
  std::string csrf;         // X-CSRF-Token
  std::string remote_user;  // of `user_header`; empty too where it came twice
  std::string peer;         // the address that sent this
  std::string body;     // empty in `begin`
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> fields;
};

class HttpHandler {
 public:
  // The head is here, the body is not read. An answer ends the exchange.
  virtual std::optional<HttpResponse> begin(const HttpRequest& request) = 0;
  // The whole request.
  virtual HttpResponse answer(const HttpRequest& request) = 0;
  // What the server itself refuses: 400, 408, 413, 414, 431.
  virtual HttpResponse refuse(int status) = 0;
  // Every exchange once, when its answer is known.
  virtual void account(const HttpRequest& request, int status) = 0;

 protected:
  ~HttpHandler() = default;
};

class HttpServer {
 public:
  // io_failed if the address cannot be bound. `handler` outlives the server.
  static base::Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options,
                                                         HttpHandler& handler);
  ~HttpServer();  // stops
  base::Address bound() const;
  // Takes no more connections and waits for those under way.
  void stop();

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace f29
