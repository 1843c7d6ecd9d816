#include "proxy/relay/rpc_outcome.h"

#include <algorithm>
#include <array>
#include <optional>

namespace relay {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool ends_word(char c) {
  switch (c) {
    case ',':
    case ':':
    case '[':
    case ']':
    case '{':
    case '}':
    case '"':
      return true;
    default:
      return is_space(c);
  }
}

// Thrown away with the scan: what the bytes so far allow to say.
class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  RpcOutcome read() {
    if (!take('{')) return fault();
    while (true) {
      const std::optional<std::string_view> key = read_key();
      if (!key) return fault();
      if (*key == "result") return RpcOutcome::fine;
      if (*key == "error" && next() != 'n') return read_error();
      if (!skip_value()) return fault();
      if (!take(',')) {
        // The object ends without either, or something is wrong with it.
        return rest_.empty() ? RpcOutcome::open : RpcOutcome::unknown;
      }
    }
  }

 private:
  // Not what is expected: bytes are missing, or they are wrong.
  RpcOutcome fault() const { return rest_.empty() ? RpcOutcome::open : RpcOutcome::unknown; }

  void skip_space() {
    size_t at = 0;
    while (at < rest_.size() && is_space(rest_[at])) ++at;
    rest_.remove_prefix(at);
  }
  char next() {
    skip_space();
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char wanted) {
    if (next() != wanted || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // A string as it stands, escapes included. Nothing: it does not end here (then rest is empty), or
  // there is none.
  std::optional<std::string_view> read_string() {
    if (!take('"')) return std::nullopt;
    for (size_t at = 0; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == '"') {
        const std::string_view text = rest_.substr(0, at);
        rest_.remove_prefix(at + 1);
        return text;
      }
    }
    rest_ = {};
    return std::nullopt;
  }

  std::optional<std::string_view> read_key() {
    const std::optional<std::string_view> key = read_string();
    if (!key || !take(':')) return std::nullopt;
    return key;
  }

  // Any value; of objects and arrays only the nesting is followed.
  bool skip_value() {
    int depth = 0;
    do {
      const char first = next();
      if (first == '"') {
        if (!read_string()) return false;
      } else if (first == '{' || first == '[') {
        ++depth;
        rest_.remove_prefix(1);
      } else if (depth > 0 && (first == '}' || first == ']')) {
        --depth;
        rest_.remove_prefix(1);
      } else if (depth > 0 && (first == ',' || first == ':')) {
        rest_.remove_prefix(1);
      } else if (!skip_word()) {
        return false;
      }
    } while (depth > 0);
    return true;
  }

  // A number, true, false or null: up to what cannot belong to it.
  bool skip_word() {
    size_t size = 0;
    while (size < rest_.size() && !ends_word(rest_[size])) ++size;
    if (size == rest_.size()) {
      rest_ = {};
      return false;  // it may go on
    }
    rest_.remove_prefix(size);
    return size > 0;
  }

  // From an object's value on to its member `wanted`. False: there is none (is_over says so), or
  // bytes are missing or wrong.
  bool enter(std::string_view wanted, bool& is_over) {
    is_over = false;
    if (next() != '{') {
      is_over = !rest_.empty();
      return false;
    }
    take('{');
    while (next() == '"') {
      const std::optional<std::string_view> key = read_key();
      if (!key) return false;
      if (*key == wanted) return true;
      if (!skip_value()) return false;
      if (!take(',')) break;
    }
    is_over = next() == '}';
    return false;
  }

  RpcOutcome read_error() {
    bool is_over = false;
    if (!enter("data", is_over) || !enter("name", is_over)) {
      return is_over ? RpcOutcome::unexpected : fault();
    }
    if (next() != '"') return rest_.empty() ? RpcOutcome::open : RpcOutcome::unexpected;
    const std::optional<std::string_view> name = read_string();
    if (!name) return RpcOutcome::open;
    return is_expected_error(*name) ? RpcOutcome::fine : RpcOutcome::unexpected;
  }

  std::string_view rest_;
};

constexpr std::array<std::string_view, 5> kExpected = {
    "UserError", "ValidationError", "AccessError", "AccessDenied", "MissingError"};
constexpr std::string_view kSessionExpired = "SessionExpired";  // …Exception in Odoo 17

}  // namespace

bool is_expected_error(std::string_view class_name) {
  const size_t dot = class_name.rfind('.');
  if (dot != std::string_view::npos) class_name.remove_prefix(dot + 1);
  return std::find(kExpected.begin(), kExpected.end(), class_name) != kExpected.end() ||
         class_name.substr(0, kSessionExpired.size()) == kSessionExpired;
}

RpcOutcome read_rpc_outcome(std::string_view start) {
  const RpcOutcome outcome = Scan(start.substr(0, RpcReader::kMost)).read();
  const bool is_cut = start.size() >= RpcReader::kMost;
  return outcome == RpcOutcome::open && is_cut ? RpcOutcome::unknown : outcome;
}

void RpcReader::begin(bool is_readable) {
  outcome_ = is_readable ? RpcOutcome::open : RpcOutcome::unknown;
  kept_.clear();
  look_at_ = 0;
}

void RpcReader::read(std::string_view piece) {
  if (!wants()) return;
  if (kept_.empty()) {
    outcome_ = read_rpc_outcome(piece);  // the usual case: nothing is copied
    if (!wants()) return;
    look_at_ = piece.size() * 2;
    kept_.assign(piece.substr(0, kMost));
    return;
  }
  kept_.append(piece.substr(0, kMost - kept_.size()));
  // Read again when it has doubled: tiny pieces cost no more than a few scans in all.
  if (kept_.size() < std::min(look_at_, kMost)) return;
  look_at_ = kept_.size() * 2;
  outcome_ = read_rpc_outcome(kept_);
}

RpcOutcome RpcReader::end() {
  if (!wants()) return outcome_;
  outcome_ = read_rpc_outcome(kept_);
  if (wants()) outcome_ = RpcOutcome::unknown;
  return outcome_;
}

}  // namespace relay
