// A client for requests with one answer: POST a body, take what comes back. http and https, whose
// certificate is always checked. Any thread, one request at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace f29 {

struct HttpClientOptions {
  std::string url;      // "https://odoo.example:8069"; a path is refused
  std::string ca_file;  // PEM; empty: the system's authorities
  base::Millis connect_timeout{5'000};
  base::Millis read_timeout{30'000};    // between two pieces of the answer
  base::Millis total_timeout{120'000};  // for one request
  int64_t answer_bytes_max = 64 << 20;  // after decompression
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  // bad_config if the url is not one.
  static base::Result<std::unique_ptr<HttpClient>> make(HttpClientOptions options);
  ~HttpClient();

  // Errors: connect_refused, connect_failed (also a certificate that is not accepted),
  // backend_timeout, backend_reset, bad_backend_message (also an answer above the limit). Their
  // details name no secret and nothing that the server sent.
  base::Result<HttpAnswer> post(const std::string& path, const std::string& body,
                                const std::string& content_type);

 private:
  struct Parts;
  explicit HttpClient(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace f29
