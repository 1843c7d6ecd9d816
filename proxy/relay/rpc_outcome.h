// Did a JSON-RPC call fail, and in a way that its user should not meet? Odoo answers errors with
// HTTP 200 and a top-level `error`, whose `data.name` is the Python class. Only the first KiB of an
// answer is looked at, as it passes. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

enum class RpcOutcome : uint8_t {
  none,        // not asked
  open,        // more bytes are needed
  fine,        // a result, or an error that tells a user about its own doing
  unexpected,  // any other error
  unknown,     // cannot be told: not JSON, compressed, or beyond the first KiB
};

// Reads what an answer's body begins with.
RpcOutcome read_rpc_outcome(std::string_view start);
// UserError, ValidationError, AccessError, AccessDenied, MissingError, SessionExpired…
bool is_expected_error(std::string_view class_name);

// The same for a body that comes in pieces.
class RpcReader {
 public:
  static constexpr size_t kMost = 1'024;
  void begin(bool is_readable);  // false: its outcome cannot be told
  void stop() { outcome_ = RpcOutcome::none; }
  bool wants() const { return outcome_ == RpcOutcome::open; }
  void read(std::string_view piece);
  RpcOutcome end();  // the body is over, or enough of it was seen

 private:
  RpcOutcome outcome_ = RpcOutcome::none;
  std::string kept_;    // only if the first piece did not tell
  size_t look_at_ = 0;  // when so much is kept, it is read again
};

}  // namespace relay
