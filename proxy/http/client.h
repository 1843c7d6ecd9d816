// One request, one answer, one deadline, one connection: what a probe needs. Not on the data path.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/tls.h"
#include "proxy/http/parser.h"

namespace http {

struct ClientRequest {
  base::Address to;
  std::shared_ptr<const base::TlsContext> tls{};  // nothing: plain
  std::string json{};                             // not empty: a POST of this
  std::string host;                               // the Host field
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> fields;  // further ones
  base::Millis deadline{1'000};
  size_t body_bytes_max = 64 << 10;  // what is beyond is not read; the answer counts
};

struct ClientAnswer {
  int status = 0;
  std::string body;
  base::Micros took{0};
};

// A request under way. Destroying it cancels it; `done` is then never called. `done` is called
// once, on the loop, never from inside the constructor, and may destroy this object.
class Client {
 public:
  using Done = std::function<void(base::Result<ClientAnswer>)>;
  Client(base::Loop& loop, ClientRequest request, Done done);
  ~Client();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace http
