// Writes heads. Every message that leaves is written anew by these; callers own the buffer, and
// nothing here allocates when its capacity suffices.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"
#include "proxy/http/message.h"

namespace http {

void write_request_line(Method method, std::string_view target, std::string& out);
void write_status_line(int status, int minor, std::string& out);
void write_field(std::string_view name, std::string_view value, std::string& out);
void write_field(std::string_view name, uint64_t value, std::string& out);
inline void write_head_end(std::string& out) { out += "\r\n"; }
// The size line of one chunk; its bytes and a CRLF follow. write_last_chunk ends the body.
void write_chunk_line(size_t bytes, std::string& out);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), rendered once a second.
class DateText {
 public:
  std::string_view at(base::WallTime now);

 private:
  int64_t second_ = -1;
  char text_[32] = {};
};

}  // namespace http
