// Reads heads. Our own strict scanner decides; llhttp (strict mode) reads the same bytes as a
// second opinion, and where the two disagree the message is refused (parser_disagreement).
// Rules K1 to K19 of docs/http.md. Pull style: nobody is called back.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace http {

struct HeadLimits {
  size_t head_bytes = 64 << 10;    // requests: 431
  size_t target_bytes = 16 << 10;  // 414
  size_t line_bytes = 16 << 10;
  size_t fields = 100;
  uint64_t body_bytes = 128 << 20;  // 413; Odoo 17's own DEFAULT_MAX_CONTENT_LENGTH
  size_t response_head_bytes = 256 << 10;
  size_t response_fields = 256;
};

struct Parsed {
  enum class State { incomplete, complete, faulty } state = State::incomplete;
  size_t head_bytes = 0;  // complete: where the head ends in the bytes given
  base::Error error;      // faulty
};

// One per worker; keeps no state between messages.
class HeadParser {
 public:
  explicit HeadParser(const HeadLimits& limits);
  ~HeadParser();

  // `bytes`: all that was received since the last message ended. `seen`: how many of them were
  // there when the same message was last found incomplete (0 at first), so that nothing is
  // searched twice. On `complete` the head's views point into `bytes`; its vectors are reused.
  // At most two empty lines before the request line are skipped (RFC 9112 2.2).
  Parsed parse_request(std::string_view bytes, size_t seen, RequestHead& head);

  // `to`: the method of the request that this answers (HEAD has no body). `upgrade_asked`: a 101
  // is acceptable. Bodiless answers (1xx, 204, 304, HEAD) get BodyKind::none whatever they claim.
  Parsed parse_response(std::string_view bytes, size_t seen, Method to, bool upgrade_asked,
                        ResponseHead& head);

 private:
  struct Parts;
  HeadLimits limits_;
  std::unique_ptr<Parts> parts_;  // llhttp
};

}  // namespace http
