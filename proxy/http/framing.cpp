#include "proxy/http/framing.h"

#include <algorithm>

#include "proxy/http/bytes.h"

namespace http {
namespace {

using base::ErrorCode;

// Fields that may not come as trailers: a reader that merged them would frame or route the
// message anew (RFC 9110 6.5.1). "_" counts as "-".
constexpr std::string_view kForbiddenTrailers[] = {"content-length", "transfer-encoding", "host"};
constexpr uint8_t kAllForbidden = 0b111;

int hex_value(char byte) {
  if (is_digit(byte)) return byte - '0';
  return (byte | 0x20) - 'a' + 10;
}

// A byte of a quoted string that is neither the end nor an escape (RFC 9110 5.6.4), or one that
// may follow the escape.
bool is_quotable(char byte) { return is(kTextByte, byte); }

}  // namespace

BodyReader::BodyReader(Framing framing, uint64_t bytes_max, base::Side side)
    : framing_(framing), bytes_max_(bytes_max), left_(framing.length), side_(side) {
  done_ = framing.body == BodyKind::none || (framing.body == BodyKind::length && left_ == 0);
  if (framing.body != BodyKind::length) left_ = 0;
}

base::Result<BodyReader::Step> BodyReader::read(std::string_view bytes) {
  if (done_ || bytes.empty()) return Step{};
  switch (framing_.body) {
    case BodyKind::none:
      return Step{};
    case BodyKind::chunked:
      return read_chunked(bytes);
    case BodyKind::until_close:
      left_ = bytes_max_ - content_bytes_;
      is_too_large_ = left_ == 0;
      if (is_too_large_) return fault("body too large");
      return read_run(bytes, 0);
    case BodyKind::length:
      break;
  }
  auto step = read_run(bytes, 0);
  done_ = left_ == 0;
  return step;
}

base::Result<> BodyReader::end() {
  if (framing_.body == BodyKind::until_close) done_ = true;
  if (done_) return {};
  const ErrorCode code =
      side_ == base::Side::client ? ErrorCode::client_gone : ErrorCode::backend_reset;
  return base::fail(code, side_, "closed inside a body");
}

base::Result<BodyReader::Step> BodyReader::read_run(std::string_view bytes, size_t at) {
  const size_t run = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - at));
  left_ -= run;
  content_bytes_ += run;
  return Step{at + run, bytes.substr(at, run)};
}

base::Result<BodyReader::Step> BodyReader::read_chunked(std::string_view bytes) {
  for (size_t at = 0; at < bytes.size();) {
    if (part_ == Part::data) {
      auto step = read_run(bytes, at);
      if (left_ == 0) part_ = Part::data_cr;
      return step;
    }
    const char* const wrong = take(bytes[at++]);
    if (wrong != nullptr) return fault(wrong);
    if (done_) return Step{at, {}};
  }
  return Step{bytes.size(), {}};
}

base::Result<BodyReader::Step> BodyReader::fault(std::string_view what) const {
  ErrorCode code =
      side_ == base::Side::backend ? ErrorCode::bad_backend_message : ErrorCode::bad_message;
  if (is_too_large_) code = ErrorCode::body_too_large;
  return base::fail(code, side_, std::string(what));
}

const char* BodyReader::take(char byte) {
  switch (part_) {
    case Part::size:
      return take_size(byte);
    case Part::size_lf:
      return byte == '\n' ? end_size_line() : "chunk line not ended by CRLF";
    case Part::data_cr:
      part_ = Part::data_lf;
      return byte == '\r' ? nullptr : "chunk longer than its size";
    case Part::data_lf:
      part_ = Part::size;
      digits_ = 0;
      return byte == '\n' ? nullptr : "chunk longer than its size";
    case Part::trailer_start:
    case Part::trailer_name:
    case Part::trailer_value:
    case Part::trailer_lf:
      return take_trailer(byte);
    case Part::final_lf:
      done_ = byte == '\n';
      return done_ ? nullptr : "body not ended by CRLF";
    default:
      return take_extension(byte);
  }
}

// 1*HEXDIG [ chunk-ext ] CRLF, no white space (RFC 9112 7.1).
const char* BodyReader::take_size(char byte) {
  if (is(kHexByte, byte)) {
    if (++digits_ > limits_.size_digits) return "chunk size with too many digits";
    left_ = left_ * 16 + static_cast<uint64_t>(hex_value(byte));
    return nullptr;
  }
  if (digits_ == 0) return "chunk size that is no number";
  if (byte == '\r') {
    part_ = Part::size_lf;
    return nullptr;
  }
  if (byte != ';') return "malformed chunk size";
  part_ = Part::extension_name;
  extension_bytes_here_ = 0;
  return nullptr;
}

