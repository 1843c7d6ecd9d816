// Where a body ends. Our own Content-Length counter and chunk decoder (RFC 9112 6, 7.1); never
// asks the second parser.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/result.h"
#include "proxy/http/message.h"

namespace http {

struct ChunkLimits {
  int size_digits = 16;
  size_t extension_bytes_each = 256;
  size_t extension_bytes = 16 << 10;  // of the whole body
  size_t trailer_bytes = 8 << 10;
};

// Takes a body apart, piece by piece. A value type; starts anew by assignment.
class BodyReader {
 public:
  BodyReader() = default;
  // `bytes_max` bounds chunked and close-delimited bodies: body_too_large.
  BodyReader(Framing framing, uint64_t bytes_max, base::Side side);

  struct Step {
    size_t used = 0;           // bytes of the input that belong to this message
    std::string_view content;  // a run of body bytes inside the input, may be empty
  };
  // Call again with the rest until `used` is 0 or is_done(). Trailers are checked like fields,
  // then dropped. After an error call nothing.
  base::Result<Step> read(std::string_view bytes);
  bool is_done() const { return done_; }
  // The peer closed cleanly: only an until-close body is thereby complete.
  base::Result<> end();
  uint64_t content_bytes() const { return content_bytes_; }

 private:
  // What comes next in a chunked body; the content itself is `data`.
  enum class Part : uint8_t {
    size,
    extension_name,  // behind ";": the first byte of its name
    extension_rest,
    extension_value,  // behind "="
    extension_token,
    extension_quoted,
    extension_escaped,
    extension_end,  // behind the closing quote
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,  // of a line, or of the empty line
    trailer_name,
    trailer_value,
    trailer_lf,
    final_lf,
  };
  base::Result<Step> read_run(std::string_view bytes, size_t at);
  base::Result<Step> read_chunked(std::string_view bytes);
  // One byte of the frame. Returns what is wrong with it, or nullptr.
  const char* take(char byte);
  const char* take_size(char byte);
  const char* take_extension(char byte);
  const char* take_trailer(char byte);
  const char* end_size_line();
  const char* match_trailer_name(char byte);
  base::Result<Step> fault(std::string_view what) const;

  Framing framing_;
  uint64_t bytes_max_ = 0;
  uint64_t content_bytes_ = 0;
  uint64_t left_ = 0;  // of the length or the chunk
  ChunkLimits limits_;
  size_t extension_bytes_ = 0;
  size_t extension_bytes_here_ = 0;
  size_t trailer_bytes_ = 0;
  size_t name_bytes_ = 0;  // of the trailer being read
  uint8_t forbidden_ = 0;  // which forbidden names it may still become, a bit each
  int digits_ = 0;
  Part part_ = Part::size;
  bool is_too_large_ = false;
  base::Side side_ = base::Side::client;
  bool done_ = true;
};

}  // namespace http