const char* BodyReader::end_size_line() {
  if (left_ == 0) {
    part_ = Part::trailer_start;
    return nullptr;
  }
  is_too_large_ = left_ > bytes_max_ - content_bytes_;
  part_ = Part::data;
  return is_too_large_ ? "body too large" : nullptr;
}

// *( ";" name [ "=" ( token / quoted-string ) ] ), all of it dropped (RFC 9112 7.1.1).
const char* BodyReader::take_extension(char byte) {
  constexpr const char* kMalformed = "malformed chunk extension";
  const bool may_end = part_ == Part::extension_rest || part_ == Part::extension_token ||
                       part_ == Part::extension_end;
  if (may_end && byte == '\r') {
    part_ = Part::size_lf;
    return nullptr;
  }
  if (++extension_bytes_here_ > limits_.extension_bytes_each ||
      ++extension_bytes_ > limits_.extension_bytes) {
    return "chunk extensions too long";
  }
  if (may_end && byte == ';') {
    part_ = Part::extension_name;
    return nullptr;
  }
  switch (part_) {
    case Part::extension_name:
      part_ = Part::extension_rest;
      return is(kTokenByte, byte) ? nullptr : kMalformed;
    case Part::extension_rest:
      if (byte != '=') return is(kTokenByte, byte) ? nullptr : kMalformed;
      part_ = Part::extension_value;
      return nullptr;
    case Part::extension_value:
      part_ = byte == '"' ? Part::extension_quoted : Part::extension_token;
      return byte == '"' || is(kTokenByte, byte) ? nullptr : kMalformed;
    case Part::extension_token:
      return is(kTokenByte, byte) ? nullptr : kMalformed;
    case Part::extension_quoted:
      if (byte == '"') part_ = Part::extension_end;
      if (byte == '\\') part_ = Part::extension_escaped;
      return is_quotable(byte) ? nullptr : kMalformed;
    case Part::extension_escaped:
      part_ = Part::extension_quoted;
      return is_quotable(byte) ? nullptr : kMalformed;
    default:
      return kMalformed;
  }
}

// *( field-line CRLF ) CRLF. Checked like fields, then dropped; no folding.
const char* BodyReader::take_trailer(char byte) {
  if (part_ == Part::trailer_start && byte == '\r') {
    part_ = Part::final_lf;
    return nullptr;
  }
  if (++trailer_bytes_ > limits_.trailer_bytes) return "trailers too long";
  switch (part_) {
    case Part::trailer_start:
      part_ = Part::trailer_name;
      name_bytes_ = 0;
      forbidden_ = kAllForbidden;
      return byte == ':' ? "trailer without a name" : match_trailer_name(byte);
    case Part::trailer_name:
      return match_trailer_name(byte);
    case Part::trailer_value:
      if (is(kTextByte, byte)) return nullptr;
      part_ = Part::trailer_lf;
      return byte == '\r' ? nullptr : "control byte in a trailer";
    default:
      part_ = Part::trailer_start;
      return byte == '\n' ? nullptr : "CR without LF in a trailer";
  }
}

const char* BodyReader::match_trailer_name(char byte) {
  if (byte == ':') {
    for (size_t i = 0; i < std::size(kForbiddenTrailers); ++i) {
      if ((forbidden_ >> i & 1) != 0 && kForbiddenTrailers[i].size() == name_bytes_) {
        return "framing or routing field in the trailers";
      }
    }
    part_ = Part::trailer_value;
    return nullptr;
  }
  if (!is(kTokenByte, byte)) return "malformed trailer";
  const char folded = byte == '_'                    ? '-'
                      : (byte >= 'A' && byte <= 'Z') ? static_cast<char>(byte | 0x20)
                                                     : byte;
  for (size_t i = 0; i < std::size(kForbiddenTrailers); ++i) {
    const std::string_view name = kForbiddenTrailers[i];
    if (name_bytes_ >= name.size() || name[name_bytes_] != folded) {
      forbidden_ = static_cast<uint8_t>(forbidden_ & ~(1u << i));
    }
  }
  ++name_bytes_;
  return nullptr;
}

}  // namespace http
